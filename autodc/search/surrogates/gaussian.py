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
        prior, _, rest = self.drawn(rng, self._features)
        update = linalg.cho_solve((self._factor, True), rest, check_finite=False)
        return prior + Surface.seen(self._features, update, self._data, self._scales)

    def drawing(self, features: Array) -> Draws:
        """Many draws at these rows."""
        return Draws(self, features)

    def beside(self, features: Array) -> Array:
        """The features of the trainings with these rows below them."""
        return np.vstack([self._features, features])

    def drawn(self, rng: np.random.Generator, rows: Array) -> tuple[Surface, Array, Array]:
        """What is random in a draw: the prior, its values at rows, and what the trainings disagree with it by.

        rows: the features of the trainings, then any others; the values are those at the others.
        """
        prior, scales, n = Surface.prior(self._data, self._scales, rng), self._scales, len(self._target)
        noise = np.sqrt(scales.noise * self._sample.noise) * rng.standard_normal(n)
        shared = np.sqrt(scales.seed) * rng.standard_normal(n)[self._sample.seeds]
        values = prior(rows)
        return prior, values[n:], self._target - values[:n] - noise - shared

    def corrected(self, rest: Array, features: Array) -> Array:
        """What the trainings correct draws of the prior by, at rows `features`. rest: (n, count); shape (count, m)."""
        update = linalg.cho_solve((self._factor, True), rest, check_finite=False)
        scales = self._scales
        linear = 1.0 + (basis(features, self._data) * scales.linear) @ basis(self._features, self._data).T
        for band in scales.clusters:
            linear += (features @ band) @ (self._features @ band).T
        near, far = features.astype(np.float32), self._features.astype(np.float32)
        square = squared_distance(near, far, scales.inverse.astype(np.float32))
        known = linear + scales.pairs * (features @ self._features.T) ** 2 + matern(square, scales.curved)
        return np.asarray((known @ update).T)

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
    """Many draws of one posterior at the same rows; what corrects them is solved for together."""

    def __init__(self, model: GaussianProcess, features: Array) -> None:
        self._model, self._features = model, features
        self._rows = model.beside(features)
        self._prior: list[Array] = []
        self._rest: list[Array] = []

    def draw(self, rng: np.random.Generator) -> None:
        """Take from `rng` what one draw takes."""
        _, values, rest = self._model.drawn(rng, self._rows)
        self._prior.append(values)
        self._rest.append(rest)

    def values(self) -> Array:
        """The values of all draws, shape (count, m)."""
        return np.array(self._prior) + self._model.corrected(np.column_stack(self._rest), self._features)


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
