"""Rank correlation with its uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

Array = np.ndarray[Any, Any]

LEAST = 4
"""Fewer pairs have no correlation worth a number."""


def spearman(left: Array, right: Array, level: float = 0.95) -> tuple[float, float, float] | None:
    """Spearman's correlation of two samples of shape (n,) and its interval; None where it is not defined.

    The interval is Fisher's z with the variance (1 + r²/2)/(n − 3) of Bonett and Wright (2000).
    """
    n = len(left)
    if n < LEAST or np.ptp(left) == 0.0 or np.ptp(right) == 0.0:
        return None
    found = correlation(left, right)
    z = np.arctanh(np.clip(found, -0.999999, 0.999999))
    reach = ndtri(0.5 + level / 2) * np.sqrt((1 + found**2 / 2) / (n - 3))
    return found, float(np.tanh(z - reach)), float(np.tanh(z + reach))


def correlation(left: Array, right: Array) -> float:
    """Spearman's correlation of two samples of shape (n,), n ≥ 2, neither of them constant."""
    return float(np.corrcoef(np.column_stack([ranks(left), ranks(right)]), rowvar=False)[1, 0])


def ranks(values: Array) -> Array:
    """Ranks from 1, shape (n,); equal values share the mean of theirs."""
    order = np.argsort(values, kind="stable")
    inside = values[order]
    first = np.flatnonzero(np.r_[True, inside[1:] != inside[:-1]])
    after = np.r_[first[1:], len(values)]
    out = np.empty(len(values))
    out[order] = np.repeat((first + 1 + after) / 2.0, after - first)
    return out
