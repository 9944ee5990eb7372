"""What a proposal of ours costs in CPU, late in a study, where models are largest."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from autodc import seeds
from autodc.search import Observation, make_engine
from autodc.search.surrogates.ladder import GROWTH
from benchmarks.search.worlds import World

STRETCH = 12
IN_FLIGHT = 4


class CostTask(NamedTuple):
    """One size of a study. target: CPU milliseconds a proposal."""

    candidates: int
    numbers: int
    trials: int
    target: float


TASKS = (CostTask(12, 5, 160, 150.0), CostTask(20, 3, 500, 150.0), CostTask(200, 3, 2000, 100.0))


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


def run(task: CostTask) -> CostRecord:
    """Fill a history as random search would leave it, then time proposals at its end."""
    world = World(task.candidates, task.numbers, 0)
    engine, draws = make_engine("mixture", world.problem, 0), make_engine("random", world.problem, 1)
    observed: list[Observation] = []
    for number in range(task.trials):
        plan, seed = draws.suggest(number, (), ()).plan, seeds.integer(0, "cost", number)
        observed.append(Observation(number=number, plan=plan, seed=seed, values=world.train(plan, seed)))
    took = []
    for known in range(task.trials - STRETCH - IN_FLIGHT, task.trials - IN_FLIGHT + 1):
        running = [o.plan for o in observed[known : known + IN_FLIGHT - 1]]
        began = time.process_time()
        engine.suggest(known + IN_FLIGHT - 1, observed[:known], running)
        took.append(1000 * (time.process_time() - began))
    began = time.process_time()
    engine.recommend(observed)
    recommended = 1000 * (time.process_time() - began)
    steady = float(np.median(took[1:]))
    refit = took[0] - steady
    return CostRecord(
        candidates=task.candidates,
        trials=task.trials,
        target=task.target,
        proposal=round(steady),
        refit=round(refit),
        mean=round(steady + refit / (task.trials * (1 - 1 / GROWTH))),
        recommendation=round(recommended),
    )
