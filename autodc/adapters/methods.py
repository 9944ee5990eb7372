"""Makes a method from what a person names it by: a run, a model, an object, a program or a simple method of ours."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autodc.adapters.artefacts import open_part
from autodc.adapters.journal import JOURNAL, state_of
from autodc.adapters.mlflow import fetched_model
from autodc.adapters.simple_methods import (
    CONSTANT,
    LINEAR,
    MEDIAN,
    SIMPLE,
    constant_of,
    linear_of,
    median_of,
    simple_problem,
)
from autodc.adapters.trainers import make_trainer
from autodc.adapters.trainers.command import OWN_PYTHON
from autodc.adapters.trainers.command_checking import template_problems
from autodc.adapters.trainers.templates import JOB, is_program
from autodc.errors import AutodcError, InputError, SpecError, raise_all
from autodc.hints import meant
from autodc.plugins import find_problem, is_path, load_object, own_code
from autodc.studyfile.names import TaskKind
from autodc.trial.executor import MethodRef, TrainerRef
from autodc.trial.fitting import folder_mb
from autodc.trial.method import Method, RowMethod
from autodc.trial.outputs import CheckedMethod

PLACE = "method"
INCUMBENT = Path("models") / "incumbent"
"""Below the folder of a run."""
FORMS = (
    "a run folder, a model folder, models:/NAME/VERSION of MLflow, path/to/file.py:Object, a program with {job} or "
    "{predict} among its arguments, or constant, linear or median"
)


def make_method(ref: MethodRef) -> CheckedMethod:
    """Make the method; what it gives back is checked.

    Raises InputError where the name leads nowhere, TrainerError for a model that is damaged.
    """
    name = ref.name
    if fetched_model.is_mlflow(name):
        folder = fetched_model.fetched(name, ref.tracking, PLACE)
        made, size = fetched_model.loaded_model(folder, PLACE), folder_mb(folder)
        return CheckedMethod(made, name, ref.row_shape, ref.classes, size)
    return CheckedMethod(_made(ref), name, ref.row_shape, ref.classes, _size_mb(Path(ref.folder), name))


def method_problem(name: str, folder: str, place: str) -> AutodcError | None:
    """What is wrong with the name of a method, as far as that is seen without loading anything; None where all is well.

    folder: what paths are relative to.
    """
    if name in SIMPLE or is_program(name):
        return None
    if fetched_model.is_mlflow(name):
        return fetched_model.not_installed(name, place)
    path = Path(folder) / name
    if (path / JOURNAL).is_file():
        return None if (path / INCUMBENT).is_dir() else _unfinished(path, place)
    if path.exists():
        return None
    return find_problem(name, folder, place) if is_path(name) else _nowhere(name, folder, place)


def baseline_problems(names: Sequence[str], folder: str, kind: TaskKind) -> list[AutodcError]:
    """What is wrong with the simple baselines that a study file names. folder: its own; kind: of its task."""
    found = list[AutodcError]()
    for at, name in enumerate(names):
        place = f"baselines[{at}]"
        if name in names[:at]:
            found.append(SpecError("ADC-METHOD-023", "this baseline is named twice", place, name, "name it once"))
        elif (wrong := method_problem(name, folder, place) or simple_problem(name, kind, place)) is not None:
            found.append(wrong)
    return found


def _nowhere(name: str, folder: str, place: str) -> InputError:
    near = Path(folder) / name
    try:
        beside = [str(Path(name).with_name(one.name)) for one in near.parent.iterdir()]
    except OSError:
        beside = []
    guess = meant(name, [*SIMPLE, *beside])
    hint = f"did you mean {guess}? Else name {FORMS}" if guess else f"name {FORMS}"
    return InputError("ADC-METHOD-003", "there is no such method", place, name, hint)


def _unfinished(folder: Path, place: str) -> InputError:
    hint = "a run hands its model over when it is done: let it finish"
    return InputError("ADC-METHOD-005", "this run has no model of its incumbent", place, str(folder), hint)


def _size_mb(folder: Path, name: str) -> float | None:
    """What a method's model takes on disk, in 10**6 bytes; None of code, which may have it anywhere."""
    path = folder / name
    if name in (CONSTANT, MEDIAN):
        return 0.0
    if is_program(name) or not path.is_dir():
        return None
    own = path / INCUMBENT if (path / JOURNAL).is_file() else path
    return folder_mb(own / "model" if (own / "model").is_dir() else own)


def _made(ref: MethodRef) -> Method:
    name = ref.name
    if name in SIMPLE:
        return _simple(ref)
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
    raise _nowhere(name, ref.folder, PLACE)


def _simple(ref: MethodRef) -> Method:
    if ref.name == MEDIAN:
        return median_of(ref)
    x, y, _ = open_part(ref.base.path) if ref.base is not None else (None, None, None)
    if x is None or y is None:
        raise InputError("ADC-METHOD-004", f"`{ref.name}` needs the targets of the base", PLACE, ref.name)
    return linear_of(ref, x, y) if ref.name == LINEAR else constant_of(ref.kind, y, ref.row_shape)


def _run(folder: Path, ref: MethodRef) -> Method:
    """The model of a run's incumbent, read by the trainer of that run."""
    state = state_of(folder)
    model = folder / INCUMBENT
    if not model.is_dir():
        raise _unfinished(folder, PLACE)
    task = state.question.spec["task"]
    theirs = TrainerRef(name=task["trainer"], options=task["options"], folder=ref.folder)
    return make_trainer(theirs).method(model)


def _model(folder: Path, ref: MethodRef) -> Method:
    """A model that a trainer or MLflow saved: one of ours knows its own, anything else is the study's trainer's."""
    if (folder / fetched_model.FILE).is_file():
        return fetched_model.loaded_model(folder, PLACE)
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
