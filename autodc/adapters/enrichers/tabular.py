"""Columns of a table beside those of the base: how usual each value is, and rows as points whose distance means it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.data.views import numeric
from autodc.large import evenly
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

MOST = 50_000
"""Base rows that tell what is usual, evenly."""
FURTHEST = 6.0
"""Standardised numbers are cut there: one wild value is no more than far."""
CATEGORIES = 30
"""The most frequent categories are told apart in distances."""
NORMAL = 1.349
"""Quartiles of a normal distribution lie so many standard deviations apart."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Number:
    """A column of numbers, truth values or dates in the base."""

    values: Array
    """Sorted, without the missing ones."""
    middle: float
    scale: float
    gap: float
    """Share of missing values, smoothed."""

    def tails(self, values: Array) -> Array:
        """Share of the base that is at least so far out, on the nearer side, twice."""
        n = max(1, len(self.values))
        below = np.searchsorted(self.values, values, side="right")
        above = len(self.values) - np.searchsorted(self.values, values, side="left")
        share = np.minimum(1.0, 2 * (np.minimum(below, above) + 0.5) / (n + 1))
        return np.asarray(np.where(np.isnan(values), self.gap, share))

    def unseen(self, values: Array) -> Array:
        """Whether a value lies outside what the base has."""
        if not len(self.values):
            return ~np.isnan(values)
        return np.asarray((values < self.values[0]) | (values > self.values[-1]))

    def points(self, values: Array) -> Array:
        """(n, 1 or 2): standardised, and whether it is missing."""
        moved = np.clip((values - self.middle) / self.scale, -FURTHEST, FURTHEST)
        return np.column_stack([np.nan_to_num(moved), np.isnan(values)])


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Category:
    """A column of categories in the base."""

    tail: dict[str, float]
    """Category → share of base rows whose category is at most as frequent."""
    known: tuple[str, ...]
    """The most frequent."""
    gap: float
    rows: int

    def tails(self, values: Array) -> Array:
        """Share of the base whose category is at most as frequent."""
        none = 0.5 / (self.rows + 1)
        return np.array([self.gap if value is None else self.tail.get(value, none) for value in values])

    def unseen(self, values: Array) -> Array:
        """Whether the base does not have it."""
        return np.array([value is not None and value not in self.tail for value in values], dtype=bool)

    def points(self, values: Array) -> Array:
        """(n, categories + 1): two that differ are 1 apart."""
        place = {value: at for at, value in enumerate(self.known)}
        found = np.zeros((len(values), len(self.known) + 1))
        found[np.arange(len(values)), [place.get(value, len(self.known)) for value in values]] = np.sqrt(0.5)
        return found


@final
class Usual:
    """What is usual in the base, column by column; columns of text are none of its business but for missing values."""

    def __init__(self, base: Inputs) -> None:
        some = base[evenly(len(base), MOST)]
        self.names = column_names(some)
        self._columns = {name: _learned(values) for name, values in _values(some).items()}

    def missing(self, x: Inputs) -> Array:
        """Share of the inputs of each row that are missing, shape (n,)."""
        if not isinstance(x, Table):
            return np.isnan(_flat(x)).mean(axis=1) if x.dtype.kind == "f" else np.zeros(len(x))
        if not x.names:
            return np.zeros(len(x))
        return np.asarray(np.mean([x.column(name).is_null().to_numpy() for name in x.names], axis=0))

    def surprise(self, x: Inputs) -> tuple[Array, tuple[str, ...]]:
        """Bits by which each value surprises, shape (n, columns), and the names of these columns."""
        found = [-np.log2(self._columns[name].tails(values)) for name, values in _values(x).items()]
        names = tuple(_values(x[:0]))
        return (np.column_stack(found) if found else np.zeros((len(x), 0))), names

    def unseen(self, x: Inputs) -> Array:
        """How many inputs of each row are such as the base does not have, shape (n,)."""
        found = [self._columns[name].unseen(values) for name, values in _values(x).items()]
        return np.sum(found, axis=0) if found else np.zeros(len(x), dtype=int)

    def points(self, x: Inputs) -> Array:
        """Rows as points, shape (n, d), float32: a column of numbers is one axis in its own spread."""
        found = [self._columns[name].points(values) for name, values in _values(x).items()]
        return np.column_stack(found).astype(np.float32) if found else np.zeros((len(x), 1), dtype=np.float32)


def column_names(x: Inputs) -> tuple[str, ...]:
    """Of a table its own, of arrays their positions."""
    return x.names if isinstance(x, Table) else tuple(str(at) for at in range(_flat(x).shape[1]))


def _flat(x: Array) -> Array:
    return x.reshape(len(x), int(np.prod(x.shape[1:])))


def _values(x: Inputs) -> dict[str, Array]:
    """Columns of numbers as float64 with NaN, of categories as text with None."""
    if not isinstance(x, Table):
        flat = _flat(x)
        return {name: flat[:, at].astype(np.float64) for at, name in enumerate(column_names(x))}
    found = {}
    for name, kind in x.schema.items():
        if kind == "category":
            found[name] = np.array(x.column(name).to_pylist() or [], dtype=object)
        elif kind != "text":
            found[name] = numeric(x, name)
    return found


def _learned(values: Array) -> _Number | _Category:
    n = len(values)
    if values.dtype == object:
        counts = pd.Series(values).value_counts()
        gap = (n - int(counts.sum()) + 0.5) / (n + 1)
        upward = counts.sort_values()
        tied = upward.groupby(upward.to_numpy()).sum().cumsum()
        tail = {str(value): float((tied[count] + 0.5) / (n + 1)) for value, count in counts.items()}
        return _Category(tail=tail, known=tuple(map(str, counts.index[:CATEGORIES])), gap=min(1.0, gap), rows=n)
    there = np.sort(values[~np.isnan(values)])
    gap = min(1.0, (n - len(there) + 0.5) / (n + 1))
    if not len(there):
        return _Number(values=there, middle=0.0, scale=1.0, gap=gap)
    low, middle, high = np.quantile(there, [0.25, 0.5, 0.75])
    scale = (high - low) / NORMAL or float(there.std()) or 1.0
    return _Number(values=there, middle=float(middle), scale=float(scale), gap=gap)
