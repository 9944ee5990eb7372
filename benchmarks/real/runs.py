"""Nights in processes of their own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from benchmarks.real import raw
from benchmarks.real.cases import case
from benchmarks.real.night import night

Job = tuple[str, int, int]
"""Case, number of the night, trainings."""


def run(jobs: Sequence[Job], processes: int) -> list[dict[str, Any]]:
    """Live through nights, each in a process; a case is built before, so that no two build it at once."""
    for name in dict.fromkeys(name for name, _, _ in jobs):
        _ = case(name)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(live, jobs))


def live(job: Job) -> dict[str, Any]:
    """One night, what is told of it."""
    name, seed, budget = job
    return raw.shortened(night(case(name), seed, budget))
