"""How far apart failing and passing rows of a class lie in an attribute, whatever the shape of either.

A difference of means misses rows that crowd at one value in the midst of the others: behind a grey bar each picture has
the same brightest row. The total variation between both sides sees it, and is put into the unit of a difference: the
standard deviations by which two normal distributions of one width would have to differ to lie as far apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

Array = np.ndarray[Any, Any]

ROWS_OF_A_BIN = 3
"""Failing rows for each bin: with fewer the distance of like sides grows."""
BINS = (5, 40)
"""Fewest and most."""


def apart(values: Array, fails: Array, place: Array) -> Array:
    """Total variation between failing rows and passing rows of their classes, 0 (alike) to 1, shape (k,).

    Passing rows count as often as their class fails. Bins are quantiles of both sides together; missing values are left
    out. values: shape (n, k); fails: shape (n,) of booleans; place: shape (n,) of integers from 0, the classes.
    """
    return np.array([_apart(column, fails, place) for column in values.T])


def as_difference(share: Array, failing: int) -> Array:
    """The difference of two normal distributions that lie as far apart, in standard deviations, shape (k,).

    failing: rows that fail; so few cannot say that nothing is in common.
    """
    return np.asarray(2 * ndtri((1 + np.clip(share, 0, 1 - 0.5 / max(failing, 1))) / 2))


def _apart(values: Array, fails: Array, place: Array) -> float:
    there = ~np.isnan(values)
    values, fails, place = values[there], fails[there], place[there]
    if not fails.any() or fails.all():
        return 0.0
    bins = int(np.clip(fails.sum() // ROWS_OF_A_BIN, *BINS))
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins))
    size = len(edges) + 1
    cell = place * size + np.searchsorted(edges, values, side="right")
    shape, many = (int(place.max()) + 1, size), (int(place.max()) + 1) * size
    failing = np.bincount(cell[fails], minlength=many).reshape(shape).astype(float)
    passing = np.bincount(cell[~fails], minlength=many).reshape(shape).astype(float)
    known = passing.sum(1) > 0
    failing, passing = failing[known], passing[known]
    if not failing.sum():
        return 0.0
    usual = passing / passing.sum(1, keepdims=True) * failing.sum(1, keepdims=True)
    return float(0.5 * np.abs(failing.sum(0) - usual.sum(0)).sum() / failing.sum())
