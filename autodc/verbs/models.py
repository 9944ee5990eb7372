"""What a model predicts of the held-out rows of a study, outside its loop: the start trained once, or any method."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autodc.adapters.executors import open_executor
from autodc.adapters.mlflow.tracker import NullTracker
from autodc.errors import InputError
from autodc.evaluation.slices import held_parts
from autodc.study.driver import Driver
from autodc.study.journal.events import SessionStarted
from autodc.studyfile.study import MachineSpec, Recipe
from autodc.verbs.calibration import start_only
from autodc.verbs.predicting import predicting
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


def predicted(inputs: Inputs, method: str) -> Outputs:
    """Let a method predict the held-out rows of a study: part → row order.

    method: a METHOD as a person writes it, paths from here or from the study file's folder. Raises InputError
    ADC-DIAG-012 where it fails.
    """
    try:
        with predicting(inputs.spec, inputs.catalogue, method) as predictor:
            return {name: predictor.predict(data) for name, data in held_parts(inputs.catalogue).items()}
    except InputError as error:
        hint = "a method predicts every row of validation from its inputs alone"
        problem = "this method cannot be diagnosed: it does not predict"
        raise InputError("ADC-DIAG-012", problem, "--method", f"{method}: {error.got or error}", hint) from error
