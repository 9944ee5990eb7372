"""What a check of data answers: found, passed, or not applicable with the reason."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from autodc.errors import DataError

Array = np.ndarray[Any, Any]

Status = Literal["found", "passed", "not_applicable"]

Reason = Literal[
    "targets are no classes",
    "targets are no single numbers",
    "there are no probabilities",
    "there is only one class",
    "the model tells too little of the classes",
    "there are too few rows",
    "there are too few rows of a class",
    "there are too few trainings",
    "there are too few slices",
    "no row has several labels",
    "no two rows are alike",
    "there is only one dataset",
]
"""Why a check is not applicable."""


def coordinates(values: Array, rows: int, what: str) -> Array:
    """An embedding as float64, shape (rows, d). Raises DataError ADC-DIAG-050 where it has another shape or NaN."""
    found = np.asarray(values)
    fits = found.ndim == 2 and len(found) == rows and found.shape[1] > 0 and found.dtype.kind in "fiub"
    if fits and np.isfinite(found := found.astype(np.float64)).all():
        return np.asarray(found)
    raise DataError(
        "ADC-DIAG-050",
        "An embedding has one row of finite numbers for each row.",
        place=what,
        got=f"shape {found.shape} for {rows} rows" if not fits else "NaN or infinity",
        hint="leave out rows without coordinates, or take another embedding",
    )


def places(target: Array, classes: tuple[Any, ...], what: str) -> Array:
    """The place of each label among the classes, shape (n,). Raises DataError ADC-DIAG-051 where one is not there."""
    order = {str(one): place for place, one in enumerate(classes)}
    unknown = sorted({str(one) for one in target} - set(order))
    if unknown:
        raise DataError(
            "ADC-DIAG-051",
            "A label is none of the classes.",
            place=what,
            got=", ".join(unknown[:5]),
            hint=f"the classes are {', '.join(list(order)[:10])}",
        )
    return np.array([order[str(one)] for one in target], dtype=np.int64)


def distribution(probabilities: Array, rows: int, classes: int) -> Array:
    """Probabilities that sum to 1 a row, shape (rows, classes). Raises DataError ADC-DIAG-052 where they do not."""
    found = np.asarray(probabilities)
    fits = found.shape == (rows, classes) and found.dtype.kind in "fiub"
    sums = found.sum(axis=1, dtype=float) if fits else np.zeros(0)
    if fits and np.isfinite(sums).all() and (found >= 0).all() and (np.abs(sums - 1) < 0.01).all():
        return np.asarray(found.astype(np.float64) / sums[:, None])
    raise DataError(
        "ADC-DIAG-052",
        "Probabilities are one row for each row and one column for each class, and sum to 1.",
        place="probabilities",
        got=f"shape {found.shape} for {rows} rows and {classes} classes" if not fits else "other sums, or NaN",
        hint="give what the model says of each class, as probabilities",
    )


def plain(value: Any) -> Any:
    """A label as a JSON value."""
    return value.item() if isinstance(value, np.generic) else value
