"""A Gaussian process over strengths and hyperparameters together: fit by penalised evidence, predict, draw."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy import linalg, optimize

from autodc.search.surrogates.kernel import (
    GROUPS,
    LENGTHS,
    Layout,
    Scales,
    basis,
    covariance,
    matern,
    matern_slope,
    pairwise,
    squared_distance,
    variance,
)
from autodc.search.surrogates.surface import Surface

Array = np.ndarray[Any, Any]

JITTER = 1e-8
ROUNDING = 1e-9
"""What rounding may take from a posterior covariance, as a share of its largest variance."""
STEPS = 60
BOUND = 9.0
GROUP_SPREAD = 1.5
OWN_SPREAD = 1.0
CLUSTER_SHARE = 0.1
"""The prior variance of a cluster's effect is this over the number of strengths; that of a dataset's own is 2."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a surrogate is fitted to."""

    features: Array
    """Shape (n, F)."""
    target: Array
    """Shape (n,), or (n, targets), standardised by the caller."""
    noise: Array
    """Factor on the noise variance, shape (n,), 1 for a full training."""
    seeds: Array
    """Shape (n,), trainings with one seed share a number."""
    data: Array
    """Which features are strengths of datasets, shape (F,)."""
    clusters: tuple[Array, ...] = ()
    """For every band of their tree, which features are summed in which cluster, shape (F, clusters)."""

    def head(self, count: int) -> Sample:
        """The first `count` trainings."""
        return Sample(
            features=self.features[:count],
            target=self.target[:count],
            noise=self.noise[:count],
            seeds=self.seeds[:count],
            data=self.data,
            clusters=self.clusters,
        )


@final
class GaussianProcess:
    """The posterior given a sample and kernel parameters."""

    def __init__(self, sample: Sample, theta: Array) -> None:
        self._sample, self._features, self._data = sample, sample.features, sample.data
        self._scales = Layout(sample.data, sample.clusters).scales(theta)
        gram = covariance(sample.features, sample.features, self._data, self._scales) + _noise(sample, self._scales)
        gram[np.diag_indices_from(gram)] += JITTER
        self._factor = linalg.cholesky(gram, lower=True, check_finite=False)
        self._target = sample.target
        self._alpha = linalg.cho_solve((self._factor, True), sample.target, check_finite=False)

    def told(self, target: Array) -> GaussianProcess:
        """The same posterior given another target."""
        other = copy.copy(self)
        other._target = target
        other._alpha = linalg.cho_solve((self._factor, True), target, check_finite=False)
        return other

    def means(self, features: Array) -> Array:
        """Posterior means of several targets, shape (m, targets)."""
        return covariance(features, self._features, self._data, self._scales) @ self._alpha

    def mean(self) -> Surface:
        """The posterior mean as a function."""
        return Surface.seen(self._features, self._alpha, self._data, self._scales)

    def sampled(self, rng: np.random.Generator) -> Surface:
        """One draw of the noiseless objective as a function.

        A draw of the prior, corrected where it disagrees with what was seen (Matheron's rule; Wilson et al. 2020,
        arXiv 2002.09309).
        """
        scales, n = self._scales, len(self._target)
        prior = Surface.prior(self._data, scales, rng)
        noise = np.sqrt(scales.noise * self._sample.noise) * rng.standard_normal(n)
        shared = np.sqrt(scales.seed) * rng.standard_normal(n)[self._sample.seeds]
        rest = self._target - prior(self._features) - noise - shared
        update = linalg.cho_solve((self._factor, True), rest, check_finite=False)
        return prior + Surface.seen(self._features, update, self._data, self._scales)

    def drawing(self, features: Array) -> Draws:
        """Many draws at these rows, by their joint posterior; rows that are equal have equal values."""
        rows, place = np.unique(features, axis=0, return_inverse=True)
        cross = covariance(rows, self._features, self._data, self._scales)
        half = linalg.solve_triangular(self._factor, cross.T, lower=True, check_finite=False)
        spread = covariance(rows, rows, self._data, self._scales) - half.T @ half
        return Draws(cross @ self._alpha, spread, place)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Posterior mean and sd of the noiseless objective, each of shape (m,)."""
        cross = covariance(features, self._features, self._data, self._scales)
        half = linalg.solve_triangular(self._factor, cross.T, lower=True, check_finite=False)
        spread = variance(features, self._data, self._scales) - (half * half).sum(0)
        return cross @ self._alpha, np.sqrt(np.maximum(spread, 1e-12))

    def difference(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Mean and sd of objective(left) − objective(right), row by row."""
        both = np.vstack([left, right])
        cross = covariance(both, self._features, self._data, self._scales)
        mean = cross @ self._alpha
        half = linalg.solve_triangular(self._factor, cross.T, lower=True, check_finite=False)
        n = len(left)
        gap = half[:, :n] - half[:, n:]
        pair = pairwise(left, right, self._data, self._scales)
        prior = variance(both, self._data, self._scales)
        prior = prior[:n] + prior[n:] - 2 * pair
        return mean[:n] - mean[n:], np.sqrt(np.maximum(prior - (gap * gap).sum(0), 1e-12))

    def left_out(self) -> Array:
        """Prediction of every training from all others, shape (n,) (Rasmussen and Williams 2006, eq. 5.12)."""
        inverse = linalg.cho_solve((self._factor, True), np.eye(len(self._target)), check_finite=False)
        return np.asarray(self._target - self._alpha / np.diag(inverse))


@final
class Draws:
    """Many draws of a normal distribution of several values."""

    def __init__(self, mean: Array, covariance: Array, place: Array) -> None:
        """mean: (k,); covariance: (k, k); place: which of the k values is asked for, shape (m,)."""
        tiny = ROUNDING * max(float(np.diag(covariance).max()), ROUNDING)
        self._root = linalg.cholesky(covariance + tiny * np.eye(len(mean)), lower=True, check_finite=False)
        self._mean, self._place = mean, place
        self._noise: list[Array] = []

    def draw(self, rng: np.random.Generator) -> None:
        """Take from `rng` what one draw takes."""
        self._noise.append(rng.standard_normal(len(self._mean)))

    def values(self) -> Array:
        """The values of all draws, shape (count, m)."""
        return np.asarray((self._mean + np.array(self._noise) @ self._root.T)[:, self._place])


def tune(sample: Sample) -> Array:
    """Find the kernel parameters of highest penalised evidence, starting from the prior alone: no memory.

    Several targets, shape (n, targets), have one answer: of highest evidence on average.
    """
    centre, spread = prior(sample.data, sample.clusters)
    result = optimize.minimize(
        Loss(sample, centre, spread),
        centre,
        jac=True,
        method="L-BFGS-B",
        bounds=[(c - BOUND, c + BOUND) for c in centre],
        options={"maxiter": STEPS},
    )
    return np.asarray(result.x)


def prior(data: Array, clusters: Sequence[Array] = ()) -> tuple[Array, Array]:
    """Mean and sd of the logarithms of the kernel parameters: the more dimensions, the less each matters."""
    strengths, numbers = max(int(data.sum()), 1), max(int((~data).sum()), 1)
    layout = Layout(data, clusters)
    centre, spread = np.zeros(layout.size), np.ones(layout.size)
    centre[:GROUPS] = np.log([2.0 / strengths, 1.0 / numbers, 0.5 / strengths, 10.0 / numbers])
    centre[GROUPS : GROUPS + LENGTHS] = np.log([1.0 / strengths, 2.0 / numbers])
    spread[: GROUPS + LENGTHS] = GROUP_SPREAD
    spread[layout.linear] = OWN_SPREAD
    spread[layout.inverse] = OWN_SPREAD
    centre[layout.singles] = np.log([0.3, 1.0 / strengths**2, 0.1, 0.02])
    spread[layout.singles] = [1.5, 2.0, 1.0, 1.0]
    centre[layout.bands] = np.log(CLUSTER_SHARE / strengths)
    spread[layout.bands] = GROUP_SPREAD
    return centre, spread


def _noise(sample: Sample, scales: Scales) -> Array:
    same = sample.seeds[:, None] == sample.seeds[None, :]
    return np.asarray(scales.seed * same + np.diag(scales.noise * sample.noise))


@final
class Loss:
    """Negative penalised log evidence and its gradient (Rasmussen and Williams 2006, eq. 5.8 and 5.9)."""

    def __init__(self, sample: Sample, centre: Array, spread: Array) -> None:
        x = sample.features
        self._sample, self._centre, self._spread = sample, centre, spread
        self._layout, self._phi = Layout(sample.data, sample.clusters), basis(x, sample.data)
        self._paired, self._squared = (x @ x.T) ** 2, (x * x).T
        self._same = sample.seeds[:, None] == sample.seeds[None, :]

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Loss and gradient at the logarithms of the parameters."""
        sample, layout, phi, same = self._sample, self._layout, self._phi, self._same
        x, scales = sample.features, layout.scales(theta)
        square = squared_distance(x, x, scales.inverse)
        curved, pairs = matern(square, scales.curved), scales.pairs * self._paired
        gram = 1.0 + (phi * scales.linear) @ phi.T + curved + pairs + scales.seed * same
        sums = [x @ band for band in scales.clusters]
        for one in sums:
            gram += one @ one.T
        gram[np.diag_indices_from(gram)] += scales.noise * sample.noise + JITTER
        try:
            factor = linalg.cholesky(gram, lower=True, check_finite=False)
        except linalg.LinAlgError:
            return 1e10, np.zeros_like(theta)
        alpha = linalg.cho_solve((factor, True), sample.target, check_finite=False)
        inverse, _ = linalg.lapack.dpotri(factor, lower=1)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        if alpha.ndim == 1:
            weight, fit = inverse - np.outer(alpha, alpha), sample.target @ alpha
        else:
            count = alpha.shape[1]
            weight, fit = inverse - alpha @ alpha.T / count, (sample.target * alpha).sum() / count
        slope = weight * matern_slope(square, scales.curved)
        singles = np.array(
            [
                (weight * curved).sum(),
                (weight * pairs).sum(),
                (np.diag(weight) * sample.noise).sum() * scales.noise,
                (weight * same).sum() * scales.seed,
            ]
        )
        gradient = 0.5 * layout.gradient(
            (phi * (weight @ phi)).sum(0) * scales.linear,
            2.0 * (self._squared @ slope.sum(1) - (x * (slope @ x)).sum(0)) * scales.inverse,
            singles,
            np.array([(one * (weight @ one)).sum() for one in sums]),
        )
        pull = (theta - self._centre) / self._spread
        loss = 0.5 * fit + np.log(np.diag(factor)).sum() + 0.5 * pull @ pull
        return float(loss), gradient + pull / self._spread
