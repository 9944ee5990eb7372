"""Worlds without end: a planted law that fresh rows can be drawn from for ever, and learners that take milliseconds.

A row belongs to a domain. Domain 0 is the base's; in each further one the first coordinates speak the other way round,
which a model learns from rows of that domain alone. So what a candidate is worth is set by its domain's share of the
population, and the truth of any plan is its accuracy on rows that no study has seen. All learners are linear in the
features, so that a plan's truth over many seeds is one product of matrices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from scipy.special import expit

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.search import SearchProblem
from autodc.search.space import start_hyperparameters
from autodc.studyfile.study import ParameterSpec
from benchmarks.gate.learners import LEARNERS, Part
from benchmarks.worlds.planting import Held, Planted, Rows
from benchmarks.worlds.studies import StudyRun, run_study

Array = np.ndarray[Any, Any]

TARGETS = ("north", "middle", "south")
MARGIN = 0.02
"""Of the guard `overall`."""
MAX_WEIGHT = 2.0
TEST_ROWS = 500
"""Of the study's own test set, which only has to be there: truth comes from the population."""
TURNED = 3
"""Coordinates that speak the other way round in a domain of its own."""


@dataclass(frozen=True, kw_only=True)
class Law:
    """How rows come about."""

    dimensions: int
    relevant: int
    """Coordinates that say something of the label; the others say nothing."""
    shares: tuple[float, ...] = ()
    """Of the domains 1, 2, … in the population; the rest is domain 0."""
    steep: float = 2.2
    """The larger, the less chance there is in labels."""

    @property
    def width(self) -> int:
        """Features of a row: a constant, the coordinates, and for every further domain those that may turn."""
        return 1 + self.dimensions + TURNED * len(self.shares)

    @cached_property
    def scales(self) -> Array:
        """Spread of each coordinate: from 1 down to .3, so that shrinking them all costs something."""
        return np.geomspace(1.0, 0.3, self.dimensions)

    @cached_property
    def direction(self) -> Array:
        """What the coordinates say of the label in domain 0, in units of their spread."""
        said = np.zeros(self.dimensions)
        said[: self.relevant] = np.where(np.arange(self.relevant) % 2, -1.0, 1.0)
        return said / np.sqrt(self.relevant)

    def draw(self, count: int, rng: np.random.Generator, domain: int | None = None, says: int | None = None) -> Rows:
        """Fresh rows of the population, or of one domain. says: the one coordinate their labels follow, as those of
        another quantity under the same name do."""
        rest = 1.0 - sum(self.shares)
        shares = np.array([rest, *self.shares])
        domains = rng.choice(len(shares), count, p=shares / shares.sum()) if domain is None else np.full(count, domain)
        z = rng.standard_normal((count, self.dimensions))
        said = np.tile(self.direction, (count, 1))
        said[domains > 0, :TURNED] *= -1.0
        if says is not None:
            said[:] = np.eye(self.dimensions)[says]
        y = (rng.random(count) < expit(self.steep * (z * said).sum(1))).astype(np.int64)
        x = np.zeros((count, self.width), dtype=np.float32)
        x[:, 0] = 1.0
        x[:, 1 : 1 + self.dimensions] = z * self.scales
        for number in np.unique(domains[domains > 0]):
            mine, first = domains == number, 1 + self.dimensions + TURNED * (int(number) - 1)
            x[np.ix_(mine, range(first, first + TURNED))] = x[np.ix_(mine, range(1, 1 + TURNED))]
        return Rows(x=x, y=y)


def regions(law: Law, rows: Rows, rng: np.random.Generator) -> dict[str, Array]:
    """Target slice → positions. A further domain lies in one region, domain 0 is spread over all three."""
    where = rng.integers(len(TARGETS), size=len(rows))
    for number in range(len(law.shares)):
        first = 1 + law.dimensions + TURNED * number
        where[rows.x[:, first] != 0] = number % len(TARGETS)
    return {name: np.flatnonzero(where == place) for place, name in enumerate(TARGETS)}


@cache
def fresh(law: Law, count: int) -> tuple[Rows, dict[str, Array]]:
    """Rows of the population for the truth, the same in every night of a process, and their regions."""
    rng = seeds.generator(TRUTH_SEED, "population", count)
    rows = law.draw(count, rng)
    return rows, regions(law, rows, rng)


TRUTH_SEED = 61300127


@dataclass(frozen=True, kw_only=True, eq=False)
class PopulationWorld:
    """One night's data: a base, candidates and validation rows drawn from a law, and a learner."""

    name: str
    seed: int
    law: Law
    learner: str
    planted: Planted
    space: Mapping[str, ParameterSpec]
    truth_rows: int
    _parts: dict[str, Part] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def problem(self) -> SearchProblem:
        """The search problem of a study; the start is the base alone at the centre of the space."""
        return SearchProblem(
            datasets=tuple(self.planted.candidates),
            hyperparameters=self.space,
            recipes=("concat",),
            max_weight=MAX_WEIGHT,
            targets=dict.fromkeys(TARGETS, 1.0),
            guards={"overall": MARGIN},
            start=Plan.of({}, start_hyperparameters(self.space, "concat"), "concat"),
        )

    @property
    def everything(self) -> Plan:
        """All candidates at weight 1, at the start's settings."""
        start = self.problem.start
        return Plan.of(dict.fromkeys(self.planted.candidates, 1.0), start.settings, start.recipe)

    def held(self, part: str) -> Held:
        """The rows of `validation` or `test`."""
        return self.planted.test if part == "test" else self.planted.validation

    def coefficients(self, plan: Plan, seed: int) -> Array:
        """Train once: what every feature says, shape (width,)."""
        parts = [(self._part(name), weight) for name, weight in plan.mixture]
        found = LEARNERS[self.learner](parts, plan.settings, seeds.generator(seed, "learner"))
        size = float(np.linalg.norm(found))
        found[0] += size * float(plan.settings.get("shift", 0.0))
        found[self.law.dimensions] += size * float(plan.settings.get("tilt", 0.0))
        return found

    def train(self, plan: Plan, seed: int, fidelity: float = 1.0) -> dict[str, Array]:
        """Train once and return class scores: validation (n, 2) and test (m, 2)."""
        found = self.coefficients(plan, seed).astype(np.float32)
        outputs = {}
        for part in ("validation", "test"):
            likely = expit(3.0 * (self.held(part).rows.x @ found))
            outputs[part] = np.stack([1.0 - likely, likely], axis=1)
        return outputs

    def truth(self, plan: Plan, count: int) -> dict[str, Array]:
        """Accuracy of a plan on fresh rows by training seed, of every slice and the objective.

        Shape (count,), or (1,) where all seeds give one model. Two plans have the same seeds and rows, so that a
        difference is one of pairs.
        """
        rows, where = fresh(self.law, self.truth_rows)
        count = 1 if self.is_certain(plan) else count
        each = [self.coefficients(plan, seeds.integer(self.seed, "truth", number)) for number in range(count)]
        hits = (rows.x @ np.stack(each, axis=1).astype(np.float32) > 0) == (rows.y[:, None] == 1)
        values = {name: hits[places].mean(axis=0) for name, places in where.items()}
        return {**values, "overall": hits.mean(axis=0), OBJECTIVE: np.mean(list(values.values()), axis=0)}

    def is_certain(self, plan: Plan) -> bool:
        """Whether every seed gives the same model: a learner without noise, and no rows are drawn."""
        return self.learner == "ridge" and all(float(weight).is_integer() for _, weight in plan.mixture)

    def seen(self, plan: Plan, seed: int) -> float:
        """The objective of one training on all validation rows."""
        held = self.held("validation")
        hits = self.train(plan, seed)["validation"].argmax(1) == held.rows.y
        return float(np.mean([hits[held.slices[name]].mean() for name in TARGETS]))

    def study(self, *, trainings: int, trials: int, gate: Mapping[str, Any] | None = None) -> StudyRun:
        """Run a whole study of it by the real loop."""
        return run_study(self, self.seed, trainings=trainings, trials=trials, rounds=1, gate=gate)

    def _part(self, name: str) -> Part:
        if name not in self._parts:
            rows = self.planted.base if name == "base" else self.planted.candidates[name]
            self._parts[name] = Part(x=rows.x.astype(float), y=2.0 * rows.y - 1.0)
        return self._parts[name]


OBJECTIVE = "objective"


def planted(
    law: Law, base: Rows, candidates: Mapping[str, tuple[str, Rows]], validation: int, rng: np.random.Generator
) -> Planted:
    """Lay out a night's data. candidates: name → kind and rows; validation: how many rows are held out."""
    held = []
    for count in (validation, TEST_ROWS):
        rows = law.draw(count, rng)
        slices = {"overall": np.arange(count), **regions(law, rows, rng)}
        held.append(Held(rows=rows, slices=slices, groups=np.arange(count)))
    return Planted(
        base=base,
        candidates={name: rows for name, (_, rows) in candidates.items()},
        kinds={name: kind for name, (kind, _) in candidates.items()},
        cures=frozenset(name for name, (kind, _) in candidates.items() if kind == "cure"),
        twins={},
        validation=held[0],
        test=held[1],
        targets=TARGETS,
        guards={"overall": MARGIN},
        classes=2,
    )


def tuned(world: PopulationWorld, plan: Plan, trainings: int) -> Plan:
    """What people do: this mixture, its settings by TPE on all validation rows, with so many trainings."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seeds.integer(world.seed, "tuned"))
    )
    study.enqueue_trial(plan.settings)
    spaces = {n: FloatDistribution(float(s.low), float(s.high), log=s.log) for n, s in world.space.items()}
    best, settings = -1.0, plan.settings
    for number in range(trainings):
        trial = study.ask(spaces)
        value = world.seen(Plan.of(plan.mixture.to_dict(), trial.params), seeds.integer(world.seed, "tuned", number))
        study.tell(trial, value)
        if value > best:
            best, settings = value, dict(trial.params)
    return Plan.of(plan.mixture.to_dict(), settings)
