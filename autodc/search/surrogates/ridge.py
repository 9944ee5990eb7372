"""Bayesian ridge: linear in strengths, quadratic in numbers, pairs where there are few; a prior variance per group.

The prior variances and the noise maximise the evidence by MacKay's fixed point. Cost: trainings × features².
Source: Bishop, Pattern Recognition and Machine Learning, 2006, sections 3.3 and 3.5.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy import linalg

from autodc.search.surrogates.gaussian import Sample

Array = np.ndarray[Any, Any]

PAIRS_UP_TO = 24
ROUNDS = 15
BLOCK = 64
"""Trainings that are added to a sum at once."""
LOWEST, HIGHEST = 1e-4, 1e6


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What a sample is to every target: its basis (n, B), the group of each column, and what these weigh together."""

    basis: Array
    groups: Array
    gram: Array
    """Products of the columns, of every training by one over its noise, shape (B, B)."""
    whole: Array
    """The same of the whole blocks of trainings alone."""

    @classmethod
    def of(cls, sample: Sample, count: int = 0, known: Array | None = None) -> Design:
        """known: `whole` of the first `count` trainings, for speed alone; blocks are always added one by one."""
        basis, groups = expand(sample.features, sample.data, sample.clusters)
        whole = np.zeros((basis.shape[1], basis.shape[1])) if known is None else known
        for start in range(count, len(basis) // BLOCK * BLOCK, BLOCK):
            whole = whole + _products(basis, sample.noise, slice(start, start + BLOCK))
        rest = slice(len(basis) // BLOCK * BLOCK, None)
        return cls(basis=basis, groups=groups, gram=whole + _products(basis, sample.noise, rest), whole=whole)


def _products(basis: Array, noise: Array, rows: slice) -> Array:
    weighted = basis[rows] / np.sqrt(noise[rows, None])
    return np.asarray(weighted.T @ weighted)


@final
class Ridge:
    """The posterior given a sample and the precisions `(noise, one per group)`. design: of this sample, if known."""

    def __init__(self, sample: Sample, theta: Array, design: Design | None = None) -> None:
        self._data, self._clusters = sample.data, sample.clusters
        design = Design.of(sample) if design is None else design
        self._basis, groups = design.basis, design.groups
        self._target, self._weights = sample.target, theta[0] / sample.noise
        precision = theta[0] * design.gram
        precision[np.diag_indices_from(precision)] += theta[1:][groups]
        self._factor = linalg.cholesky(precision.T, lower=True, overwrite_a=True, check_finite=False)
        self._mean = linalg.cho_solve(
            (self._factor, True), self._basis.T @ (self._weights * sample.target.T).T, check_finite=False
        )

    def told(self, target: Array) -> Ridge:
        """The same posterior given another target."""
        other = copy.copy(self)
        other._target = target
        moment = self._basis.T @ (self._weights * target)
        other._mean = linalg.cho_solve((self._factor, True), moment, check_finite=False)
        return other

    def means(self, features: Array) -> Array:
        """Posterior means of several targets, shape (m, targets)."""
        return np.asarray(self._expanded(features) @ self._mean)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Posterior mean and sd of the noiseless objective, each of shape (m,)."""
        return self._moments(self._expanded(features))

    def mean(self) -> Callable[[Array], Array]:
        """The posterior mean as a function."""
        return self._linear(self._mean)

    def sampled(self, rng: np.random.Generator) -> Callable[[Array], Array]:
        """One draw of the noiseless objective as a function."""
        noise = rng.standard_normal(len(self._mean))
        away = linalg.solve_triangular(self._factor, noise, lower=True, trans=1, check_finite=False)
        return self._linear(self._mean + away)

    def drawing(self, features: Array) -> Draws:
        """Many draws at these rows."""
        return Draws(self._factor, self._mean, self._expanded(features))

    def _linear(self, weights: Array) -> Callable[[Array], Array]:
        """Without pairs the basis is features and their squares: it need not be laid out."""
        width = len(self._data)
        clustered = sum(band.shape[1] for band in self._clusters)
        if len(weights) > 1 + 2 * width + clustered:
            return lambda features: np.asarray(self._expanded(features) @ weights)
        order = np.concatenate([np.flatnonzero(self._data), np.flatnonzero(~self._data)])
        linear, square, at = np.empty(width), np.empty(width), 1 + 2 * width
        linear[order], square[order] = weights[1 : 1 + width], weights[1 + width : at]
        for band in self._clusters:
            linear += band @ weights[at : at + band.shape[1]]
            at += band.shape[1]
        return lambda features: np.asarray(weights[0] + features @ linear + (features * features) @ square)

    def difference(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Mean and sd of objective(left) − objective(right), row by row."""
        return self._moments(self._expanded(left) - self._expanded(right))

    def left_out(self) -> Array:
        """Prediction of every training from all others, shape (n,)."""
        half = linalg.solve_triangular(self._factor, self._basis.T, lower=True, check_finite=False)
        leverage = np.minimum((half * half).sum(0) * self._weights, 1 - 1e-6)
        return np.asarray(self._target - (self._target - self._basis @ self._mean) / (1 - leverage))

    def _expanded(self, features: Array) -> Array:
        return expand(features, self._data, self._clusters)[0]

    def _moments(self, basis: Array) -> tuple[Array, Array]:
        half = linalg.solve_triangular(self._factor, basis.T, lower=True, check_finite=False)
        return basis @ self._mean, np.sqrt(np.maximum((half * half).sum(0), 1e-12))


@final
class Draws:
    """Many draws of one posterior at the same rows."""

    def __init__(self, factor: Array, mean: Array, basis: Array) -> None:
        self._factor, self._mean, self._basis = factor, mean, basis
        self._noise: list[Array] = []

    def draw(self, rng: np.random.Generator) -> None:
        """Take from `rng` what one draw takes."""
        self._noise.append(rng.standard_normal(len(self._mean)))

    def values(self) -> Array:
        """The values of all draws, shape (count, m)."""
        noise = np.column_stack(self._noise)
        away = linalg.solve_triangular(self._factor, noise, lower=True, trans=1, check_finite=False)
        return np.asarray((self._basis @ (self._mean[:, None] + away)).T)


def tune_ridge(sample: Sample) -> Array:
    """Find the precisions `(noise, one per group)` of highest evidence; no memory of earlier fits.

    Several targets, shape (n, targets), have one answer: of highest evidence on average.
    """
    basis, groups = expand(sample.features, sample.data, sample.clusters)
    count = int(groups.max()) + 1
    theta = np.concatenate([[5.0], np.full(count, 5.0)])
    theta[1] = 1.0
    weighted = basis / np.sqrt(sample.noise)[:, None]
    target = (sample.target.T / np.sqrt(sample.noise)).T
    gram, moment = weighted.T @ weighted, weighted.T @ target
    for _ in range(ROUNDS):
        precision = theta[0] * gram
        precision[np.diag_indices_from(precision)] += theta[1:][groups]
        inverse = linalg.inv(precision, check_finite=False)
        mean = theta[0] * inverse @ moment
        known = 1.0 - theta[1:][groups] * np.diag(inverse)
        rest = target - weighted @ mean
        theta[0] = np.clip((len(target) - known.sum() + 1.0) / (_square(rest) + 0.1), LOWEST, HIGHEST)
        for group in range(1, count):
            inside = groups == group
            size = (mean[inside] ** 2).sum() if mean.ndim == 1 else (mean[inside] ** 2).sum() / mean.shape[1]
            theta[1 + group] = np.clip((known[inside].sum() + 1.0) / (size + 0.1), LOWEST, HIGHEST)
    return theta


def _square(rest: Array) -> float:
    return float(rest @ rest) if rest.ndim == 1 else float((rest * rest).sum() / rest.shape[1])


def expand(features: Array, data: Array, clusters: Sequence[Array] = ()) -> tuple[Array, Array]:
    """The basis (n, B) and the group of each column (B,).

    Constant, strengths, numbers, squares of all, pairs, and the summed strengths of the clusters, band by band.
    """
    width, strong = features.shape[1], int(data.sum())
    left, right = _pairs(width if 1 < width <= PAIRS_UP_TO else 0)
    sizes = (1, strong, width - strong, strong, width - strong)
    sizes = (*sizes, *((len(left),) if len(left) else ()), *(band.shape[1] for band in clusters))
    groups = np.repeat(np.arange(len(sizes)), sizes)
    basis = np.empty((len(features), len(groups)), order="F")
    basis[:, 0] = 1.0
    basis[:, 1 : 1 + strong] = features[:, data]
    basis[:, 1 + strong : 1 + width] = features[:, ~data]
    np.square(basis[:, 1 : 1 + width], out=basis[:, 1 + width : 1 + 2 * width])
    at = 1 + 2 * width
    if len(left):
        np.multiply(features[:, left], features[:, right], out=basis[:, at : at + len(left)])
        at += len(left)
    for band in clusters:
        basis[:, at : at + band.shape[1]] = features @ band
        at += band.shape[1]
    return basis, groups


@functools.cache
def _pairs(width: int) -> tuple[Array, Array]:
    """The columns of every pair of `width`."""
    left, right = np.triu_indices(width, 1)
    return left, right
