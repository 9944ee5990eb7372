"""The trainer `lightning`: any LightningModule of the user's, fed by our loaders, quiet, and the same bits again."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast, final

import numpy as np
import torch

from autodc.adapters.trainers.difficulty import by_difficulty
from autodc.adapters.trainers.freezing import freeze, freeze_named
from autodc.adapters.trainers.image_axes import BYTE, from_channels
from autodc.adapters.trainers.lightning_arguments import PLACE, Takes, by_signature, check_arguments
from autodc.adapters.trainers.lightning_fit import family_of, fit
from autodc.adapters.trainers.lightning_reading import Facts, facts_of, with_pictures
from autodc.adapters.trainers.lightning_rows import Form, Reading, adaptation_of, loader, seeded, steps_an_epoch
from autodc.adapters.trainers.options import LOADED, RECIPE_OF, LightningOptions
from autodc.adapters.trainers.torch_model import device
from autodc.adapters.trainers.torch_steps import deterministic
from autodc.errors import SpecError
from autodc.plugins import load_object, own_code
from autodc.seeds import integer
from autodc.table import Inputs, Table
from autodc.trial.fitting import AbstractFitting, n_steps
from autodc.trial.outputs import TrainerError
from autodc.trial.recipes import TrainPhase, phases
from autodc.trial.trainer import Trained, TrainingJob
from autodc.values import joined

Array = np.ndarray[Any, Any]

STEPS = 300
WEIGHTS, FACTS = "lightning.pt", "lightning.json"
LOOKED_AT = 64
"""Training rows on which it is seen whether the module predicts probabilities."""
TOLERANCE = 1e-3
"""What probabilities may miss 1 by: those of half precision do."""
NAMED_OUTPUTS = ("logits", "outputs", "preds", "predictions")


@final
@dataclass(slots=True)
class LightningModel:
    """A module, what it was made with, and the facts of its inputs and targets."""

    module: Any
    arguments: Mapping[str, Any]
    facts: Facts
    batch_size: int
    probabilities: bool
    """Whether the module predicts probabilities of classes, not scores."""


@final
class Lightning(AbstractFitting[LightningModel]):
    """Trains a module with Lightning's own Trainer, phase after phase."""

    def __init__(self, options: LightningOptions, folder: str) -> None:
        self._options, self._folder = options, folder

    def train(self, job: TrainingJob) -> Trained:
        """Train and predict; image files are decoded once where the options say how."""
        return super().train(with_pictures(job, self._options))

    def fit(self, job: TrainingJob) -> LightningModel:
        """Make or load the module and run the recipe."""
        if isinstance(job.train[0].x, Table):
            job = with_pictures(job, self._options)
        options, legs = self._options, by_difficulty(phases(job), job)
        with deterministic(integer(job.seed, "network")), seeded(integer(job.seed, "network")):
            model = self._first(job)
            reading = self._reading(model.facts)
            adaptation = adaptation_of(job, reading)
            for leg in legs:
                torch.manual_seed(integer(job.seed, "steps", leg.index))
                steps = n_steps(self._budget(leg, model.batch_size), job, leg)
                rows = loader(leg, reading, options, model.batch_size, steps, job.seed, adaptation)
                if leg.frozen:
                    freeze(model.module, leg.frozen)
                if leg.index and job.recipe == "pretrain_finetune":
                    freeze_named(model.module, options.frozen)
                clip = job.hyperparameters.get("gradient_clip_val", options.gradient_clip_val)
                fit(model.module, rows, steps, leg.lr_factor, job.out, clip=clip, precision=options.precision)
            model.module.trainer = None
            model.module.to(device()).eval()
            if job.kind == "classification":
                model.probabilities = self._predicts_probabilities(model, legs[-1].parts[0].x[:LOOKED_AT])
        return model

    def predict(self, model: LightningModel, x: Inputs) -> Any:
        """Class probabilities (n, C), values (n, ...), images in layout and units of the targets, or JSON values."""
        facts = model.facts
        raw = self._raw(model, x)
        if facts.kind == "classification":
            return _distributions(raw, model.probabilities, facts.y["outputs"])
        if facts.y["layout"]:
            images = from_channels(torch.from_numpy(raw), facts.y["shape"], facts.y["layout"]).numpy()
            return np.asarray(images.clip(0, 1) * BYTE if facts.y["bytes"] else images)
        return raw

    def save(self, model: LightningModel, folder: Path) -> None:
        """Write weights and facts."""
        torch.save(model.module.state_dict(), folder / WEIGHTS)
        facts = {
            "arguments": dict(model.arguments),
            "facts": {"kind": model.facts.kind, "x": dict(model.facts.x), "y": dict(model.facts.y)},
            "batch_size": model.batch_size,
            "probabilities": model.probabilities,
        }
        (folder / FACTS).write_text(json.dumps(facts, sort_keys=True), encoding="utf-8")

    def load(self, folder: Path) -> LightningModel:
        """Read a model back, made with the arguments it was saved with."""
        model = self._saved(folder)
        if (error := _load_weights(model.module, folder)) is not None:
            raise TrainerError("ADC-TRAIN-031", "the saved weights do not fit", str(folder), error)
        model.module.to(device()).eval()
        return model

    def _saved(self, folder: Path, own: Mapping[str, Any] | None = None) -> LightningModel:
        """The module of a folder without its weights, made with its own arguments or with other ones."""
        try:
            saved = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            facts, arguments = Facts(**saved["facts"]), saved["arguments"] if own is None else dict(own)
            size, probabilities = int(saved["batch_size"]), bool(saved["probabilities"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainerError("ADC-TRAIN-030", "this folder holds no saved model", str(folder), str(error)) from error
        return LightningModel(self._module(arguments, facts), arguments, facts, size, probabilities)

    def _first(self, job: TrainingJob) -> LightningModel:
        """The module to begin with: new, or with the weights to go on from.

        Then the trial's own hyperparameters hold (a learning rate), but those it was saved with where weights would
        not fit (a width).
        """
        given = {**self._options.params, **job.hyperparameters}
        size = int(cast(Any, job.hyperparameters.get("batch_size", self._options.batch_size)))
        if job.recipe == "continue" and job.warm_start is not None:
            model = self._saved(job.warm_start, given)
            if _load_weights(model.module, job.warm_start) is not None:
                model = self.load(job.warm_start)
                model.module.train()
            model.batch_size = size
            return model
        facts = facts_of(job, self._options)
        return LightningModel(self._module(given, facts), given, facts, size, False)

    def _module(self, given: Mapping[str, Any], facts: Facts) -> Any:
        """Call the class or function with what it takes. Raises SpecError where that fails or gives no module."""
        found = load_object(self._options.module, self._folder, PLACE)
        if not callable(found):
            hint = "name a class, or a function that returns a module"
            raise SpecError("ADC-TRAIN-092", "this is no LightningModule", PLACE, type(found).__name__, hint)
        with own_code(_unmade(self._options.module), self._folder):
            takes = by_signature(found)
            _refuse(takes, given)
            offered = {name: value for name, value in facts.offered().items() if name in takes.names}
            module = found(**{**offered, **_taken(takes, given)})
            if hasattr(module, "configure_model"):
                module.configure_model()
        if family_of(module) is None:
            hint = "derive it from pytorch_lightning.LightningModule"
            raise SpecError("ADC-TRAIN-092", "this is no LightningModule", PLACE, type(module).__name__, hint)
        return module

    def _reading(self, facts: Facts) -> Reading:
        transform, collate = self._function("transform"), self._function("collate")
        if transform is not None and "training" not in by_signature(transform).names:
            plain = transform
            return Reading(facts, lambda one, training: plain(one), collate)
        if transform is not None:
            aware = transform
            return Reading(facts, lambda one, training: aware(one, training=training), collate)
        return Reading(facts, None, collate)

    def _function(self, key: str) -> Callable[..., Any] | None:
        name = getattr(self._options, key)
        return None if name is None else cast(Any, load_object(name, self._folder, f"task.options.{key}"))

    def _budget(self, leg: TrainPhase, batch_size: int) -> int:
        if self._options.epochs is None:
            return self._options.steps or STEPS
        return max(1, round(self._options.epochs * steps_an_epoch(leg, batch_size)))

    def _raw(self, model: LightningModel, x: Inputs) -> Any:
        """What the module's `predict_step` says of rows, which is its `forward` where it has none of its own."""
        reading, pieces = self._reading(model.facts), []
        with seeded(0), torch.no_grad():
            for number, first in enumerate(range(0, len(x), model.batch_size)):
                batch = reading.batch(reading.inputs(x[first : first + model.batch_size]), None)
                said = model.module.predict_step(_moved(batch), number)
                pieces.append(_rows(said, min(model.batch_size, len(x) - first), model.facts.kind == "custom"))
        if not pieces:
            classes = model.facts.kind == "classification"
            return np.zeros((0, *([model.facts.y["outputs"]] if classes else model.facts.y["shape"])))
        return joined(pieces)

    def _predicts_probabilities(self, model: LightningModel, x: Inputs) -> bool:
        if self._options.outputs != "auto":
            return self._options.outputs == "probabilities"
        raw = self._raw(model, x)
        if raw.ndim == 1 or raw.shape[1:] == (1,):
            hint = "options: {outputs: scores}, or probabilities where it ends with a sigmoid"
            problem = "the module predicts one number a row: is it the score or the probability of the second class?"
            raise TrainerError("ADC-TRAIN-095", problem, "task.options.outputs", "auto", hint)
        return bool((raw >= 0).all() and (np.abs(raw.sum(axis=1) - 1) < TOLERANCE).all())


def _refuse(takes: Takes, given: Mapping[str, Any]) -> None:
    own = [name for name in given if name in takes.names or name not in (*LOADED, *RECIPE_OF)]
    if problems := check_arguments(takes, dict.fromkeys(own, PLACE)):
        raise problems[0]


def _taken(takes: Takes, given: Mapping[str, Any]) -> dict[str, Any]:
    """What of the given goes to the module: the loader's own hyperparameters only where it names them."""
    return {n: v for n, v in given.items() if n in takes.names or n not in (*LOADED, *RECIPE_OF)}


def _unmade(name: str) -> Callable[[str], SpecError]:
    hint = "it is called with the hyperparameters of the trial and options.params as keyword arguments"
    return lambda got: SpecError("ADC-TRAIN-093", f"{name} cannot be made", PLACE, got, hint)


def _load_weights(module: Any, folder: Path) -> str | None:
    """Load the weights of a folder; what is wrong where they do not fit."""
    try:
        module.load_state_dict(torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        return str(error)
    return None


def _moved(form: Form) -> Form:
    if isinstance(form, Mapping):
        return {name: _moved(values) for name, values in form.items()}
    if isinstance(form, list | tuple):
        return [_moved(one) for one in form]
    return form.to(device()) if hasattr(form, "to") else form


def _rows(said: Any, rows: int, custom: bool) -> Any:
    """The outputs of a batch row by row: an array, in a custom task also a list of whatever."""
    if custom and isinstance(said, list):
        return said if len(said) == rows else _no_outputs(f"a list of {len(said)} for {rows} rows")
    if isinstance(said, tuple) and said:
        said = said[0]
    named = [n for n in NAMED_OUTPUTS if (n in said if isinstance(said, Mapping) else hasattr(said, n))]
    if named and not isinstance(said, torch.Tensor):
        said = said[named[0]] if isinstance(said, Mapping) else getattr(said, named[0])
    if isinstance(said, torch.Tensor):
        said = said.detach().cpu()
        said = said.float().numpy() if said.dtype in (torch.bfloat16, torch.float16) else said.numpy()
    try:
        array = np.asarray(said)
    except (ValueError, TypeError):
        _no_outputs(type(said).__name__)
    if array.ndim == 0 or len(array) != rows or array.dtype.kind not in "fiub":
        _no_outputs(f"{type(said).__name__} of shape {array.shape} for {rows} rows")
    return array


def _no_outputs(got: str) -> NoReturn:
    hint = "predict_step, or forward, gives a tensor with one row of outputs for each row of the batch"
    raise TrainerError("ADC-TRAIN-096", "the module predicts something else", "lightning", got, hint)


def _distributions(raw: Array, probabilities: bool, n_classes: int) -> Array:
    if raw.dtype.kind in "iub" and n_classes > 1 and raw.ndim == 1:
        _no_outputs("class numbers, where a score for each class is needed")
    if n_classes == 2 and raw.reshape(len(raw), -1).shape[1] == 1:
        second = raw.reshape(len(raw)).astype(np.float64)
        second = second if probabilities else 1 / (1 + np.exp(-second.clip(-500, 500)))
        return np.stack([1 - second, second], axis=1)
    if probabilities or raw.ndim != 2:
        return raw
    from scipy.special import softmax

    return np.asarray(softmax(raw, axis=1))
