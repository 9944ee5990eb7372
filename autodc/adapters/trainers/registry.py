"""Makes a trainer from its name and options, in the process that trains.

What reads study files and checks options comes with the trainers of ours alone: beside another's a process holds none
of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, cast

from autodc.errors import SpecError
from autodc.hints import suggest
from autodc.plugins import FORMS, TRAINERS, installed, is_known, load_plugin, own_code
from autodc.trial.executor import TrainerRef
from autodc.trial.outputs import CheckedTrainer
from autodc.trial.trainer import Trainer

PLACE = "task.trainer"
HOMES: Mapping[str, str] = {
    "torch_image": "torch_image:TorchImage",
    "torch_tabular": "torch_tabular:TorchTabular",
    "lightning": "lightning_trainer:Lightning",
    "sklearn": "sklearn_trainer:Sklearn",
    "command": "command:Command",
}
"""Trainers of ours by their names: `module:Class` of this folder, called with its options and the study's folder."""


def opens_files(name: str, options: Mapping[str, Any]) -> bool:
    """Whether a trainer decodes image files itself, so that nobody else's code is told their paths."""
    return name == "torch_image" or (name == "lightning" and options.get("size") is not None)


def make_trainer(ref: TrainerRef) -> CheckedTrainer:
    """Make the trainer; what it gives back is checked. torch or scikit-learn is imported here, for those who need it.

    Raises SpecError where the name or the options are wrong.
    """
    options = dict(ref.options)
    if ref.name in HOMES:
        return CheckedTrainer(_built_in(ref, options), ref.name)
    if not is_known(ref.name, (), TRAINERS):
        raise unknown_trainer(ref.name)
    found = load_plugin(ref.name, TRAINERS, ref.folder, PLACE)
    return CheckedTrainer(_called(found, options, ref), ref.name)


def unknown_trainer(name: str) -> SpecError:
    """No trainer of this name."""
    from autodc.studyfile.names import SYNONYMS

    hint = suggest(name, [*HOMES, *installed(TRAINERS)], "trainers", SYNONYMS, FORMS)
    return SpecError("ADC-TRAIN-013", "there is no such trainer", PLACE, name, hint)


def _built_in(ref: TrainerRef, options: Mapping[str, Any]) -> Trainer:
    from pydantic import ValidationError

    from autodc.adapters.trainers.options import BUILT_IN

    try:
        parsed = BUILT_IN[ref.name].options.model_validate(options)
    except ValidationError as error:
        raise SpecError("ADC-TRAIN-012", "the options do not fit", "task.options", str(error)) from error
    module, _, name = HOMES[ref.name].partition(":")
    return cast(Trainer, getattr(import_module(f"{__package__}.{module}"), name)(parsed, ref.folder))


def _called(found: Any, options: Mapping[str, Any], ref: TrainerRef) -> Trainer:
    """A class or function is called with the options, an object is taken as it is."""
    name = ref.name
    if isinstance(found, type) or (callable(found) and not hasattr(found, "train")):
        with own_code(_unmade(name), ref.folder):
            found = found(**options)
    elif options:
        hint = "name a class or a function to have options"
        raise SpecError(
            "ADC-TRAIN-014", f"{name} is an object and takes no options", "task.options", str(sorted(options)), hint
        )
    if not callable(getattr(found, "train", None)):
        hint = "define `train(job) -> Trained`, or build on autodc.trial.fitting.AbstractFitting"
        raise SpecError(
            "ADC-TRAIN-015", "a trainer has a method `train`", PLACE, f"{name}: {type(found).__name__}", hint
        )
    return cast(Trainer, found)


def _unmade(name: str) -> Callable[[str], SpecError]:
    hint = "a class or function is called with task.options as keyword arguments"
    return lambda got: SpecError("ADC-TRAIN-061", f"{name} fails when it is called with the options", PLACE, got, hint)
