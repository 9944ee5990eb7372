"""Runs a study from its spec to its result: the Python call behind `autodc run`."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from autodc.adapters.control import Control
from autodc.adapters.executors import open_executor
from autodc.adapters.executors.controlled import Controlled
from autodc.adapters.executors.prints import LOGS
from autodc.adapters.journal import JOURNAL, state_of
from autodc.adapters.mlflow.tracker import MlflowTracker, NullTracker
from autodc.adapters.notify import Notifier
from autodc.errors import AutodcError, SurroundingsError
from autodc.plan.mixture import BASE
from autodc.report import write_report
from autodc.report.picture_files import write_galleries
from autodc.report.requests import write_requests
from autodc.review.folding import folded
from autodc.review.result import result
from autodc.study import pace
from autodc.study.core import StudyCore
from autodc.study.driver import Driver, Progress
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.ports import Tracker
from autodc.study.refusals import refuse_second_opening
from autodc.studyfile.study import MachineSpec, StudySpec
from autodc.trial.executor import Executor
from autodc.verbs.notices import Notices
from autodc.verbs.outputs import RESULT, exhibits_of, has_page, open_result, stored, write_json, written
from autodc.verbs.releasing import releasing
from autodc.verbs.requested import Requested
from autodc.verbs.result import Result as Result
from autodc.verbs.session import begins
from autodc.verbs.summary import Summary
from autodc.wire.explored import measure_ahead
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.methods import baseline_tasks
from autodc.wire.study import job_maker, open_study, tidy
from autodc.wire.tracking import Tracking, tracking_of
from autodc.wire.workers import Workers

Array = np.ndarray[Any, Any]

TRACKING_SECONDS = 60.0
"""How long a finished study waits for a tracker in which nothing moves; what is late is sent by the next run."""

RAY_STARTS = "Ray takes 5 to 20 s, on a busy machine minutes"
"""What is said before it is started."""

Announce = Callable[[str], None]


def run(
    spec: StudySpec,
    machine: MachineSpec | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    until: float = math.inf,
    open_test: bool = False,
    force: bool = False,
    command: str = "",
    progress: Progress = lambda state: None,
    stage: Announce = lambda words: None,
    stop: Callable[[], bool] = lambda: False,
    notify: str | None = None,
) -> Result:
    """Run a study to its end, or go on where its folder stopped; a finished one whose file was extended goes on too.

    open_test: stop search and gate where they are and open the sealed test set now; force: though it was opened before;
    command: the command line, to be told as what goes on;
    out: left out: `runs/<name>` below the working directory; until: Unix time by which it is to be over; progress:
    told the state after every step; stage: told in words what happens before the first training; stop: asked between
    steps, True ends the turn with `study.driver.Interrupted`; notify: a program with its arguments, or an address, that
    is told of datasets that are kept and of the end (`verbs.notices`). Where the test set cannot be read at the end,
    result.json and report say what was decided, its error is raised, and the same call tries again.
    """
    machine = machine or MachineSpec()
    folder = _folder(spec, out)
    if open_test and (folder / JOURNAL).exists():
        state = state_of(folder)
        open_test = not _is_untold(state, folder)
        if open_test:
            refuse_second_opening(state, force)
    with (
        releasing(machine, folder, stage, stop),
        _notifier(notify, stage) as notifier,
        _workers(machine, folder, stage, stop) as workers,
    ):
        stage("reading the data")
        return _run(spec, machine, folder, workers, until, open_test, force, command, progress, stage, stop, notifier)


def _run(
    spec: StudySpec,
    machine: MachineSpec,
    folder: Path,
    workers: Workers,
    until: float,
    open_test: bool,
    force: bool,
    command: str,
    progress: Progress,
    stage: Announce,
    stop: Callable[[], bool],
    notifier: Notifier | None,
) -> Result:
    begun = time.monotonic()
    inputs = read_inputs(spec, folder, workers)
    reading = round(time.monotonic() - begun, 3)
    stage((tracking := tracking_of(spec)).text)
    known = [BASE, *(one.name for one in inputs.table.slices), *(one.name for one in spec.data.candidates)]
    for words in folded(inputs.warnings, known):
        stage(f"warning: {words}")
    study, journal = open_study(inputs, folder, lambda words: stage(f"warning: {words}"))
    notices = Notices(notifier, journal, folder, Requested(folder, exhibits_of(folder), progress, stage))
    keeper = Summary(journal, notices)
    try:
        if open_test:
            study.open_test(force)
        if arrived := study.take_up():
            stage(f"going on with what was delivered: {', '.join(arrived)}")
        tracker = _tracker(folder, tracking)
        unread = None
        if not study.finished:
            try:
                session = begins(inputs.spec.folder, machine, until, reading, command)
                _train(inputs, machine, folder, study, workers, tracker, session, keeper, stage, stop)
            except AutodcError as error:
                if study.state.unread is None:
                    raise
                unread = error
        content = result(study.state)
        keeper.write(study.state)
        before = stored(folder)
        fresh = {**before, "mlflow": None} != json.loads(json.dumps({**content, "mlflow": None}))
        if fresh:
            tidy(study, folder)
        if tracking.target is not None:
            stage("telling MLflow the rest")
        content["mlflow"] = before.get("mlflow")
        found = _hand_over(study.state, content, folder, tracker, fresh or not has_page(folder), stop)
        if unread is not None:
            raise unread
        notices.ended(study.state)
        return found
    except SurroundingsError as error:
        notices.blocked(study.state, error)
        raise
    finally:
        with suppress(AutodcError):  # what ended the run is told, not this
            keeper.write(study.state)
        journal.close()


def without_test(spec: StudySpec, out: str | os.PathLike[str] | None = None) -> Result | None:
    """What a study decided whose test set could not be read; None for any other folder."""
    folder = _folder(spec, out)
    if not (folder / JOURNAL).exists() or state_of(folder).unread is None:
        return None
    return Result(content=open_result(folder)[1], folder=folder)


def _is_untold(state: State, folder: Path) -> bool:
    """Whether the test set was opened and result.json does not say so: whoever opened it was ended, and goes on."""
    told = stored(folder).get("test")
    return bool(state.opened) and not (isinstance(told, dict) and told.get("opened") == len(state.opened))


def _folder(spec: StudySpec, out: str | os.PathLike[str] | None) -> Path:
    return Path(out if out is not None else Path("runs") / spec.name).absolute()


def _train(
    inputs: Inputs,
    machine: MachineSpec,
    folder: Path,
    study: StudyCore,
    workers: Workers,
    tracker: Tracker,
    session: Callable[[int], ev.SessionStarted],
    progress: Progress,
    stage: Announce,
    stop: Callable[[], bool],
) -> None:
    from autodc.wire.diagnosis import load_beside  # slow to import, and who reads a run needs none of it

    stage("putting the datasets in place")
    jobs = job_maker(inputs, study.state, machine, folder)
    tracker.follow()
    executor = workers.executor()
    try:
        begun = session(executor.slots)
        study.record(begun)
        measure_ahead(inputs, workers)
        control = Control(folder)
        control.begin()
        controlled = Controlled(executor, control, lambda **answer: study.record(ev.SlotsSet(**answer)))
        controlled.look()
        stage("training")
        Driver(
            study,
            controlled,
            jobs,
            tracker,
            retries=machine.retries,
            deadline=math.inf if begun.until is None else begun.until,
            because="until",
            seconds=pace.seconds_left(inputs.spec, study.state),
            progress=progress,
            stop=stop,
            begun=load_beside,
            baselines=baseline_tasks(inputs, jobs),
        ).run()
    finally:
        executor.close()


@contextmanager
def _notifier(target: str | None, say: Announce) -> Iterator[Notifier | None]:
    """Who tells what the study came to, if anybody is to be told; what is left is sent at the end."""
    if target is None:
        yield None
        return
    notifier = Notifier(target, say)
    try:
        yield notifier
    finally:
        notifier.close()


@contextmanager
def _workers(machine: MachineSpec, folder: Path, stage: Announce, stop: Callable[[], bool]) -> Iterator[Workers]:
    """The executor of a run, which measures what the study names before it trains.

    Where that ends with an error in a folder that was not there, nothing stays of it.
    """
    was_there = folder.exists()

    def started(calls: int) -> Executor:
        stage("starting the workers" if machine.runner == "inline" else f"starting the workers: {RAY_STARTS}")
        return open_executor(machine, log_folder=str(folder / LOGS), notice=stage, stop=stop)

    workers = Workers(started, folder / "work" / "measured", machine=machine, stop=stop)
    try:
        yield workers
    finally:
        workers.close()
        if not was_there and not (folder / JOURNAL).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _tracker(folder: Path, tracking: Tracking) -> Tracker:
    return NullTracker() if tracking.target is None else MlflowTracker(folder / JOURNAL, tracking.target)


def _hand_over(
    state: State, content: dict[str, Any], folder: Path, tracker: Tracker, fresh: bool, stop: Callable[[], bool]
) -> Result:
    """Write report and result, let the tracker catch up, and say where it is."""
    content["mlflow"] = _reference(tracker, content["mlflow"])
    if fresh:
        written(write_requests, state, folder, exhibits_of(folder))
        written(write_report, state, content, folder, exhibits_of(folder))
        written(write_galleries, state, folder, exhibits_of(folder))
        write_json(folder / RESULT, content)
    arrived = tracker.finish(TRACKING_SECONDS, stop)
    reference = _reference(tracker, content["mlflow"])
    if reference != content["mlflow"]:
        content["mlflow"] = reference
        write_json(folder / RESULT, content)
    late, refused = ("", tracker.complaint) if arrived else (tracker.complaint or "it gave no reason", "")
    return Result(content=content, folder=folder, untracked=late, refused=refused)


def _reference(tracker: Tracker, known: Mapping[str, str] | None) -> dict[str, str] | None:
    reference = tracker.reference or known
    return dict(reference) if reference else None
