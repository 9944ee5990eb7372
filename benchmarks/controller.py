"""What autodc itself costs: controller CPU a trial as a study grows, and the time to start.

    python benchmarks/controller.py            # 500, 1,000 and 2,000 trials; writes benchmarks/results/controller.md
    python benchmarks/controller.py 500        # these sizes; writes nothing

Controller CPU is the CPU time of the whole process less that of the trainings, everything durable included: the journal
and the outcomes on disk. Trainings run inside the process (runner inline) and take about a millisecond.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from autodc.adapters.executors.inline import InlineExecutor
from autodc.adapters.mlflow.tracker import NullTracker
from autodc.plan.trial import Outcome
from autodc.study.core import StudyCore
from autodc.study.driver import Driver
from autodc.study.journal.events import SessionStarted
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.testing.worlds.cells import write_world
from autodc.trial.executor import Completion
from autodc.verbs.summary import Summary
from autodc.wire.inputs import read_inputs
from autodc.wire.study import job_maker, open_study

SIZES = (500, 1000, 2000)
RESULTS = Path(__file__).resolve().parent / "results" / "controller.md"
STARTS = {
    "import autodc": [sys.executable, "-c", "import autodc"],
    "autodc --help": [str(Path(sys.executable).with_name("autodc")), "--help"],
}
LIMITS = {"import autodc": 0.3, "autodc --help": 0.6}
REPEATS = 5

GROWN = (500, 5_000, 50_000)
"""Trainings in the journal when the next ones are asked for, told, and the study's status is read."""
NEXT = 200

REST = 40
"""About so many trials of a study of two rounds are not of the search."""


def main() -> None:
    sizes = tuple(int(word) for word in sys.argv[1:]) or SIZES
    grown = GROWN if sizes == SIZES else ()
    text = "\n".join([*head(), *controller(sizes), "", *journal(grown), "", *starts()])
    print(text)
    if sizes == SIZES:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text + "\n")


def head() -> Iterator[str]:
    yield "# The controller\n"
    yield f"`python benchmarks/controller.py` on {os.cpu_count()} cores, Python {platform.python_version()}.\n"


def controller(sizes: tuple[int, ...]) -> Iterator[str]:
    yield "Sampler random, two rounds, runner inline. Goal: below 5 ms a trial, no growth with the number of trials."
    yield "Each study pays for two recommendations, whose cost does not depend on its size beyond some hundred trials;"
    yield "the column of the further trial leaves them out.\n"
    yield "| trials | controller CPU, s | a trial, ms | a further trial, ms | training CPU, s | wall, s |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: |"
    study(REST * 2)  # what is loaded once is loaded here
    last: tuple[int, float] | None = None
    for size in sizes:
        trials, own, training, wall = study(size)
        further = f"{1000 * (own - last[1]) / (trials - last[0]):.2f}" if last else ""
        yield f"| {trials} | {own:.2f} | {1000 * own / trials:.2f} | {further} | {training:.2f} | {wall:.1f} |"
        last = trials, own


def journal(sizes: tuple[int, ...]) -> Iterator[str]:
    """What asking and telling the next trainings, and `autodc status`, take beside a journal of so many."""
    if not sizes:
        return
    yield "One journal that grows, sampler random: `ask` and `tell` of the next trainings, outcomes made up. Goal: 4 ms"
    yield "at most, flat within a quarter; `autodc status`, the start of its process included, 0.5 s.\n"
    yield "| trainings in the journal | `ask` and `tell`, CPU ms | `autodc status`, CPU s |"
    yield "| ---: | ---: | ---: |"
    with tempfile.TemporaryDirectory() as folder:
        path = write_world(folder, budget__trainings=9 * sizes[-1], search__trials_per_round=9 * sizes[-1])
        out = Path(folder) / "out"
        core, file = open_study(read_inputs(load(path)), out)
        core.record(SessionStarted(slots=2, machine={}, pid=os.getpid()))
        for size in sizes:
            grow(core, size - len(core.state.trials))
            cpu = time.process_time()
            grow(core, NEXT)
            each = (time.process_time() - cpu) / NEXT
            Summary(file, lambda state: None).write(core.state)
            before = os.times()
            subprocess.run([STARTS["autodc --help"][0], "status", str(out)], check=True, stdout=subprocess.DEVNULL)
            after = os.times()
            status = after.children_user + after.children_system - before.children_user - before.children_system
            yield f"| {size:,} | {1000 * each:.2f} | {status:.2f} |"
        file.close()


def grow(core: StudyCore, count: int) -> None:
    """Ask for so many trainings, and tell that they came out somehow."""
    for _ in range(count):
        (trial,) = core.ask(1)
        values = {"overall": 0.5 + 0.001 * (trial.number % 7), "bright": 0.6, "dark": 0.4 + 0.001 * (trial.number % 11)}
        core.tell(trial, Outcome(status="done", slices=values, soft=values, arrays="a" * 64, ended=trial.number + 1.0))


class Timed:
    """An inline executor that knows the CPU time of its trainings."""

    slots = 1

    def __init__(self) -> None:
        self._inner, self.seconds = InlineExecutor(), 0.0
        self.submit, self.cancel, self.close = self._inner.submit, self._inner.cancel, self._inner.close

    def wait(self, timeout: float | None = None) -> list[Completion]:
        begun = time.process_time()
        done = self._inner.wait(timeout)
        self.seconds += time.process_time() - begun
        return done


def study(size: int) -> tuple[int, float, float, float]:
    """Trials, controller CPU, training CPU and wall seconds of one study."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_world(folder, budget__trainings=None, search__trials_per_round=(size - REST) // 2)
        inputs, out, executor = read_inputs(load(path)), Path(folder) / "out", Timed()
        core, journal = open_study(inputs, out)
        jobs = job_maker(inputs, core.state, MachineSpec(runner="inline"), out)
        core.record(SessionStarted(slots=1, machine={}, pid=os.getpid()))
        begun, cpu = time.perf_counter(), time.process_time()
        Driver(core, executor, jobs, NullTracker()).run()
        wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
        journal.close()
    return len(core.state.trials), cpu - executor.seconds, executor.seconds, wall


def starts() -> Iterator[str]:
    yield "| start | best of five, s | goal, s |"
    yield "| --- | ---: | ---: |"
    for name, words in STARTS.items():
        yield f"| {name} | {min(started(words) for _ in range(REPEATS)):.3f} | {LIMITS[name]} |"


def started(words: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
