"""Covariance of the additive Gaussian process: constant + linear + Matérn-5/2, a scale per dimension, and seeds.

k(x, x') = 1 + Σ v_d x_d x'_d + s²·(1 + √5 r + 5r²/3)·exp(−√5 r),  r² = Σ w_d (x_d − x'_d)²
and on top of it, between trainings of one seed, a share c² of the noise.
Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, chapters 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

Array = np.ndarray[Any, Any]

_ROOT5 = np.sqrt(5.0)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Scales:
    """Kernel parameters on the scale of a standardised objective.

    linear: v, shape (F,); inverse: w, inverse squared lengths, shape (F,); curved: s²; noise: σ²; seed: c².
    """

    linear: Array
    inverse: Array
    curved: float
    noise: float
    seed: float

    @classmethod
    def of(cls, theta: Array) -> Scales:
        """Read a vector of logarithms: F linear, F inverse, curved, noise, seed."""
        values = np.exp(theta)
        width = (len(theta) - 3) // 2
        return cls(
            linear=values[:width],
            inverse=values[width : 2 * width],
            curved=float(values[-3]),
            noise=float(values[-2]),
            seed=float(values[-1]),
        )


def covariance(a: Array, b: Array, scales: Scales) -> Array:
    """Covariance of the noiseless objective at rows `a` (n, F) and `b` (m, F), shape (n, m)."""
    linear = 1.0 + (a * scales.linear) @ b.T
    return np.asarray(linear + matern(squared_distance(a, b, scales.inverse), scales.curved))


def variance(a: Array, scales: Scales) -> Array:
    """The diagonal of `covariance(a, a)`, shape (n,)."""
    return np.asarray(1.0 + (a * a) @ scales.linear + scales.curved)


def squared_distance(a: Array, b: Array, inverse: Array) -> Array:
    """Weighted squared distances, shape (n, m), never negative."""
    root = np.sqrt(inverse)
    left, right = a * root, b * root
    square = (left * left).sum(1)[:, None] + (right * right).sum(1)[None, :] - 2.0 * (left @ right.T)
    return np.asarray(np.maximum(square, 0.0))


def matern(square: Array, curved: float) -> Array:
    """Matérn-5/2 at squared distances."""
    r = _ROOT5 * np.sqrt(square)
    return np.asarray(curved * (1.0 + r + r * r / 3.0) * np.exp(-r))


def matern_slope(square: Array, curved: float) -> Array:
    """Derivative of `matern` by the squared distance."""
    r = _ROOT5 * np.sqrt(square)
    return np.asarray(-(5.0 / 6.0) * curved * (1.0 + r) * np.exp(-r))
