"""Makes a method from what a person names it by: a run, a model, an object, a program or `constant`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autodc.adapters.artefacts import open_part
from autodc.adapters.journal import JOURNAL, state_of
from autodc.adapters.trainers import make_trainer
from autodc.adapters.trainers.command import OWN_PYTHON
from autodc.adapters.trainers.command_checking import template_problems
from autodc.adapters.trainers.templates import JOB, is_program
from autodc.errors import InputError, SpecError, raise_all
from autodc.plugins import is_path, load_object, own_code
from autodc.trial.executor import MethodRef, TrainerRef
from autodc.trial.method import Method, RowMethod
from autodc.trial.outputs import CheckedMethod
from autodc.values import decoded, is_json

Array = np.ndarray[Any, Any]

CONSTANT = "constant"
PLACE = "method"
REMOTE = ("models:/", "runs:/", "mlflow-artifacts:/")
FORMS = (
    "a run folder, a model folder, path/to/file.py:Object, a program with {job} or {predict} among its arguments, "
    "or constant"
)


def make_method(ref: MethodRef) -> CheckedMethod:
    """Make the method; what it gives back is checked.

    Raises InputError where the name leads nowhere, TrainerError for a model that is damaged.
    """
    return CheckedMethod(_made(ref), ref.name, ref.row_shape)


def _made(ref: MethodRef) -> Method:
    name = ref.name
    if name == CONSTANT:
        return _constant(ref)
    if name.startswith(REMOTE):
        hint = "download the model's folder (mlflow artifacts download) and name that"
        raise InputError("ADC-METHOD-002", "models of MLflow cannot be read by URI yet", PLACE, name, hint)
    if is_program(name):
        return _program(shlex.split(name), ref)
    path = Path(ref.folder) / name
    if (path / JOURNAL).is_file():
        return _run(path, ref)
    if path.is_dir():
        return _model(path / "model" if (path / "model").is_dir() else path, ref)
    if path.is_file():
        return _program([OWN_PYTHON, str(path), JOB] if path.suffix == ".py" else [str(path), JOB], ref)
    if is_path(name):
        return _object(ref)
    raise InputError("ADC-METHOD-003", "there is no such method", PLACE, name, f"name {FORMS}")


def _constant(ref: MethodRef) -> Method:
    """The shares of the classes in the base, so that the majority class is predicted; the mean; the commonest value."""
    if ref.base is None or (y := open_part(ref.base.path)[1]) is None:
        raise InputError("ADC-METHOD-004", "`constant` needs the targets of the base", PLACE, CONSTANT)
    if ref.kind == "classification":
        row = np.bincount(np.asarray(y).astype(int), minlength=(ref.row_shape or (0,))[0]) / max(len(y), 1)
    elif is_json(y):
        said, counts = np.unique(np.asarray(y), return_counts=True)
        (common,) = decoded(said[[counts.argmax()]])
        return RowMethod(lambda x: [common] * len(x))
    else:
        row = np.asarray(y, dtype=float).mean(axis=0)
        row = row if ref.row_shape is None else row.reshape(ref.row_shape)
    return RowMethod(lambda x: np.broadcast_to(row, (len(x), *row.shape)))


def _run(folder: Path, ref: MethodRef) -> Method:
    """The model of a run's incumbent, read by the trainer of that run."""
    state = state_of(folder)
    model = folder / "models" / "incumbent"
    if not model.is_dir():
        hint = "a run hands its model over when it is done: let it finish"
        raise InputError("ADC-METHOD-005", "this run has no model of its incumbent", PLACE, str(folder), hint)
    task = state.question.spec["task"]
    theirs = TrainerRef(name=task["trainer"], options=task["options"], folder=ref.folder)
    return make_trainer(theirs).method(model)


def _model(folder: Path, ref: MethodRef) -> Method:
    """A model that a trainer saved: one of ours knows its own, anything else is the study's trainer's."""
    name = _saved_by(folder)
    if name is not None:
        return make_trainer(TrainerRef(name=name, options={}, folder=ref.folder)).method(folder)
    if ref.trainer is None:
        hint = "name the run folder it came from, or a study with its trainer"
        raise InputError("ADC-METHOD-006", "no trainer of ours saved this model", PLACE, str(folder), hint)
    return make_trainer(ref.trainer).method(folder)


def _saved_by(folder: Path) -> str | None:
    """Which of our trainers saved a model, by the files that are there."""
    if (folder / "model.joblib").is_file():
        return "sklearn"
    if not (folder / "weights.pt").is_file():
        return None
    try:
        facts: Mapping[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "torch_tabular"  # which says what is wrong with the folder
    return "torch_image" if "network" in facts else "torch_tabular"


def _program(argv: list[str], ref: MethodRef) -> Method:
    """A program under the contract of the trainer `command`, given nothing to train on."""
    raise_all(template_problems(argv, (), PLACE))
    return make_trainer(TrainerRef(name="command", options={"argv": argv}, folder=ref.folder)).method(None)


def _object(ref: MethodRef) -> Method:
    """An object with `predict(x)`; a class is called without arguments."""
    found = load_object(ref.name, ref.folder, PLACE)
    if isinstance(found, type):
        with own_code(lambda got: SpecError("ADC-METHOD-007", f"{ref.name} fails when it is called", PLACE, got)):
            found = found()
    if not callable(getattr(found, "predict", None)):
        got = f"{ref.name}: {type(found).__name__}"
        raise SpecError("ADC-METHOD-008", "a method has a function `predict(x)`", PLACE, got)
    return RowMethod(found.predict)
