"""How many workers one driver keeps busy: the real loop and journal, workers that exist in virtual time alone.

    python -m benchmarks.virtual_cluster                        # 250 to 2,000 workers, trials of 5 s
    python -m benchmarks.virtual_cluster --workers 1000 --trials 5000 --profile

Virtual time goes on by what the driver takes (its CPU seconds, or with `--by wall` what the clock on the wall shows,
syncs of the disk included) and by waiting for the next training to end. Everything durable is: planned trials are
synced before they are handed out, outcomes stored and synced before they are used. What is left out is the socket to
the workers: `python -m benchmarks.executors` has it.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import sys
import tempfile
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import psutil

from autodc.adapters.mlflow.tracker import NullTracker
from autodc.study.driver import Driver, Interrupted
from autodc.study.journal.events import SessionStarted
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.testing.virtual import VirtualExecutor
from autodc.testing.worlds.cells import CLASSES, write_world
from autodc.trial.executor import Completion, Task, TrainTask
from autodc.wire.inputs import read_inputs
from autodc.wire.study import job_maker, open_study
from benchmarks.tables import table

WORKERS = (250, 500, 1000, 2000)
SECONDS = 5.0
TURNS = 8
"""Trainings a worker, where the number of trials is not given."""
LAG = 4096
"""The most that a study file may have."""
CLOCKS = {"cpu": time.process_time, "wall": time.perf_counter}
HEAD = ("workers", "trials", "workers busy", "driver, share of a core", "driver, ms a trial", "driver, MB")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one size came to, from the moment when every worker trains to the last trial that is asked for."""

    workers: int
    trials: int
    busy: float
    driver: float
    """Seconds of the driver a second of virtual time."""
    each: float
    """Seconds of the driver a trial."""
    memory: float
    """Bytes of the driver at the end."""

    def row(self) -> tuple[str, ...]:
        """The line of the table."""
        share, ms = f"{self.driver:.0%}", f"{1e3 * self.each:.2f}"
        return f"{self.workers:,}", f"{self.trials:,}", f"{self.busy:.1%}", share, ms, f"{self.memory / 1e6:.0f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=list(WORKERS))
    parser.add_argument("--trials", type=int)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--by", choices=sorted(CLOCKS), default="cpu")
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    rows = []
    for workers in asked.workers:
        with cProfile.Profile() if asked.profile else nullcontext() as profile:
            found = cluster(workers, asked.trials or TURNS * workers, asked.seconds, asked.by)
        rows.append(found.row())
        print(*rows[-1], sep=" · ", file=sys.stderr, flush=True)
        if isinstance(profile, cProfile.Profile):
            pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(30)
    print(table(HEAD, rows))


def cluster(workers: int, trials: int, seconds: float = SECONDS, by: str = "cpu") -> Found:
    """One search of so many trials, each of them `seconds` long give or take a tenth."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_world(folder, budget__trainings=9 * trials, search__trials_per_round=9 * trials, search__lag=LAG)
        inputs, out = read_inputs(load(path)), Path(folder) / "out"
        core, journal = open_study(inputs, out)
        jobs = job_maker(inputs, core.state, MachineSpec(runner="inline"), out)
        executor = VirtualExecutor(workers, lambda task: _takes(task, seconds), Answers(inputs), CLOCKS[by])
        core.record(SessionStarted(slots=workers, machine={}, pid=os.getpid()))
        marks = list[tuple[float, float]]()

        def over() -> bool:
            begun = len(executor.spans)
            if len(marks) < 2 and begun >= (trials if marks else workers):
                marks.append((executor.clock(), executor.thought))
            return len(marks) == 2

        with suppress(Interrupted):
            Driver(core, executor, jobs, NullTracker(), stop=over, clock=executor.clock).run()
        journal.close()
    (begin, before), (end, after) = marks
    busy = sum(max(0.0, min(b, end) - max(a, begin)) for a, b in executor.spans) / (workers * (end - begin))
    done = sum(begin < b < end for _, b in executor.spans)
    return Found(
        workers=workers,
        trials=trials,
        busy=busy,
        driver=(after - before) / (end - begin),
        each=(after - before) / max(done, 1),
        memory=psutil.Process().memory_info().rss,
    )


@final
class Answers:
    """Made-up outputs of trainings: of a few models, no two trainings of quite the same rows."""

    def __init__(self, inputs: Any, models: int = 16) -> None:
        rng = np.random.default_rng(3)
        sizes = {part: len(rows) for part, rows in inputs.table.targets.items()}
        self._known = [
            {part: rng.dirichlet(np.ones(CLASSES), rows) for part, rows in sizes.items()} for _ in range(models)
        ]

    def __call__(self, task: Task) -> Completion:
        assert isinstance(task, TrainTask)
        known = self._known[task.number % len(self._known)]
        outputs = {part.name: np.roll(known[part.name], task.number, axis=0) for part in task.predict}
        return Completion(number=task.number, attempt=task.attempt, status="done", outputs=outputs, train_seconds=1.0)


def _takes(task: Task, seconds: float) -> float:
    spread = np.random.default_rng(task.number).uniform(0.9, 1.1)
    return float(seconds * spread)


if __name__ == "__main__":
    main()
