"""One night of a case in this process: the product's own study, asked and told; each training is kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome, Trial
from autodc.studyfile.study import StudySpec
from autodc.verbs.study import Study
from benchmarks.real.case import DAY, OVERALL, Case, Rows
from benchmarks.real.fetch import home
from benchmarks.real.store import Store, key
from benchmarks.real.trainer import RealTrainer

TRAININGS = 120
"""Of a night, and of each of its peers."""
FRESH = 5
"""Trainings whose mean on held-out rows a plan is judged by."""
PART = "validation"


@final
@dataclass(frozen=True, kw_only=True)
class Ground:
    """A case on one night: which rows validate, and every training once."""

    case: Case
    seed: int

    @cached_property
    def validation(self) -> Rows:
        """The rows of the night."""
        return self.case.validation(self.seed)

    @cached_property
    def store(self) -> Store:
        """The trainings of the case."""
        return Store(home() / "trainings" / f"{self.case.name}.sqlite")

    def outputs(self, plan: Plan, seed: int) -> np.ndarray[Any, Any]:
        """Predictions of validation by one training."""
        name = key("validation", self.case.digest, self.seed, plan, seed)
        return self.store.array(name, lambda: self.case.train(plan, seed)(self.validation.x))

    def seen(self, plan: Plan, seed: int) -> float:
        """Objective of one training on all validation rows."""
        return self.case.objective(self.outputs(plan, seed), self.validation)

    def held(self, plan: Plan, fresh: Sequence[int] | None = None) -> float:
        """Mean objective on held-out rows over fresh trainings."""
        values = self.held_values(plan, fresh)
        return float(np.mean([values[name] for name in self.case.targets]))

    def held_values(self, plan: Plan, fresh: Sequence[int] | None = None) -> dict[str, float]:
        """Mean of each slice on held-out rows over fresh trainings."""
        found = [held_values(self.case, self.store, plan, s) for s in fresh or fresh_seeds(FRESH)]
        return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def fresh_seeds(count: int) -> tuple[int, ...]:
    """Training seeds that no search or gate uses; the same for all, so that plans are compared in pairs."""
    return tuple(seeds.integer(0, "real-held-out", j) for j in range(count))


def held_values(case: Case, store: Store, plan: Plan, seed: int) -> dict[str, float]:
    """Slice → value on held-out rows of one training, up is better."""
    name = key("held", case.digest, plan, seed)
    return store.values(name, lambda: case.values(case.train(plan, seed)(case.held.x), case.held))


def night(case: Case, seed: int, trainings: int = TRAININGS) -> dict[str, Any]:
    """Live through a night: result.json, the plan at the end, and what start and end are worth on held-out rows."""
    ground = Ground(case=case, seed=seed)
    with TemporaryDirectory() as folder:
        spec = study_spec(case, seed, trainings, Path(folder))
        with Study.open(spec, Path(folder) / "run") as study:
            while trials := study.ask(1):
                for trial in trials:
                    study.tell(trial, _outcome(study, ground, trial))
            found = study.result()
    plan, start = plan_of(found["incumbent"]), ground.held(case.start)
    return {
        "case": case.name,
        "digest": case.digest,
        "metric": case.metric,
        "targets": list(case.targets),
        "points": points(case, start),
        "seed": seed,
        "budget": trainings,
        "spent": found["spent"]["trainings"],
        "plan": plan.to_dict(),
        "held": {"start": start, "end": ground.held(plan)},
        "held_slices": {"start": ground.held_values(case.start), "end": ground.held_values(plan)},
        "result": found,
    }


def study_spec(case: Case, seed: int, trainings: int, folder: Path) -> StudySpec:
    """Write the data of a night into a folder and ask the case's question; what is not the case's is left out."""
    group = {"options": {"group": DAY}} if case.grouped else {}
    for name, rows in {"base": case.base, **case.candidates, PART: case.validation(seed)}.items():
        columns = {column: rows.meta[column].to_numpy() for column in rows.meta}
        np.savez(folder / f"{name}.npz", x=rows.x, y=rows.y, **columns)
    return StudySpec.model_validate(
        {
            "schema_version": 1,
            "name": f"{case.name}-{seed}",
            "seed": seed,
            "task": {
                "kind": case.kind,
                "trainer": "benchmarks.real.trainer:RealTrainer",
                "options": {"learner": case.learner.__name__},
            },
            "data": {
                "base": {"source": str(folder / "base.npz"), **group},
                "candidates": [{"name": n, "source": str(folder / f"{n}.npz"), **group} for n in case.candidates],
                "validation": {"source": str(folder / f"{PART}.npz"), **group},
                "overlap": "allow",
            },
            "metrics": {"primary": case.metric},
            "slices": [
                {
                    "name": term.name,
                    "role": term.role,
                    **({} if term.name == OVERALL else {"where": f"{term.name} = 1"}),
                    **({} if term.margin is None else {"margin": term.margin}),
                }
                for term in case.terms
            ],
            "search_space": {name: p.model_dump(exclude_defaults=True) for name, p in case.space.items()},
            "budget": {"trainings": trainings},
            "tracking": {"uri": "none"},
        }
    )


def points(case: Case, start: float) -> float:
    """Factor from the objective to points: hundredths of a share, per cent of the start's error elsewhere."""
    return 100.0 if case.metric == "accuracy" else 100.0 / abs(start)


def plan_of(incumbent: dict[str, Any]) -> Plan:
    """The plan in `incumbent` of a result.json."""
    return Plan.of(dict(incumbent["mixture"]), dict(incumbent["hyperparameters"]), str(incumbent["recipe"]))


def _outcome(study: Study, ground: Ground, trial: Trial) -> Outcome:
    """Train the product's job, or take what the same training gave before."""

    def train() -> np.ndarray[Any, Any]:
        return trainer.train(study.job(trial)).outputs[PART]

    trainer = RealTrainer(ground.case.learner.__name__)
    name = key("job", ground.case.digest, ground.seed, trial.plan, trial.seed, trial.fidelity)
    try:
        return study.outcome(trial, {PART: ground.store.array(name, train)})
    except (ArithmeticError, ValueError) as error:
        return study.failed(repr(error))
