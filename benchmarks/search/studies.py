"""Whole studies of worlds of real trainings, calibration to last measurement: what was kept, and was it right?"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from threadpoolctl import threadpool_limits

TRAININGS, TRIALS = 240, 160
PICTURES = (0, 1, 2, 3, 10, 901, 902)
SEEDS = {"digits": PICTURES, "fashion": PICTURES, "convention": (0, 1, 2, 901, 902)}
"""World → its seeds, which are the studies' too."""
OTHER_LABELS = "pretrain_only"
"""The kind of the set with another label convention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyTask:
    """One study of one world."""

    world: str
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """What one study came to.

    share: of the gap on test, fresh trainings of the last incumbent; kept: dataset → what was planted, with
    `(pretrain)` where it is in that stage; cures: how many of the oracle's are kept, they or their copy; proposed: the
    same of those the search put into a challenger; wanted: how many there are; wrong: kept though
    useless, harmful, a trade-off, or in the wrong stage.
    """

    world: str
    seed: int
    share: float
    kept: dict[str, str]
    cures: int
    proposed: int
    wanted: int
    wrong: tuple[str, ...]
    trained: float
    seconds: float
    stamp: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> StudyRecord:
        """Read back `to_dict`."""
        return cls(**{**value, "wrong": tuple(value["wrong"])})


def tasks(worlds: Sequence[str]) -> Iterator[StudyTask]:
    """The studies of these worlds."""
    for world in worlds:
        for seed in SEEDS.get(world, ()):
            yield StudyTask(world=world, seed=seed)


def run(task: StudyTask) -> StudyRecord:
    """Run one study on one thread."""
    from benchmarks.worlds import world

    with threadpool_limits(limits=1):
        began = time.process_time()
        one = world(task.world, task.seed)
        found = one.study(task.seed, trainings=TRAININGS, trials=TRIALS)
        kept, stages = list(found.result["kept"]), found.incumbent.stages
        twins = one.twins
        known = [twins.get(n, n) for n in kept]
        proposed = {twins.get(n, n) for n in found.proposed}
        kinds = {n: one.kinds[n] + (" (pretrain)" if stages.get(n) == "pretrain" else "") for n in kept}
        good = {n for n in (*one.cures, *twins) if kinds.get(n) != OTHER_LABELS}
        return StudyRecord(
            world=task.world,
            seed=task.seed,
            share=round(one.share(found.incumbent), 3),
            kept=kinds,
            cures=len(one.cures & set(known)),
            proposed=len(one.cures & proposed),
            wanted=len(one.cures),
            wrong=tuple(n for n in kept if n not in good),
            trained=round(float(found.result["spent"]["trainings"]), 1),
            seconds=round(time.process_time() - began, 1),
        )
