"""How long slots wait for the next proposal when trainings are short, by `search.lag`.

    python -m benchmarks.ahead        # three minutes; writes benchmarks/results/ahead.md

A training sleeps for half to one and a half times the time it is said to take, so that what is measured is the driver
and the search, not the cores.
"""

from __future__ import annotations

import contextlib
import os
import platform
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

os.environ.setdefault("OMP_NUM_THREADS", "1")

from autodc.adapters.executors.harness import run_task
from autodc.adapters.executors.task_queue import TaskQueue
from autodc.adapters.mlflow.tracker import NullTracker
from autodc.plan.trial import Trial
from autodc.study.driver import Driver, Interrupted
from autodc.study.journal.events import SessionStarted
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.testing.worlds.cells import CANDIDATES, write_world
from autodc.trial.executor import Completion, TrainTask
from autodc.wire.inputs import read_inputs
from autodc.wire.study import job_maker, open_study
from benchmarks.tables import table

SLOTS = 2
SEARCH = 70
RESULTS = Path(__file__).resolve().parent / "results" / "ahead.md"
HEAD = f"""# Proposals ahead of the slots

`python -m benchmarks.ahead` on {os.cpu_count()} cores, Python {platform.python_version()}. Sampler mixture,
12 candidates, {SLOTS} slots, {SEARCH} trainings. Idle: share of the slots' time between the first and the
last training in which nothing trained. Lag 3 leaves no room for a spare job on each slot.

"""


class Sleeper:
    """Slots that sleep, then train for a millisecond in this process."""

    slots = SLOTS

    def __init__(self, seconds: float) -> None:
        self._seconds, self._queue = seconds, TaskQueue()
        self.submit, self.wait, self.cancel = self._queue.submit, self._queue.wait, self._queue.cancel
        self.spans: list[tuple[float, float]] = []
        self._threads = [threading.Thread(target=self._serve) for _ in range(SLOTS)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._queue.close()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while (job := self._queue.take(lambda job: None)) is not None:
            self._queue.report(job, self._train(job))

    def _train(self, job: TrainTask) -> Completion:
        began = time.time()
        time.sleep(self._seconds * np.random.default_rng(job.number).uniform(0.5, 1.5))
        done = run_task(job)
        self.spans.append((began, time.time()))
        return replace(done, started=began, ended=self.spans[-1][1])


def idle(seconds: float, lag: int) -> tuple[float, float]:
    """Share of slot time without a training, and mean milliseconds of an ask."""
    candidates = [{"name": f"c{i}", "source": f"data/{CANDIDATES[i % 4]}.npz"} for i in range(12)]
    with tempfile.TemporaryDirectory() as folder:
        changes = {"search__sampler": "mixture", "search__trials_per_round": SEARCH, "search__lag": lag}
        changes |= {"data__candidates": candidates, "budget__trainings": None, "loop__rounds": 1}
        inputs, out = read_inputs(load(write_world(folder, **changes))), Path(folder) / "out"
        core, journal = open_study(inputs, out)
        executor: Sleeper = Sleeper(seconds)
        asked: list[float] = []
        ask = core.ask

        def timed(n: int = 1) -> list[Trial]:
            began = time.perf_counter()
            found = ask(n)
            asked.extend([(time.perf_counter() - began) / len(found)] * len(found) if found else [])
            return found

        core.ask = timed
        core.record(SessionStarted(slots=SLOTS, machine={}, pid=os.getpid()))
        jobs = job_maker(inputs, core.state, MachineSpec(runner="inline"), out)
        with contextlib.suppress(Interrupted):
            Driver(core, executor, jobs, NullTracker(), stop=lambda: len(executor.spans) > SEARCH).run()
        executor.close()
        journal.close()
    spans = executor.spans[:SEARCH]
    wall = max(e for _, e in spans) - min(b for b, _ in spans)
    return 1 - sum(e - b for b, e in spans) / (SLOTS * wall), 1000 * float(np.mean(asked))


def main() -> None:
    rows = []
    for seconds in (0.15, 0.5):
        for lag in (3, 4, 6):
            share, ms = idle(seconds, lag)
            rows.append((seconds, lag, f"{share:.1%}", f"{ms:.0f}"))
    text = HEAD + table(("a training, s", "lag", "idle", "a proposal, ms"), rows)
    print(text)
    RESULTS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
