"""Runs a study from its spec to its result: the Python call behind `autodc run`."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, final

from autodc.adapters.executors import open_executor
from autodc.adapters.journal import open_for_reading
from autodc.adapters.mlflow_tracker import MlflowTracker, NullTracker, absolute_uri
from autodc.build.wire import JOURNAL, Inputs, job_maker, open_study, read_inputs, tidy
from autodc.errors import InputError
from autodc.report import write_report
from autodc.spec.study import MachineSpec, StudySpec
from autodc.study import direction
from autodc.study import events as ev
from autodc.study.core import StudyCore, refuse_second_opening
from autodc.study.driver import Driver, Progress
from autodc.study.ports import Tracker
from autodc.study.result import result
from autodc.study.state import State, fold
from autodc.trial.executor import Executor

RESULT = "result.json"
REPORT = Path("report") / "index.html"

TRACKING_SECONDS = 60.0
"""How long a finished study waits for the tracker to catch up; what is late is sent by the next run."""

Stage = Callable[[str], None]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a study came to. folder: where journal, models and report lie; untracked: why MLflow is late, or empty."""

    content: Mapping[str, Any]
    folder: Path
    untracked: str = ""

    @property
    def kept(self) -> tuple[str, ...]:
        """Datasets that truly improve the slices."""
        return tuple(self.content["kept"])

    @property
    def dropped(self) -> tuple[str, ...]:
        """Datasets shown useless or harmful."""
        return tuple(self.content["dropped"])

    @property
    def undecided(self) -> tuple[str, ...]:
        """Datasets of which the evidence cannot tell."""
        return tuple(self.content["undecided"])

    def to_dict(self) -> dict[str, Any]:
        """The content of result.json."""
        return dict(self.content)


def run(
    spec: StudySpec,
    machine: MachineSpec | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    until: float = math.inf,
    open_test: bool = False,
    force: bool = False,
    progress: Progress = lambda state: None,
    stage: Stage = lambda words: None,
    stop: Callable[[], bool] = lambda: False,
) -> Result:
    """Run a study to its end, or go on where its folder stopped; a finished one whose file was extended goes on too.

    open_test: stop search and gate where they are and open the sealed test set now; force: though it was opened before;
    out: left out: `runs/<name>` below the working directory; until: Unix time by which it is to be over; progress:
    told the state after every step; stage: told in words what happens before the first training; stop: asked between
    steps, True ends the turn with `study.driver.Interrupted`.
    """
    machine = machine or MachineSpec()
    folder = Path(out if out is not None else Path("runs") / spec.name).absolute()
    if open_test and (folder / JOURNAL).exists():
        refuse_second_opening(_read(folder), force)
    stage("reading the data")
    inputs = read_inputs(spec, folder)
    study, journal = open_study(inputs, folder)
    try:
        if open_test:
            study.open_test(force)
        tracker = _tracker(spec, folder)
        if not study.finished:
            _train(inputs, machine, folder, study, tracker, until, progress, stage, stop)
        content = study.result()
        fresh = _stored(folder) != json.loads(json.dumps({**content, "mlflow": None}))
        if fresh:
            tidy(study, folder)
        return _hand_over(study.state, content, folder, tracker, fresh=fresh)
    finally:
        journal.close()


def open_result(folder: str | os.PathLike[str]) -> tuple[State, dict[str, Any]]:
    """Read a study folder, also while it runs: its state, and its result so far. Raises InputError where none is."""
    path = Path(folder)
    if not (path / JOURNAL).exists():
        raise InputError(
            "ADC-RUN-005", "there is no study in this folder", str(path), "no journal.sqlite", "name a --out"
        )
    state = _read(path)
    if words := direction.guessed(state):  # not in the journal: readers are to see it beside the other warnings
        state.started = replace(state.question, warnings=(*state.question.warnings, words))
    content = result(state, partial(direction.natural, state))
    stored = path / RESULT
    if stored.exists():
        content["mlflow"] = json.loads(stored.read_text())["mlflow"]
    return state, content


def _read(folder: Path) -> State:
    """The state of the study in a folder, from its journal alone."""
    journal = open_for_reading(folder / JOURNAL)
    try:
        return fold(event for _, event in journal.read())
    finally:
        journal.close()


def _train(
    inputs: Inputs,
    machine: MachineSpec,
    folder: Path,
    study: StudyCore,
    tracker: Tracker,
    until: float,
    progress: Progress,
    stage: Stage,
    stop: Callable[[], bool],
) -> None:
    stage("putting the datasets in place")
    jobs = job_maker(inputs, machine, folder)
    stage("starting the workers")
    tracker.follow()
    executor: Executor = open_executor(machine, log_folder=str(folder / "work" / "logs"))
    try:
        study.record(ev.SessionStarted(slots=executor.slots, machine=machine.model_dump(mode="json"), pid=os.getpid()))
        deadline, because = _deadline(inputs.spec, study.state, until)
        stage("training")
        Driver(
            study,
            executor,
            jobs,
            tracker,
            retries=machine.retries,
            deadline=deadline,
            because=because,
            progress=progress,
            stop=stop,
        ).run()
    finally:
        executor.close()


def _deadline(spec: StudySpec, state: State, until: float) -> tuple[float, str]:
    """Unix time by which the study is to be over, and which limit says so; earlier sessions count."""
    if spec.budget.wall_clock is None:
        return until, "until"
    used = sum(s.ended - s.started for s in state.sessions[:-1])
    end = time.time() + spec.budget.wall_clock - used
    return (until, "until") if until < end else (end, "budget.wall_clock")


def _tracker(spec: StudySpec, folder: Path) -> Tracker:
    if spec.tracking.uri == "none":
        return NullTracker()
    uri = absolute_uri(spec.tracking.uri, spec.folder)
    return MlflowTracker(
        folder / JOURNAL, uri, spec.tracking.experiment or spec.name, [folder / REPORT, folder / RESULT]
    )


def _hand_over(state: State, content: dict[str, Any], folder: Path, tracker: Tracker, fresh: bool) -> Result:
    """Write report and result, let the tracker catch up, and say where it is."""
    path = folder / RESULT
    content["mlflow"] = _reference(tracker, json.loads(path.read_text())["mlflow"] if path.exists() else None)
    if fresh:
        write_report(state, content, folder)
        _write(path, content)
    arrived = tracker.finish(TRACKING_SECONDS)
    reference = _reference(tracker, content["mlflow"])
    if reference != content["mlflow"]:
        content["mlflow"] = reference
        _write(path, content)
    return Result(content=content, folder=folder, untracked="" if arrived else tracker.complaint or "it is slow")


def _stored(folder: Path) -> dict[str, Any] | None:
    """What result.json holds but for where MLflow is; None where there is none."""
    path = folder / RESULT
    return {**json.loads(path.read_text()), "mlflow": None} if path.exists() else None


def _reference(tracker: Tracker, known: Mapping[str, str] | None) -> dict[str, str] | None:
    reference = tracker.reference or known
    return dict(reference) if reference else None


def _write(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(temporary, path)
