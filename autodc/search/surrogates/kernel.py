"""Covariance of the Gaussian process: a basis it is linear in, pairs, a Matérn-5/2 for the rest, and shared seeds.

k(x, x') = 1 + Σ_b v_b φ_b(x) φ_b(x') + p·(x·x')² + s²·(1 + √5 r + 5r²/3)·exp(−√5 r),  r² = Σ_d w_d (x_d − x'_d)²
where φ are strengths, numbers and the squares of both; between trainings of one seed there is c² on top. Where datasets
have clusters, there is Σ_l c_l s_l(x)·s_l(x') too, s_l the summed strengths of the clusters of band l of their tree.
Every v_b and w_d is a common scale of its group times a deviation of its own, both with a log-normal prior.
Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, chapters 4 and 5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

Array = np.ndarray[Any, Any]

GROUPS = 4
LENGTHS = 2
SINGLES = 4
_ROOT5 = math.sqrt(5.0)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Scales:
    """Kernel parameters on the scale of a standardised objective."""

    linear: Array
    """v, shape (B,)."""
    inverse: Array
    """w, inverse squared lengths, shape (F,)."""
    curved: float
    """s²."""
    pairs: float
    """p."""
    noise: float
    """σ²."""
    seed: float
    """c²."""
    clusters: tuple[Array, ...] = ()
    """Of every band, which features are summed in which cluster, times the root of c_l, shape (F, clusters)."""


@final
class Layout:
    """Where each parameter lies in the vector of logarithms: group scales, length scales, deviations, singles."""

    def __init__(self, data: Array, clusters: Sequence[Array] = ()) -> None:
        """data: which features are strengths of datasets, shape (F,); clusters: sums of them, band by band."""
        strengths, numbers = int(data.sum()), int((~data).sum())
        self.group = np.repeat(np.arange(GROUPS), [strengths, numbers, strengths, numbers])
        self.length = np.where(data, 0, 1)
        self.linear = slice(GROUPS + LENGTHS, GROUPS + LENGTHS + len(self.group))
        self.inverse = slice(self.linear.stop, self.linear.stop + len(data))
        self.singles = slice(self.inverse.stop, self.inverse.stop + SINGLES)
        self.bands = slice(self.singles.stop, self.singles.stop + len(clusters))
        self.size = self.bands.stop
        self._clusters = clusters

    def scales(self, theta: Array) -> Scales:
        """Read a vector of logarithms."""
        curved, pairs, noise, seed = np.exp(theta[self.singles])
        return Scales(
            linear=np.exp(theta[:GROUPS][self.group] + theta[self.linear]),
            inverse=np.exp(theta[GROUPS : GROUPS + LENGTHS][self.length] + theta[self.inverse]),
            curved=float(curved),
            pairs=float(pairs),
            noise=float(noise),
            seed=float(seed),
            clusters=tuple(
                band * np.exp(0.5 * log) for band, log in zip(self._clusters, theta[self.bands], strict=True)
            ),
        )

    def gradient(self, linear: Array, inverse: Array, singles: Array, bands: Array) -> Array:
        """Assemble the gradient by theta from those by log v, log w, the singles and c_l."""
        return np.concatenate(
            [
                np.bincount(self.group, linear, GROUPS),
                np.bincount(self.length, inverse, LENGTHS),
                linear,
                inverse,
                singles,
                bands,
            ]
        )


def basis(features: Array, data: Array) -> Array:
    """The basis the objective is linear in, shape (n, 2F): strengths, numbers, their squares."""
    width, strong = features.shape[1], int(data.sum())
    found = np.empty((len(features), 2 * width), dtype=features.dtype, order="F")
    found[:, :strong], found[:, strong:width] = features[:, data], features[:, ~data]
    np.square(found[:, :width], out=found[:, width:])
    return found


def covariance(a: Array, b: Array, data: Array, scales: Scales) -> Array:
    """Covariance of the noiseless objective at rows `a` (n, F) and `b` (m, F), shape (n, m)."""
    linear = 1.0 + (basis(a, data) * scales.linear) @ basis(b, data).T
    for band in scales.clusters:
        linear += (a @ band) @ (b @ band).T
    pairs = scales.pairs * (a @ b.T) ** 2
    return np.asarray(linear + pairs + matern(squared_distance(a, b, scales.inverse), scales.curved))


def variance(a: Array, data: Array, scales: Scales) -> Array:
    """The diagonal of `covariance(a, a)`, shape (n,)."""
    return pairwise(a, a, data, scales)


def pairwise(a: Array, b: Array, data: Array, scales: Scales) -> Array:
    """Covariance of row i of `a` with row i of `b`, shape (n,)."""
    linear = 1.0 + (basis(a, data) * basis(b, data)) @ scales.linear
    for band in scales.clusters:
        linear += ((a @ band) * (b @ band)).sum(1)
    pairs = scales.pairs * (a * b).sum(1) ** 2
    return np.asarray(linear + pairs + matern(((a - b) ** 2) @ scales.inverse, scales.curved))


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
