"""A whole study of a world in this process: the real loop over a journal and a store in memory, trainings in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from autodc import fingerprint, seeds
from autodc.data.dataset import Dataset
from autodc.data.overlap import joint_clusters
from autodc.evaluation.metrics import find_metric
from autodc.evaluation.slices import TEST, VALIDATION, Sides, Slice, SliceTable
from autodc.review.result import result
from autodc.search import Plan, make_engine
from autodc.study.core import StudyCore
from autodc.study.journal.events import RULES, StudyStarted
from autodc.study.journal.state import State
from autodc.studyfile.study import StudySpec
from autodc.testing.memory import MemoryJournal, MemoryStore
from autodc.trial.executor import Completion
from autodc.wire.cut import Held as HeldRows
from autodc.wire.cut import cut

if TYPE_CHECKING:
    from benchmarks.worlds.port import StudyWorld


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyRun:
    """A finished study. result: result.json without `mlflow`; state: everything that was journalled."""

    result: Mapping[str, Any]
    state: State

    @property
    def incumbent(self) -> Plan:
        """The plan the study ended with."""
        assert self.state.incumbent is not None
        return self.state.incumbent

    @property
    def proposed(self) -> tuple[str, ...]:
        """Candidates that were in a challenger the search recommended, in the order they first were."""
        plans = [Plan.from_dict(event.plan) for event in self.state.challengers]
        return tuple(dict.fromkeys(name for plan in plans for name in plan.mixture.added))


def run_study(
    world: StudyWorld,
    seed: int,
    *,
    trainings: int,
    trials: int,
    rounds: int,
    gate: Mapping[str, Any] | None = None,
) -> StudyRun:
    """Run a study of a world to its end, one training at a time. gate: keys of the study file's `gate`."""
    spec = _spec(world, seed, trainings, trials, rounds, gate or {})
    tables = {part: _slices(world, spec, part) for part in (VALIDATION, TEST)}
    sides = _sides(world, spec, tables[VALIDATION])
    core = StudyCore(
        spec,
        _started(world, spec, tables[VALIDATION].on(sides.gate)),
        journal=MemoryJournal(),
        store=MemoryStore(),
        table=tables[VALIDATION],
        sides=sides,
        metric=find_metric("accuracy", "classification", "."),
        problem=world.problem,
        engine=lambda problem: make_engine(spec.search.sampler, problem, seeds.integer(spec.seed, "engine")),
        open_test=lambda further: tables[TEST],
        clock=lambda: 0.0,
    )
    while not core.finished:
        for trial in core.ask(1):
            outputs = world.train(trial.plan, trial.seed, trial.fidelity)
            seen = outputs if trial.phase == "test" else {VALIDATION: outputs[VALIDATION]}
            done = Completion(number=trial.number, attempt=0, status="done", outputs=seen)
            core.tell(trial, core.score(trial, done))
    return StudyRun(result=result(core.state), state=core.state)


def _spec(world: StudyWorld, seed: int, trainings: int, trials: int, rounds: int, gate: Mapping[str, Any]) -> StudySpec:
    """The study file that asks a world's question."""
    problem, name = world.problem, f"{world.name}-{world.seed}"
    return StudySpec.model_validate(
        {
            "schema_version": 1,
            "name": name,
            "seed": seed,
            "task": {"kind": "classification", "trainer": "benchmarks.worlds:RealWorld"},
            "data": {
                "candidates": [{"name": one, "source": f"world:{name}/{one}"} for one in problem.datasets],
                **{part: {"source": f"world:{name}/{part}"} for part in ("base", "validation", "test")},
            },
            "metrics": {"primary": "accuracy"},
            "slices": [
                *({"name": n, "role": "guard", "margin": m} for n, m in problem.guards.items()),
                *({"name": n, "role": "target", "weight": w} for n, w in problem.targets.items()),
            ],
            "search_space": {n: p.model_dump(exclude_defaults=True) for n, p in problem.hyperparameters.items()},
            "recipes": problem.recipes,
            "loop": {"rounds": rounds},
            "search": {"sampler": "mixture", "trials_per_round": trials, "lag": 4, "max_weight": problem.max_weight},
            "gate": {"looks": (1, 2, 3, 5, 8), **gate},
            "budget": {"trainings": trainings},
            "tracking": {"uri": "none"},
        }
    )


def _slices(world: StudyWorld, spec: StudySpec, part: str) -> SliceTable:
    """The slices of a world's held rows, as the study's own code would cut them."""
    held = world.held(part)
    (numbers,) = joint_clusters([_dataset(world, part)])
    found = []
    for one in spec.slices:
        rows, same = held.slices[one.name], {"name": one.name, "role": one.role, "margin": one.margin}
        found.append(Slice(**same, weight=one.weight or 1.0, part=part, rows=rows, clusters=numbers[rows]))
    return SliceTable(slices=tuple(found), targets={part: held.rows.y})


def _dataset(world: StudyWorld, part: str) -> Dataset:
    held = world.held(part)
    nothing = pd.DataFrame(index=range(len(held.rows.x)))
    return Dataset(name=part, x=held.rows.x, y=held.rows.y, metadata=nothing, groups=held.groups)


def _sides(world: StudyWorld, spec: StudySpec, table: SliceTable) -> Sides:
    """Who sees which rows of validation, as the study's own code would cut them."""
    rows = HeldRows.of({VALIDATION: _dataset(world, VALIDATION)}, table)
    return cut(rows, spec.data.explore_share, seeds.integer(spec.seed, "explore"))


def _started(world: StudyWorld, spec: StudySpec, table: SliceTable) -> StudyStarted:
    """The first event of a study of a world."""
    cards: dict[str, Any] = {"base": {"rows": len(world.planted.base)}}
    for name, rows in world.planted.candidates.items():
        cards[name] = {"rows": len(rows), "candidate": True, "cost": 0.0, "targets": None}
    return StudyStarted(
        fingerprint=fingerprint.of(spec.content(), kind="world-study"),
        name=spec.name,
        spec=spec.model_dump(mode="json"),
        datasets=cards,
        slices={
            s.name: {"role": s.role, "margin": s.margin, "weight": s.weight, "rows": len(s.rows)} for s in table.slices
        },
        start=world.problem.start.to_dict(),
        rules=RULES,
    )
