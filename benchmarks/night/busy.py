"""How busy the cores are over whole studies, calibration, rounds, gate and last measurement included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

from autodc.adapters.executors.inline import InlineExecutor
from autodc.adapters.journal import state_of
from autodc.adapters.mlflow.tracker import NullTracker
from autodc.study.driver import Driver
from autodc.study.journal.events import SessionStarted
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.testing.virtual import VirtualExecutor
from autodc.testing.worlds.cells import write_world
from autodc.trial.executor import Completion, Task, TrainTask
from autodc.wire.inputs import read_inputs
from autodc.wire.study import job_maker, open_study
from benchmarks.night.paced import length
from benchmarks.night.part import Figures, Part

SLOTS = 2
COMMAND = [sys.executable, "-c", "import sys; sys.argv[0] = 'autodc'; from autodc.cli.main import main; main()"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """How long its trainings are, between these, and how many of them the budget pays."""

    low: float
    high: float
    trainings: int
    goal: str


NIGHTS = {
    "0.5 s": Night(low=0.5, high=0.5, trainings=240, goal="94%"),
    "5 s": Night(low=5.0, high=5.0, trainings=200, goal="98%"),
    "0.2 to 5 s": Night(low=0.2, high=5.0, trainings=200, goal="95%"),
}
QUICK = 30


def ours(night: Night, runner: str, quick: bool) -> Figures:
    """The command, from its first word to its last."""
    trainings = QUICK if quick else night.trainings
    with tempfile.TemporaryDirectory() as folder:
        options = {"low": night.low, "high": night.high}
        study = _study(folder, "benchmarks.night.paced:Paced", options, trainings, tracking__uri="sqlite:///mlflow.db")
        machine, out = Path(folder) / "machine.yaml", Path(folder) / "out"
        machine.write_text(f"runner: {runner}\nmax_concurrent: {SLOTS}\n")
        words = ["run", str(study), "--machine", str(machine), "--out", str(out), "--json"]
        begun = time.time()
        done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        state, content = state_of(out), json.loads(done.stdout)
    trials = [(t.trial.seed, t.outcome) for t in state.trials if t.outcome is not None]
    spans = [(one.started, one.ended) for _, one in trials]
    cpu = sum(length(seed, night.low, night.high) for seed, _ in trials)
    told = content["spent"]["busy_share"]
    return _figures(begun, spans, cpu, f"{told:.1%}", night)


def loop_alone(night: Night, quick: bool) -> Figures:
    """The same study in virtual time, in which nobody else uses the machine: what the loop itself leaves idle."""
    trainings = QUICK if quick else night.trainings
    with tempfile.TemporaryDirectory() as folder:
        study = _study(folder, "autodc.testing.worlds.cells:CellTrainer", {}, trainings)
        inputs, out = read_inputs(load(study)), Path(folder) / "out"
        core, journal = open_study(inputs, out)
        jobs = job_maker(inputs, core.state, MachineSpec(runner="inline"), out)
        inline = InlineExecutor()

        def answer(task: Task) -> Completion:
            inline.submit(task)
            return inline.wait()[0]

        executor = VirtualExecutor(SLOTS, lambda task: _seconds(task, night), answer, time.process_time)
        core.record(SessionStarted(slots=SLOTS, machine={}, pid=os.getpid()))
        Driver(core, executor, jobs, NullTracker(), clock=executor.clock).run()
        journal.close()
    first, last = executor.spans[0][0], max(b for _, b in executor.spans)
    return {
        "trainings": str(len(executor.spans)),
        "slots busy": f"{executor.busy():.1%}",
        "goal": night.goal,
        "whole, s": f"{last - first:.0f}",
        "of it the driver, CPU s": f"{executor.thought:.1f}",
    }


def by_hand(night: Night, quick: bool) -> Figures:
    """Ray Tune with OptunaSearch and the MLflow callback, as their documentation has it."""
    trainings = QUICK if quick else night.trainings
    with tempfile.TemporaryDirectory() as folder:
        words = [str(trainings), str(night.low), str(night.high), folder]
        begun = time.time()
        script = [sys.executable, "-m", "benchmarks.night.by_hand", *words]
        done = subprocess.run(script, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        found = json.loads(done.stdout.strip().splitlines()[-1])
    return _figures(begun, [tuple(span) for span in found["spans"]], found["cpu"], "", night)


def _study(folder: str, trainer: str, options: dict[str, float], trainings: int, **further: Any) -> Path:
    return write_world(
        folder,
        task__trainer=trainer,
        task__options=options,
        budget__trainings=trainings,
        search__trials_per_round=trainings,
        search__sampler="mixture",
        search__lag=4,
        **further,
    )


def _seconds(task: Task, night: Night) -> float:
    assert isinstance(task, TrainTask)
    return length(task.seed, night.low, night.high)


def _figures(begun: float, spans: list[tuple[float, float]], cpu: float, told: str, night: Night) -> Figures:
    first, last = min(a for a, _ in spans), max(b for _, b in spans)
    wall = SLOTS * (last - first)
    return {
        "trainings": str(len(spans)),
        "slots busy": f"{sum(b - a for a, b in spans) / wall:.1%}",
        "as `result.json` says": told,
        "of it CPU of trainings": f"{cpu / wall:.1%}",
        "goal": night.goal,
        "first training after, s": f"{first - begun:.1f}",
        "whole, s": f"{last - first:.0f}",
    }


PART = Part(
    title="Busy cores",
    words=(
        "A whole study of the small world (four candidates, two settings, two rounds, sampler `mixture`, MLflow in "
        "SQLite) on two slots, from its first training to its last: calibration, search, gate and last measurement. "
        "A training keeps a core busy for as many seconds of CPU as the line says, so that what the driver, Ray and "
        "MLflow take shows in the column of CPU. In virtual time: real loop, journal and stores, trainings on a "
        "clock of their own, which goes on with the driver's CPU too: what other programs disturb least. By hand: "
        "`benchmarks/night/by_hand.py`, a search alone, without gate or rounds. Goal of start-up: 10 s, quiet."
    ),
    cases={
        f"{name}: {wiring}": case
        for name, night in NIGHTS.items()
        for wiring, case in (
            ("`autodc run`, actors", partial(ours, night, "actors")),
            ("`autodc run`, Ray Tune", partial(ours, night, "ray")),
            ("the loop alone, in virtual time", partial(loop_alone, night)),
            ("Ray Tune, OptunaSearch, MLflow callback by hand", partial(by_hand, night)),
        )
    },
)
