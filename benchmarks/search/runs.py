"""One run: a peer searches a world, and is asked at every stop what it would answer. In, a task; out, a record."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from autodc import seeds
from autodc.search import Observation, Plan, make_engine
from benchmarks.search.peers import PEERS
from benchmarks.search.worlds import Real, World, case, objective


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One peer in one world, once. stops: after how many trainings it is asked; the last is the length."""

    world: str
    seed: int
    repeat: int
    peer: str
    stops: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Task):
    """What one run gave, a value for every stop.

    share: of the gap, of what our recommender makes of the peer's trainings; own: of the peer's own answer; optimism
    and own_optimism: what each was believed to be worth (the model's mean; the value of the best trial) less its test
    objective, in metric units, none where the peer names no value; trained: trainings made, fewer than the last stop
    where the method was at its end; optimiser, training, recommending: CPU seconds of the whole run.
    """

    share: tuple[float, ...]
    own: tuple[float, ...]
    optimism: tuple[float | None, ...]
    own_optimism: tuple[float | None, ...]
    gap: float
    trained: int
    optimiser: float
    training: float
    recommending: float
    stamp: str = ""


class Spent(Exception):
    """There is nothing left to train with."""


class Bench:
    """Trains for a peer until the trainings are spent, and keeps the time of both."""

    def __init__(self, one: World | Real, seed: int, limit: int) -> None:
        self._case, self._seed, self._limit = one, seed, limit
        self.seen: list[Observation] = []
        self.training = self.optimiser = 0.0
        self._left = time.process_time()

    def train(self, plan: Plan, key: str) -> Observation:
        """Train a plan under the seed of a key."""
        began = time.process_time()
        self.optimiser += began - self._left
        if len(self.seen) >= self._limit:
            raise Spent
        seed = seeds.integer(self._seed, "train", key)
        values = self._case.train(plan, seed)
        self.seen.append(Observation(number=len(self.seen), plan=plan, seed=seed, values=values))
        self._left = time.process_time()
        self.training += self._left - began
        return self.seen[-1]


def run(task: Task) -> Record:
    """Run a task on one thread. Peers of one world, seed and repeat see the same noise under the same key."""
    one = case(task.world, task.seed)
    low, high = one.gap
    root = seeds.integer(task.seed, "bench", task.world, task.repeat)
    peer = PEERS[task.peer][1](one.problem, root)
    bench = Bench(one, root, task.stops[-1])
    with contextlib.suppress(Spent):
        peer.run(bench.train)
    recommender = make_engine("mixture", one.problem, root)
    share, own, optimism, own_optimism, recommending = [], [], [], [], 0.0
    for stop in task.stops:
        seen = bench.seen[:stop]
        began = time.process_time()
        plan, best = peer.pick(seen), recommender.recommend(seen) if seen else None
        recommending += time.process_time() - began
        believed = best.plan if best is not None else plan
        assert believed is not None
        share.append(one.share(believed))
        optimism.append(best.mean - (low + share[-1] * (high - low)) if best is not None else float("nan"))
        own.append(one.share(plan) if plan is not None else share[-1])
        trained = [objective(one.problem, o.values) for o in seen if o.plan == (plan or believed)]
        own_optimism.append(max(trained, default=float("nan")) - (low + own[-1] * (high - low)))
    return Record(
        **asdict(task),
        share=tuple(round(float(v), 3) for v in share),
        own=tuple(round(float(v), 3) for v in own),
        optimism=_known(optimism),
        own_optimism=_known(own_optimism),
        gap=round(high - low, 5),
        trained=len(bench.seen),
        optimiser=round(bench.optimiser, 2),
        training=round(bench.training, 2),
        recommending=round(recommending, 2),
    )


def _known(values: Sequence[Any]) -> tuple[float | None, ...]:
    return tuple(round(float(v), 4) if np.isfinite(v) else None for v in values)
