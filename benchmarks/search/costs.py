"""What a proposal of ours costs in CPU, late in a study, where models are largest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from autodc import seeds
from autodc.search import Observation, make_engine
from autodc.search.surrogates.models import GROWTH
from benchmarks.search.worlds import World

SIZES = ((12, 5, 160, 150.0), (20, 3, 500, 150.0), (200, 3, 2000, 100.0))
"""Candidates, hyperparameters, trials, the target in CPU ms a proposal."""
STRETCH = 12
IN_FLIGHT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CostTask:
    """One size of a study."""

    candidates: int
    numbers: int
    trials: int
    target: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRecord:
    """CPU milliseconds late in a study: of a proposal with the model's parameters known, of what the first one costs
    beyond that (the refit, once for every quarter that the data grows), of both spread over that quarter (mean), and
    of a recommendation.
    """

    candidates: int
    trials: int
    target: float
    proposal: float
    refit: float
    mean: float
    recommendation: float
    stamp: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> CostRecord:
        """Read back `to_dict`."""
        return cls(**value)


def tasks() -> Iterator[CostTask]:
    """Every size."""
    for candidates, numbers, trials, target in SIZES:
        yield CostTask(candidates=candidates, numbers=numbers, trials=trials, target=target)


def run(task: CostTask) -> CostRecord:
    """Fill a history as a search would leave it, then time proposals at its end."""
    with threadpool_limits(limits=1):
        world = World("cost", task.candidates, task.numbers, 0)
        observed = _history(world, task.trials)
        engine = make_engine("mixture", world.problem, 0)
        took = []
        for i in range(STRETCH + 1):
            known = task.trials - STRETCH + i - IN_FLIGHT
            running = [o.plan for o in observed[known : known + IN_FLIGHT - 1]]
            began = time.process_time()
            engine.suggest(known + IN_FLIGHT - 1, observed[:known], running)
            took.append(1000 * (time.process_time() - began))
        began = time.process_time()
        engine.recommend(observed)
        recommended = 1000 * (time.process_time() - began)
        steady = float(np.median(took[1:]))
        refit = took[0] - steady
        between = task.trials * (1 - 1 / GROWTH)
        return CostRecord(
            candidates=task.candidates,
            trials=task.trials,
            target=task.target,
            proposal=round(steady),
            refit=round(refit),
            mean=round(steady + refit / between),
            recommendation=round(recommended),
        )


def _history(world: World, trials: int) -> list[Observation]:
    """Trainings of random search."""
    engine = make_engine("random", world.problem, 1)
    observed: list[Observation] = []
    for number in range(trials):
        plan = engine.suggest(number, (), ()).plan
        seed = seeds.integer(0, "cost", number)
        observed.append(Observation(number=number, plan=plan, seed=seed, values=world.train(plan, seed)))
    return observed
