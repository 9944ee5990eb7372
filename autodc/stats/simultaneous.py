"""Intervals that hold together for several means measured on the same units."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import ndtr, ndtri, stdtrit

Array = np.ndarray[Any, Any]

DRAWS = 1000


def critical(influence: Array, error: Array, freedom: int, alpha: float, rng: np.random.Generator) -> float:
    """Standard errors to go either way so that all intervals hold together with probability 1 − alpha.

    influence: shape (units, k), what each independent unit adds to each of the k estimates, means zero; error: shape
    (k,), the standard errors, zero where an estimate is fixed; freedom: of Student's distribution, for units are few.
    Source: Gaussian multiplier bootstrap of the maximum (Chernozhukov, Chetverikov, Kato 2013), widened from the normal
    to Student's quantile of the same probability.
    """
    moving = error > 0
    if not moving.any():
        return float(-stdtrit(freedom, alpha / 2))
    scaled = influence[:, moving] / error[moving]
    worst = np.abs(rng.multivariate_normal(np.zeros(moving.sum()), scaled.T @ scaled, DRAWS, method="eigh")).max(1)
    normal = float(np.quantile(worst, 1 - alpha))
    return float(-stdtrit(freedom, ndtr(-max(normal, -ndtri(alpha / 2)))))


def standard_errors(units: Array) -> Array:
    """Of k estimates, shape (k,), or of one. units: shape (units, k) or (units,), what each independent unit adds."""
    return np.asarray(np.sqrt((units**2).sum(0) * len(units) / max(len(units) - 1, 1)))


def by_unit(influence: Array, units: Array) -> Array:
    """Sums over the rows of each unit, shape (units, k). influence: shape (n, k); units: shape (n,), any numbers."""
    return sums(influence, np.unique(units, return_inverse=True)[1])


def sums(values: Array, place: Array) -> Array:
    """Sums of the rows of each place, shape (places, k). values: shape (n, k); place: shape (n,), from 0."""
    n = len(place)
    chosen = sparse.csr_array((np.ones(n), (place, np.arange(n))), shape=(int(place.max(initial=-1)) + 1, n))
    return np.asarray(chosen @ values)
