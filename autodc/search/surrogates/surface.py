"""A function of the cube that costs little to evaluate: a posterior mean, or one draw of the posterior.

f(x) = c + l·φ(x) + xᵀQx + Σ_i a_i m(x, x_i) + b·cos(Ωx + τ): what the kernel is linear in is held as weights, only the
Matérn part looks at the trainings, and only a draw has random features (Rahimi and Recht 2007). Exponentials and
cosines are taken in single precision, at a tenth of the cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.search.surrogates.kernel import Scales, basis, matern, squared_distance

Array = np.ndarray[Any, Any]

FREQUENCIES = 256


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """The parts of f."""

    data: Array
    """Which features are strengths (F,)."""
    scales: Scales
    constant: float
    linear: Array
    square: Array
    centres: Array
    """(n, F)."""
    heights: Array
    waves: Array
    """(F, R), may have no column."""
    phases: Array
    amplitude: Array

    @classmethod
    def seen(cls, features: Array, update: Array, data: Array, scales: Scales) -> Surface:
        """Σ_i update_i k(x, x_i)."""
        width = features.shape[1]
        linear = scales.linear * (basis(features, data).T @ update)
        for band in scales.clusters:
            linear[: int(data.sum())] += (band @ ((features @ band).T @ update))[data]
        return cls(
            data=data,
            scales=scales,
            constant=float(update.sum()),
            linear=linear,
            square=scales.pairs * (features.T * update) @ features,
            centres=features,
            heights=update,
            waves=np.zeros((width, 0)),
            phases=np.zeros(0),
            amplitude=np.zeros(0),
        )

    @classmethod
    def prior(cls, data: Array, scales: Scales, rng: np.random.Generator) -> Surface:
        """One draw of the prior; the frequencies of a Matérn-5/2 are those of a t distribution of 5 degrees."""
        width = len(data)
        heavy = np.sqrt(5.0 / rng.chisquare(5.0, FREQUENCIES))
        constant = float(rng.standard_normal())
        linear = np.sqrt(scales.linear) * rng.standard_normal(len(scales.linear))
        for band in scales.clusters:
            linear[: int(data.sum())] += (band @ rng.standard_normal(band.shape[1]))[data]
        return cls(
            data=data,
            scales=scales,
            constant=constant,
            linear=linear,
            square=np.sqrt(scales.pairs) * rng.standard_normal((width, width)),
            centres=np.zeros((0, width)),
            heights=np.zeros(0),
            waves=np.sqrt(scales.inverse)[:, None] * rng.standard_normal((width, FREQUENCIES)) * heavy,
            phases=rng.uniform(0.0, 2 * np.pi, FREQUENCIES),
            amplitude=np.sqrt(2.0 * scales.curved / FREQUENCIES) * rng.standard_normal(FREQUENCIES),
        )

    def __add__(self, other: Surface) -> Surface:
        return Surface(
            data=self.data,
            scales=self.scales,
            constant=self.constant + other.constant,
            linear=self.linear + other.linear,
            square=self.square + other.square,
            centres=np.vstack([self.centres, other.centres]),
            heights=np.concatenate([self.heights, other.heights]),
            waves=np.hstack([self.waves, other.waves]),
            phases=np.concatenate([self.phases, other.phases]),
            amplitude=np.concatenate([self.amplitude, other.amplitude]),
        )

    def __call__(self, features: Array) -> Array:
        """Values at rows of features, shape (m,)."""
        value = self.constant + basis(features, self.data) @ self.linear
        value += ((features @ self.square) * features).sum(1)
        if len(self.heights):
            near, far = features.astype(np.float32), self.centres.astype(np.float32)
            square = squared_distance(near, far, self.scales.inverse.astype(np.float32))
            value += matern(square, self.scales.curved) @ self.heights
        if len(self.amplitude):
            turns = features.astype(np.float32) @ self.waves.astype(np.float32) + self.phases.astype(np.float32)
            value += np.cos(turns, out=turns) @ self.amplitude
        return np.asarray(value)
