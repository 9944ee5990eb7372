"""Columns of a table that are the label in disguise, in training and in held-out rows, but not in the base."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from autodc.data.dataset import Dataset
from autodc.data.views import numeric
from autodc.large import distinct_values
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]
_Reader = Callable[[Inputs], Array]
"""Labels that a column gives rows away as; −1 where it says nothing."""

TELLS = 0.98
"""Share of the validation rows whose label a column must tell."""
FEW = 4
"""A category has so many rows on average, else it is a name."""
NOTHING = -1


def disguises(training: Dataset, part: Dataset, better: Dataset, base: Dataset | None) -> list[tuple[str, int]]:
    """Columns that tell the label, and of how many of the rows that got better; an empty name where none does.

    The rows that got better are asked where the base has their classes, and so could refute it; else all of the part:
    of a class that the base never saw, any feature in which it lies apart tells the label, and is no leak. Empty where
    rows are no table of columns, or the task has no classes.
    """
    y, columns = training.y, _columns(training.x)
    if not columns or y is None or part.y is None or np.asarray(y).dtype.kind not in "iu":
        return []
    held = better if _is_known(better, base) else part
    told = dict[str, int]()
    for column in columns:
        for read in _readers(training.x, np.asarray(y), column):
            if base is not None and base.y is not None and _told(read, base.x, base.y) >= TELLS:
                continue
            if _told(read, held.x, held.y) >= TELLS:
                told[column] = round(_told(read, better.x, better.y) * len(better))
    return list(told.items()) or [("", 0)]


def _columns(x: Inputs) -> list[str]:
    if isinstance(x, Table):
        return [name for name, kind in x.schema.items() if kind != "text"] if x.kind == "table" else []
    return [str(at) for at in range(x.shape[1])] if x.ndim == 2 and x.dtype.kind in "fiub" else []


def _is_known(better: Dataset, base: Dataset | None) -> bool:
    """Whether rows are of several classes, all of which the base has."""
    classes = distinct_values(np.asarray(better.y))
    return len(classes) > 1 and (base is None or base.y is None or bool(np.isin(classes, base.y).all()))


def _readers(x: Inputs, y: Array, column: str) -> Iterable[_Reader]:
    """How labels may be read off a column: where to cut its numbers, what its categories stand for, what is missing."""
    kind = x.schema[column] if isinstance(x, Table) else "number"
    if kind != "category" and (cuts := _cuts(_numbers(x, column), y)) is not None:
        yield partial(_by_cuts, column, *cuts)
    if not isinstance(x, Table):
        return
    forms: list[Callable[[Inputs], pd.Series[Any]]] = [lambda rows: _series(rows, column).isna()]
    if kind not in ("number", "date"):
        forms.append(lambda rows: _series(rows, column).astype(object))
    for form in forms:
        if (meaning := _meanings(form(x), y)) is not None:
            yield _by_meaning(form, meaning)


def _by_cuts(column: str, places: Array, classes: Array, rows: Inputs) -> Array:
    return np.asarray(classes[np.minimum(np.searchsorted(places, _numbers(rows, column)), len(classes) - 1)])


def _by_meaning(form: Callable[[Inputs], pd.Series[Any]], meaning: pd.Series[Any]) -> _Reader:
    places = pd.Index(meaning.index)

    def read(rows: Inputs) -> Array:
        found = places.get_indexer(pd.Index(form(rows)))
        return np.where(found < 0, NOTHING, meaning.to_numpy()[found])

    return read


def _meanings(values: pd.Series[Any], y: Array) -> pd.Series[Any] | None:
    """Value → the label it stands for; None where values are names, or do not stand for labels."""
    codes, known = pd.factorize(values, use_na_sentinel=False)
    classes, labels = np.unique(y, return_inverse=True)
    if len(classes) < 2 or len(known) < 2 or len(known) * FEW > len(values):
        return None
    counts = np.zeros((len(known), len(classes)), dtype=int)
    np.add.at(counts, (codes, labels.ravel()), 1)
    if counts.max(axis=1).sum() < TELLS * len(values) or len(np.unique(counts.argmax(axis=1))) < len(classes):
        return None
    return pd.Series(classes[counts.argmax(axis=1)], index=pd.Index(known))


def _numbers(x: Inputs, column: str) -> Array:
    if isinstance(x, Table):
        return numeric(x, column)
    return np.asarray(x[:, int(column)])


def _series(x: Inputs, column: str) -> pd.Series[Any]:
    assert isinstance(x, Table)
    values: pd.Series[Any] = x.column(column).to_pandas()
    return values


def _cuts(values: Array, y: Array) -> tuple[Array, Array] | None:
    """Where to cut a column to read off the label, and the classes between the cuts; None where it is no disguise.

    The classes must lie apart by as much as the widest of them is wide: a feature that happens to separate them has
    values up to the border, a label with noise on it has not.
    """
    classes = distinct_values(y)
    if len(classes) < 2 or not np.isfinite(values).all():
        return None
    low = np.array([values[y == k].min() for k in classes], dtype=np.float64)
    high = np.array([values[y == k].max() for k in classes], dtype=np.float64)
    order = np.argsort(low)
    low, high = low[order], high[order]
    gaps = low[1:] - high[:-1]
    if gaps.min() <= 0 or gaps.min() < (high - low).max():
        return None
    return 0.5 * (low[1:] + high[:-1]), classes[order]


def _told(read: _Reader, x: Inputs, y: Any) -> float:
    """Share of rows whose label is read off."""
    return float(np.mean(read(x) == np.asarray(y))) if len(x) else 0.0
