"""The quickest methods that work: a constant, a linear model, a median filter. A night is to beat them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autodc.errors import AutodcError, InputError, SpecError
from autodc.evaluation.images import image_axes
from autodc.large import taken
from autodc.seeds import generator
from autodc.studyfile.names import TaskKind
from autodc.table import Inputs, Table
from autodc.trial.executor import MethodRef
from autodc.trial.method import RowMethod
from autodc.trial.trainer import TrainingJob, TrainPart
from autodc.values import decoded, is_json

Array = np.ndarray[Any, Any]

CONSTANT, LINEAR, MEDIAN = "constant", "linear", "median"
SIMPLE = (CONSTANT, LINEAR, MEDIAN)
LEARNED = (CONSTANT, LINEAR)
"""Those that learn from the base."""

LINEAR_ROWS = 5000
"""Rows of the base that a linear model is fitted to, at most; of more, so many by chance."""
LINEAR_STEPS = 200
"""Of its solver, at most."""
WINDOW = 3
"""Side of the window of the median filter, in pixels."""


def simple_problem(name: str, kind: TaskKind, place: str) -> AutodcError | None:
    """Why one of the simple methods does not fit a task; None where it does, and for any other method."""
    fits = {LINEAR: ("classification", "regression"), MEDIAN: ("image_to_image",)}
    if kind in fits.get(name, (kind,)):
        return None
    hint = f"it is for {' and '.join(fits[name])}; name a METHOD of your own, as file.py:Object"
    return SpecError("ADC-METHOD-021", f"the method {name} does not fit a task of kind {kind}", place, name, hint)


def constant_of(kind: TaskKind, y: Array, row_shape: tuple[int, ...] | None) -> RowMethod:
    """The shares of the classes in the base, so that the majority class is predicted; the mean; the commonest value.

    y: targets of the base, encoded; row_shape: as of `MethodRef`.
    """
    if kind == "classification":
        row = np.bincount(np.asarray(y).astype(int), minlength=(row_shape or (0,))[0]) / max(len(y), 1)
    elif is_json(y):
        said, counts = np.unique(np.asarray(y), return_counts=True)
        (common,) = decoded(said[[counts.argmax()]])
        return RowMethod(lambda x: [common] * len(x))
    else:
        row = np.asarray(y, dtype=float).mean(axis=0)
        row = row if row_shape is None else row.reshape(row_shape)
    return RowMethod(lambda x: np.broadcast_to(row, (len(x), *row.shape)))


def linear_of(ref: MethodRef, x: Inputs, y: Array) -> RowMethod:
    """Logistic regression of classes, ridge regression of numbers, on the inputs as the trainer `sklearn` encodes them.

    x, y: of the base, targets encoded. Raises SpecError ADC-METHOD-021 for a task it is not for, InputError
    ADC-METHOD-022 for inputs that are files.
    """
    from autodc.adapters.trainers.options import SklearnOptions
    from autodc.adapters.trainers.sklearn_trainer import Sklearn

    if (wrong := simple_problem(LINEAR, ref.kind, "method")) is not None:
        raise wrong
    if isinstance(x, Table) and x.kind == "files":
        hint = "let the source read the images: options {size: [h, w], mode: L}"
        raise InputError("ADC-METHOD-022", "a linear model does not read files", "method", LINEAR, hint)
    rows = np.sort(generator(0, LINEAR).permutation(len(y))[:LINEAR_ROWS])
    part = TrainPart(
        name="base",
        x=taken(x, rows),
        y=np.asarray(y)[rows],
        metadata=pd.DataFrame(index=range(len(rows))),
        weight=1.0,
        stage="main",
        folder=Path(),
    )
    is_classes = ref.kind == "classification"
    how = {"estimator": "LogisticRegression", "params": {"max_iter": LINEAR_STEPS}}
    trainer = Sklearn(SklearnOptions.model_validate(how if is_classes else {"estimator": "Ridge"}), ref.folder)
    model = trainer.fit(
        TrainingJob(
            kind=ref.kind,
            n_classes=len(ref.classes),
            train=(part,),
            predict={},
            hyperparameters={},
            recipe="concat",
            seed=0,
            fidelity=1.0,
            warm_start=None,
            out=Path(),
            classes=ref.classes,
        )
    )
    return RowMethod(partial(trainer.predict, model))


def median_of(ref: MethodRef) -> RowMethod:
    """The middle of the pixels around each. Raises SpecError ADC-METHOD-021 for a task it is not for."""
    if (wrong := simple_problem(MEDIAN, ref.kind, "method")) is not None:
        raise wrong
    return RowMethod(_filtered)


def _filtered(x: Array) -> Array:
    from scipy.ndimage import median_filter

    sides = image_axes(x.shape)
    return np.asarray(median_filter(x, size=tuple(WINDOW if axis in sides else 1 for axis in range(x.ndim))))
