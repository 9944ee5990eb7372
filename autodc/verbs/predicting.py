"""What a model predicts of the held-out rows of a study, outside its loop: the start trained once, or any method."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.executors import open_executor
from autodc.adapters.mlflow_tracker import NullTracker
from autodc.errors import InputError
from autodc.evaluation.slices import held_parts
from autodc.plan.mixture import BASE
from autodc.plugins import is_path
from autodc.study.driver import TICK, Driver, Interrupted
from autodc.study.journal.events import SessionStarted
from autodc.studyfile.study import MachineSpec, Recipe
from autodc.trial.executor import MethodRef, PredictTask, StoredPart, TrainerRef
from autodc.verbs.calibration import start_only
from autodc.wire.inputs import Inputs
from autodc.wire.study import job_maker, open_study

Array = np.ndarray[Any, Any]
Outputs = Mapping[str, Array]
KEEPING: tuple[Recipe, ...] = ("concat", "continue")
"""Where a training may be gone on from, its model is kept."""
START = Path("models") / "trial-0"
"""Below the folder of `trained_once`: the model."""
QUICK = MachineSpec(runner="inline")
"""One training, in a child of this process: a cluster takes longer to start."""


def trained_once(
    inputs: Inputs, machine: MachineSpec | None, folder: Path, stop: Callable[[], bool] = lambda: False
) -> Outputs:
    """Train the start of a study once and return part → what it predicts, row order.

    folder: gets what a training leaves, the model below START, the caller's to remove. Raises InputError ADC-DIAG-011
    where it cannot be trained, study.driver.Interrupted when `stop` says so.
    """
    asked, machine = start_only(inputs), machine or QUICK
    asked = replace(asked, spec=asked.spec.model_copy(update={"recipes": KEEPING}))
    core, journal = open_study(asked, folder)
    try:
        jobs = job_maker(asked, core.state, machine, folder)
        executor = open_executor(machine, stop=stop)
        try:
            core.record(SessionStarted(slots=executor.slots, machine=machine.model_dump(mode="json"), pid=os.getpid()))
            Driver(core, executor, jobs, NullTracker(), retries=machine.retries, stop=stop, first=1).run()
        finally:
            executor.close()
        outcome = core.state.trials[0].outcome
        found = core.outputs(asked.start)
    finally:
        journal.close()
    if found is None:
        why = "" if outcome is None else outcome.error
        hint = "mend the trainer or the search space; it is trained at the centre of the space"
        raise InputError("ADC-DIAG-011", "the model the study begins with cannot be trained", "task", why, hint)
    return found


def predicted(inputs: Inputs, method: str, folder: Path, stop: Callable[[], bool] = lambda: False) -> Outputs:
    """Let a method predict the held-out rows of a study: part → row order.

    method: a METHOD as a person writes it, paths from here or from the study file's folder; folder: for scratch, the
    caller's to remove. Raises InputError ADC-DIAG-012 where it fails.
    """
    catalogue, store = inputs.catalogue, ArtefactStore(folder / "data")
    held = held_parts(catalogue)
    parts = {name: StoredPart(name=name, path=str(store.put_dataset(d, inputs_only=True))) for name, d in held.items()}
    task = PredictTask(
        number=0,
        attempt=0,
        out=str(folder / "out"),
        method=method_ref(inputs, method, store),
        parts=tuple(parts.values()),
    )
    executor = open_executor(QUICK)
    try:
        executor.submit(task)
        while not (ended := executor.wait(TICK)):
            if stop():
                raise Interrupted
    finally:
        executor.close()
    done = ended[0]
    if done.status != "done":
        hint = "a method predicts every row of validation from its inputs alone"
        got = f"{method}: {done.error or done.status}"
        raise InputError("ADC-DIAG-012", "this method cannot be diagnosed: it does not predict", "--method", got, hint)
    return done.outputs


def method_ref(inputs: Inputs, method: str, store: ArtefactStore) -> MethodRef:
    """A METHOD as a person writes it, for a study. store: gets the base, which `constant` learns from."""
    spec = inputs.spec
    return MethodRef(
        name=_from_here(method),
        folder=spec.folder,
        kind=spec.task.kind,
        row_shape=_row_shape(inputs),
        trainer=TrainerRef(name=spec.task.trainer, options=spec.task.options, folder=spec.folder),
        base=StoredPart(name=BASE, path=str(store.put_dataset(inputs.catalogue.base))),
    )


def _row_shape(inputs: Inputs) -> tuple[int, ...] | None:
    """Shape of the outputs of one row."""
    catalogue = inputs.catalogue
    if catalogue.classes is not None:
        return (len(catalogue.classes),)
    return None if inputs.spec.task.kind == "custom" else np.asarray(catalogue.base.y).shape[1:]


def _from_here(method: str) -> str:
    """A path that leads somewhere from the working directory, as an absolute one; all else as it is."""
    if Path(method).exists():
        return str(Path(method).absolute())
    path, colon, name = method.rpartition(":")
    return f"{Path(path).absolute()}{colon}{name}" if is_path(method) and path and Path(path).is_file() else method
