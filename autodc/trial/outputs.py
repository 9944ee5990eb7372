"""What a training may give back: outputs of the right names, shapes and finite values, checked in one place."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast, final

import numpy as np

from autodc.errors import AutodcError
from autodc.table import Inputs
from autodc.trial.forking import Forked, ForkingJob, can_fork
from autodc.trial.method import Method, RowMethod, Timed
from autodc.trial.trainer import Trained, Trainer, TrainingJob
from autodc.values import NoJson, encoded, is_numbers

Array = np.ndarray[Any, Any]


class TrainerError(AutodcError):
    """A training failed or answered badly. It is a failed trial, told to the search."""


@final
class CheckedTrainer:
    """Runs any trainer and lets only valid results through."""

    def __init__(self, inner: Trainer, name: str) -> None:
        self._inner, self._name = inner, name

    def train(self, job: TrainingJob) -> Trained:
        """Train; raises TrainerError where the trainer gave back anything but what the port asks for."""
        trained = self._inner.train(job)
        if not isinstance(trained, Trained):
            raise TrainerError("ADC-TRAIN-001", "a trainer gives back a Trained", self._name, type(trained).__name__)
        outputs = checked_outputs(job.predict, trained.outputs, _row_shape(job), self._name)
        figures = {name: _figure(getattr(trained, name), name, self._name) for name in _FIGURES}
        return Trained(outputs=outputs, **figures)

    def fork(self, job: ForkingJob) -> Forked:
        """Fork a training; raises TrainerError where the trainer cannot, or answers anything but what is asked for."""
        if not can_fork(self._inner):
            hint = "define `fork(job) -> Forked` (autodc.trial.forking), or write search.probes: none"
            raise TrainerError("ADC-TRAIN-070", "this trainer cannot fork a training", self._name, "", hint)
        forked = self._inner.fork(job)  # type: ignore[attr-defined]
        if not isinstance(forked, Forked):
            raise TrainerError("ADC-TRAIN-071", "a fork gives back a Forked", self._name, type(forked).__name__)
        parts, shape, count = job.training.predict, _row_shape(job.training), 1 + len(job.datasets)
        if bad := [name for name in parts if len(forked.outputs.get(name, ())) != count]:
            problem = f"outputs are of another number of forks than {count}, the control among them"
            raise TrainerError("ADC-TRAIN-071", problem, self._name, ", ".join(bad))
        each = [
            checked_outputs(parts, {n: forked.outputs[n][i] for n in parts}, shape, f"{self._name}, fork {i}")
            for i in range(count)
        ]
        outputs = {name: np.stack([one[name] for one in each]) for name in parts}
        return Forked(outputs=outputs, train_seconds=_figure(forked.train_seconds, "train_seconds", self._name))

    @property
    def forks(self) -> bool:
        """Whether the trainer has the capability of `trial.forking`."""
        return can_fork(self._inner)

    def method(self, folder: Path | None) -> Method:
        """What predicts with a model that this trainer saved. Raises TrainerError where the trainer cannot."""
        make = getattr(self._inner, "method", None)
        if make is None:
            hint = "define `method(folder) -> Method`, or build on autodc.trial.fitting.AbstractFitting"
            raise TrainerError("ADC-METHOD-001", "this trainer cannot predict with a saved model", self._name, "", hint)
        return cast(Method, make(folder))


@final
class CheckedMethod:
    """Runs any method and lets only valid outputs through. row_shape, classes: as in `trial.executor.MethodRef`."""

    def __init__(
        self,
        inner: Method,
        name: str,
        row_shape: tuple[int, ...] | None,
        classes: Sequence[Any] = (),
        size_mb: float | None = None,
    ) -> None:
        """size_mb: of the model on disk, in 10**6 bytes, where it is known."""
        self._inner, self._name, self._row_shape, self._classes = inner, name, row_shape, tuple(classes)
        self.size_mb = size_mb
        self.labels = False
        """Whether it has answered with labels, from which no score can be told."""

    def predict(self, parts: Mapping[str, Inputs]) -> dict[str, Array]:
        """Predict; raises TrainerError where outputs are missing, misshapen or not finite."""
        return self._checked(parts, self._inner.predict(parts))

    def timed(
        self, parts: Mapping[str, Inputs], least: float, share: float, most: int
    ) -> tuple[dict[str, Array], Timed]:
        """The same with what it took, as `RowMethod.timed`; of a method that is no such, as one call with all rows."""
        if isinstance(self._inner, RowMethod):
            outputs, took = self._inner.timed(parts, least, share, most)
        else:
            started = time.perf_counter()
            outputs = dict(self._inner.predict(parts))
            took = Timed(batches=((sum(map(len, parts.values())), time.perf_counter() - started),))
        return self._checked(parts, outputs), took

    def _checked(self, parts: Mapping[str, Inputs], outputs: Any) -> dict[str, Array]:
        if self._classes and isinstance(outputs, Mapping):
            told = {name: _scores_of_labels(given, self._classes) for name, given in outputs.items()}
            self.labels = self.labels or any(one is not None for one in told.values())
            outputs = {name: given if told[name] is None else told[name] for name, given in outputs.items()}
        return checked_outputs(parts, outputs, self._row_shape, self._name)

    def predict_ms(self, x: Inputs) -> float:
        """Milliseconds a row; 0 where a method's prediction cannot be told apart from its start."""
        return self._inner.predict_ms(x) if isinstance(self._inner, RowMethod) else 0.0


def checked_outputs(
    parts: Mapping[str, Inputs], outputs: Any, row_shape: tuple[int, ...] | None, place: str
) -> dict[str, Array]:
    """Return the outputs of every part as arrays; raises TrainerError on the first that is wrong.

    parts: what was to be predicted; row_shape: (C,) in classification, else that of the targets, where (n, 1) passes
    for (n,), None in a custom task: numbers of any shape, or one JSON value a row, as `autodc.values` keeps them.
    """
    if not isinstance(outputs, Mapping):
        got = type(outputs).__name__
        raise TrainerError("ADC-TRAIN-062", "outputs are a dict of arrays, one for each part", place, got)
    checked = {}
    for name, x in parts.items():
        if name not in outputs:
            raise TrainerError("ADC-TRAIN-002", f"no outputs for {name}", place, f"outputs for {sorted(outputs)}")
        where = f"{place}, outputs of {name}"
        if row_shape is None:
            checked[name] = _custom(outputs[name], len(x), where)
        else:
            checked[name] = _checked(_array(outputs[name], where), (len(x), *row_shape), where)
    return checked


def _scores_of_labels(outputs: Any, classes: tuple[Any, ...]) -> Array | None:
    """Labels of the classes as scores of 0 and 1, shape (n, C); None where outputs are anything else.

    Numbers are labels where the classes are numbers, whatever their type; text where they are text.
    """
    try:
        given = np.asarray(outputs)
    except (TypeError, ValueError, RuntimeError):
        return None
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.ndim != 1 or not len(given):
        return None
    place = {label: k for k, label in enumerate(classes)}
    try:
        codes = [place[label] for label in given.tolist()]
    except (KeyError, TypeError):
        return None
    return np.eye(len(classes))[codes]


def misplaced(rows: Any, count: int) -> str:
    """What is wrong with row numbers that came with predictions; empty where they are 0 … count − 1 in order."""
    numbers = np.asarray(rows)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        return f"`rows` is not a list of whole numbers: {numbers.dtype} of shape {numbers.shape}"
    if len(numbers) != count:
        return f"{len(numbers)} predictions for {count} rows"
    wrong = np.flatnonzero(numbers != np.arange(count))
    if not len(wrong):
        return ""
    return f"predictions are out of order: position {wrong[0]} holds row {numbers[wrong[0]]}"


_FIGURES = ("train_seconds", "predict_ms", "model_mb")


def _row_shape(job: TrainingJob) -> tuple[int, ...] | None:
    if job.kind == "custom":
        return None
    if job.kind == "classification":
        return (job.n_classes,)
    return tuple(job.train[0].y.shape[1:])


def _custom(outputs: Any, rows: int, place: str) -> Array:
    """Numbers of any shape, finite, or one JSON value a row; one for each row."""
    if is_numbers(outputs):
        array = np.asarray(outputs)
        return _finite(array, place) if len(array) == rows else _misshapen(place, f"{len(array)} of them", rows)
    try:
        values = list(outputs)
    except TypeError:
        return _misshapen(place, f"a {type(outputs).__name__}", rows)
    if len(values) != rows:
        return _misshapen(place, f"{len(values)} of them", rows)
    try:
        return encoded(values)
    except NoJson as error:
        hint = "give numbers, text, true, false, None, and lists and dicts of these"
        raise TrainerError("ADC-TRAIN-072", "an output is no JSON value", place, str(error), hint) from None


def _misshapen(place: str, got: str, rows: int) -> NoReturn:
    problem, hint = f"outputs are an array of numbers or a list, {rows} rows are needed", "one output per row, in order"
    raise TrainerError("ADC-TRAIN-004", problem, place, got, hint)


def _array(values: Any, place: str) -> Array:
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TrainerError("ADC-TRAIN-003", "outputs are not numbers", place, str(error)) from error


def _checked(array: Array, shape: tuple[int, ...], place: str) -> Array:
    if array.dtype.kind not in "fiub":
        raise TrainerError("ADC-TRAIN-003", "outputs are not numbers", place, str(array.dtype))
    if len(shape) == 1 and array.shape == (*shape, 1):
        array = array[:, 0]
    if array.shape != shape:
        problem, hint = f"outputs have the wrong shape, {shape} is needed", "one output per row, in row order"
        raise TrainerError("ADC-TRAIN-004", problem, place, str(array.shape), hint)
    return _finite(array if array.dtype.kind == "f" else array.astype(np.float64), place)


def _finite(array: Array, place: str) -> Array:
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array.reshape(len(array), -1))).any(axis=1).sum())
        raise TrainerError("ADC-TRAIN-005", "outputs are not finite", place, f"NaN or infinity in {bad} rows")
    return np.ascontiguousarray(array)


def _figure(value: Any, name: str, place: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not (np.isfinite(number) and number >= 0):
        raise TrainerError("ADC-TRAIN-006", f"{name} is not a finite number from 0 up", place, str(value))
    return number
