"""The driver beside a journal of 1,000 and of 100,000 trainings: CPU a trial, seconds to open it, memory."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil

from autodc.adapters.mlflow.tracker import NullTracker
from autodc.plan.trial import Outcome
from autodc.study.core import StudyCore
from autodc.study.driver import Driver, Interrupted
from autodc.study.journal.events import SessionStarted, TrialFinished, TrialPlanned
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.testing.virtual import VirtualExecutor
from autodc.testing.worlds.cells import write_world
from autodc.verbs.summary import Summary
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.study import job_maker, open_study
from benchmarks.controller import grow
from benchmarks.night.part import Figures, Part
from benchmarks.virtual_cluster import Answers

SIZES = {1_000: "5 ms", 100_000: "6 ms"}
QUICK = 2_000
NEXT = 400
"""Trainings that are then gone through."""
FIRST = 16
"""Among so many all that is worked out once after a resume is asked for."""
ASKED = 200
"""Plans that the journal repeats: what the search thinks is measured apart."""
AT_ONCE = 500
KEPT = Path(__file__).resolve().parents[2] / "build" / "night"
"""Journals stay here: to make one of 200,000 events takes minutes."""


def driver(size: int, quick: bool) -> Figures:
    """Open a journal of so many trainings, and go through some more."""
    size = min(size, QUICK) if quick else size
    folder = KEPT / f"journal-{size}"
    inputs = _made(folder, size)
    wall, cpu = time.perf_counter(), time.process_time()
    core, journal = open_study(inputs, folder / "out")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    jobs = job_maker(inputs, core.state, MachineSpec(runner="inline"), folder / "out")
    executor = VirtualExecutor(2, lambda task: 1.0, Answers(inputs), time.process_time)
    core.record(SessionStarted(slots=2, machine={}, pid=os.getpid()))
    progress = Summary(journal, lambda state: None)
    end, marks = len(core.state.trials) + NEXT, list[float]()

    def over() -> bool:
        if not marks and len(executor.spans) >= FIRST:
            marks.append(executor.thought)
        return len(core.state.trials) >= end

    with suppress(Interrupted):
        Driver(
            core,
            executor,
            jobs,
            NullTracker(),
            progress=progress,
            stop=over,
            clock=executor.clock,
        ).run()
    first = marks[0]
    each = (executor.thought - first) / (NEXT - FIRST)
    journal.close()
    return {
        "driver, CPU ms a trial": f"{1e3 * each:.2f}",
        "goal": SIZES.get(size, ""),
        "opened in, s": f"{wall:.2f}",
        "of it CPU, s": f"{cpu:.2f}",
        f"then its first {FIRST} trials, CPU s": f"{first:.2f}",
        "memory, MB": f"{psutil.Process().memory_info().rss / 1e6:.0f}",
        "journal, MB": f"{(folder / 'out' / 'journal.sqlite').stat().st_size / 1e6:.0f}",
    }


def _made(folder: Path, size: int) -> Inputs:
    """The study over a journal of so many trainings; what is there already is gone on from."""
    most = 9 * max(SIZES)
    inputs = read_inputs(load(write_world(folder, budget__trainings=most, search__trials_per_round=most)))
    core, journal = open_study(inputs, folder / "out")
    if len(core.state.trials) < size:
        core.record(SessionStarted(slots=2, machine={}, pid=os.getpid()))
        grow(core, max(0, ASKED - len(core.state.trials)))
        while (known := len(core.state.trials)) < size:
            _repeat(core, min(AT_ONCE, size - known))
    journal.close()
    return inputs


def _repeat(core: StudyCore, count: int) -> None:
    """Journal the trainings of the search again, with numbers and seeds of their own."""
    events = list[TrialPlanned | TrialFinished]()
    searched = [one for one in core.state.trials[:ASKED] if one.trial.phase == "search"]
    for number in range(len(core.state.trials), len(core.state.trials) + count):
        like = searched[number % len(searched)]
        trial = replace(like.trial, number=number, seed=number)
        planned = TrialPlanned(trial=trial.to_dict(), round=like.round, horizon=number - 1, origin=like.origin)
        values = {"overall": 0.5 + 0.001 * (number % 7), "bright": 0.6, "dark": 0.4 + 0.001 * (number % 11)}
        told = Outcome(status="done", slices=values, soft=values, arrays="a" * 64, ended=core.state.sessions[0].started)
        events += [planned, TrialFinished(number=number, outcome=told.to_dict())]
    core.record(*events)


PART = Part(
    title="A long journal",
    words=(
        "The study is opened as the command opens it and goes through 400 more trainings with everything durable: "
        "random sampler, outcomes of 600 rows scored and stored, journal synced, summary kept; the trainings "
        "themselves take no time of this process. Goals: opened in 5 s, memory at most 1 GiB (1,074 MB)."
    ),
    cases={f"{size:,} trainings": partial(driver, size) for size in SIZES},
)
