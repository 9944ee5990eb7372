"""Learning curves: how much more rows of a dataset would help a slice, with an interval.

e(n) = e0 · (f + (1 − f) · (1 + n/s)^−b): e0 the error without them, s the rows from which they show, b how fast, f the
share of it that no rows cure, as likely 0 as not. The few points that a study has do not settle four numbers, so none
is picked: every curve of a grid is weighed by how well it fits, and what is said of another n is the mean and the
spread over all of them. Noise is judged from the points, with a prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.errors import DataError

Array = np.ndarray[Any, Any]

COVERED = 0.9
"""Of all intervals here."""
LEAST_SIZES = 3
"""Different numbers of rows below which a curve is told as hardly known: its interval is mostly the prior's."""
SPEEDS = np.linspace(0.02, 1.5, 20)
"""b, all equally likely beforehand."""
SCALES, LEAST_SCALE, MOST_SCALE = 21, 1 / 300, 3.0
"""Values of s, from so much of the smallest step to so many times the largest n, logarithmic."""
FLOORS = np.array([0.0, 0.2, 0.4, 0.6, 0.8])
FLOOR_CHANCES = np.array([0.5, 0.125, 0.125, 0.125, 0.125])
"""f, and how likely each is beforehand."""
LEVELS = np.linspace(-4.0, 4.0, 13)
"""e0, in standard errors from what least squares says of it, given s and b; below zero it cannot be."""
NOISE, NOISE_WEIGHT = 0.02, 3.0
"""Standard deviation of an error of weight 1 beforehand, relative to `scale`, and how many points that is worth."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """An error that was measured."""

    rows: float
    """Rows that were trained on, beyond those that every training has; 0: none of them."""
    error: float
    """Of the slice, up is worse, 0 or more."""
    weight: float = 1.0
    """How much it counts: the number of trainings it is the mean of."""

    def to_dict(self) -> dict[str, float]:
        """JSON form."""
        return {"rows": round(self.rows, 2), "error": round(self.error, 6), "weight": round(self.weight, 4)}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is said of a number of rows: an error, or a gain."""

    rows: float
    mid: float
    low: float
    high: float
    """low, high: COVERED of the curves that the points allow."""

    def to_dict(self) -> dict[str, float]:
        """JSON form."""
        return {"rows": self.rows, **{n: round(float(getattr(self, n)), 6) for n in ("low", "mid", "high")}}


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """The curves that points allow, each with its weight."""

    points: tuple[Point, ...]
    start: Array
    scale: Array
    speed: Array
    floor: Array
    """start, scale, speed, floor: e0, s, b, f of m curves, shape (m,)."""
    weight: Array
    """Shape (m,), sums to 1."""
    noise: float
    """Standard deviation of an error of weight 1, about."""

    @property
    def is_known(self) -> bool:
        """Whether points of enough numbers of rows speak."""
        return len({one.rows for one in self.points}) >= LEAST_SIZES

    @property
    def reach(self) -> float:
        """The most rows that a point has."""
        return max(one.rows for one in self.points)

    def at(self, rows: float) -> Forecast:
        """The error with so many rows."""
        return self._told(rows, self._errors(rows))

    def gain(self, now: float, more: float) -> Forecast:
        """By how much the error falls from `now` rows to `now + more`."""
        return self._told(now + more, self._errors(now) - self._errors(now + more))

    def chance(self, now: float, more: float, least: float) -> float:
        """How likely `more` rows lower the error by `least` or more: what stops, or goes on, decides by."""
        return float(self.weight[self._errors(now) - self._errors(now + more) >= least].sum())

    def rows_for(self, error: float, most: float) -> float | None:
        """The fewest rows, up to `most`, with which the expected error is `error` or less; None: more than `most`."""
        low, high = 0.0, float(most)
        if self.at(high).mid > error:
            return None
        if self.at(0.0).mid <= error:
            return 0.0
        while high - low > max(1.0, 1e-3 * high):
            middle = (low + high) / 2
            low, high = (low, middle) if self.at(middle).mid <= error else (middle, high)
        return float(np.ceil(high))

    def to_dict(self) -> dict[str, Any]:
        """JSON form: the points, the curve in the middle, and what twice the rows would do."""
        middle = {"e0": self.start, "s": self.scale, "b": self.speed, "f": self.floor}
        now = self.reach
        return {
            "points": [one.to_dict() for one in self.points],
            "curve": {
                name: float(f"{_quantiles(values, self.weight, (0.5,))[0]:.4g}") for name, values in middle.items()
            },
            "known": self.is_known,
            "noise": round(self.noise, 6),
            "twice": self.at(2 * now).to_dict() if now else None,
            "gain": self.gain(now, now).to_dict() if now else None,
        }

    def _errors(self, rows: float) -> Array:
        return np.asarray(self.start * _shape(rows, self.scale, self.speed, self.floor))

    def _told(self, rows: float, values: Array) -> Forecast:
        tail = (1 - COVERED) / 2
        low, high = _quantiles(values, self.weight, (tail, 1 - tail))
        return Forecast(rows=float(rows), mid=float(values @ self.weight), low=low, high=high)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What a dataset on offer would do to a slice at full size, from trainings on a sample of it."""

    rows: int
    """Full size."""
    sampled: int
    """The most rows of it that were trained on."""
    gain: Forecast
    """Error without it minus error with all of it; above zero it helps."""
    chance: float
    """How likely it helps by `least` or more."""
    least: float
    known: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        head = {"rows": self.rows, "sampled": self.sampled, "known": self.known}
        return {**head, "gain": self.gain.to_dict(), "least": self.least, "chance": round(self.chance, 4)}


def learning_curve(
    points: Sequence[Point], scale: float = 1.0, *, noise: float | None = None, count: float = NOISE_WEIGHT
) -> Curve:
    """Weigh the curves that these points allow.

    scale: the size of an error in the metric's unit: 1 for shares; elsewhere about what the start has. noise: standard
    deviation of an error of weight 1 as `count` other observations tell it, in the metric's unit; None: what is usual.
    Raises DataError ADC-DIAG-053 where there is no point or a number of one cannot be.
    """
    _refused(points, scale)
    rows = np.array([one.rows for one in points], float)
    errors = np.array([one.error for one in points], float) / scale
    weights = np.array([one.weight for one in points], float)
    steps = rows[rows > 0]
    least, most = (steps.min(), steps.max()) if len(steps) else (1.0, 1.0)
    scales = np.geomspace(least * LEAST_SCALE, most * MOST_SCALE, SCALES)
    s, b, f = (one.ravel() for one in np.meshgrid(scales, SPEEDS, FLOORS, indexing="ij"))
    shape = _shape(rows[None, :], s[:, None], b[:, None], f[:, None])
    known = shape**2 @ weights
    best = (shape * weights) @ errors / known
    known_noise = NOISE if noise is None else max(noise / scale, 1e-6)
    prior, total = count * known_noise**2, len(points) + count
    least = ((errors - best[:, None] * shape) ** 2) @ weights
    spread = np.sqrt((prior + least) / total / known)
    start = (best[:, None] + spread[:, None] * LEVELS).reshape(-1)
    misfit = (least[:, None] + (known * spread**2)[:, None] * LEVELS**2).reshape(-1)
    beforehand = np.repeat(np.log(np.tile(FLOOR_CHANCES, len(scales) * len(SPEEDS))), len(LEVELS))
    like = np.where(start >= 0, beforehand - total / 2 * np.log(prior + misfit), -np.inf)
    density = np.exp(like - like.max()) * np.repeat(spread, len(LEVELS))
    density /= density.sum()
    s, b, f = (np.repeat(one, len(LEVELS)) for one in (s, b, f))
    kept = density > density.max() * 1e-4
    about = np.sqrt((prior + misfit @ density) / total)
    return Curve(
        points=tuple(points),
        start=start[kept] * scale,
        scale=s[kept],
        speed=b[kept],
        floor=f[kept],
        weight=density[kept] / density[kept].sum(),
        noise=float(about * scale),
    )


def worth(points: Sequence[Point], full: int, *, least: float = 0.0, scale: float = 1.0) -> Worth:
    """Say what a dataset on offer would do at full size, from trainings on samples of it and one without it.

    points: of samples of the dataset; rows are its own, 0 the trainings without it. A dataset that does harm has
    errors that rise with its rows, which no such curve has: its gain is then told as it was measured on the largest
    sample, with the noise of the two errors. Raises DataError ADC-DIAG-053.
    """
    curve = learning_curve(points, scale)
    sampled = int(curve.reach)
    measured, error = _measured(points, curve.noise)
    if measured < -error:
        gain = Forecast(rows=float(full), mid=measured, low=measured - 1.645 * error, high=measured + 1.645 * error)
        return Worth(rows=full, sampled=sampled, gain=gain, chance=0.0, least=least, known=curve.is_known)
    gain, chance = curve.gain(0.0, full), curve.chance(0.0, full, max(least, 1e-12))
    return Worth(rows=full, sampled=sampled, gain=gain, chance=chance, least=least, known=curve.is_known)


def sample_sizes(offered: int, count: int = 3) -> tuple[int, ...]:
    """Sample sizes to train on, rising, each twice the one before. offered: rows at hand."""
    return tuple(sorted({max(1, offered // 2**k) for k in range(count)}))


def _refused(points: Sequence[Point], scale: float) -> None:
    wrong = [
        f"rows {one.rows}, error {one.error}, weight {one.weight}"
        for one in points
        if not (np.isfinite([one.rows, one.error, one.weight]).all() and one.rows >= 0 <= one.error and one.weight > 0)
    ]
    if points and not wrong and scale > 0:
        return
    raise DataError(
        "ADC-DIAG-053",
        "A learning curve is fitted to points of rows ≥ 0, error ≥ 0 and weight > 0.",
        place="points",
        got=wrong[0] if wrong else "no point" if not points else f"scale {scale}",
        hint="give an error, not a score, of each training, with the rows that it was trained on",
    )


def _measured(points: Sequence[Point], noise: float) -> tuple[float, float]:
    """Error without minus error with the largest sample, and its standard error; 0 and ∞ where one is missing."""
    most = max(one.rows for one in points)
    parts = [[one for one in points if one.rows == rows] for rows in (0, most)]
    if not most or not all(parts):
        return 0.0, np.inf
    sums = [sum(one.weight for one in part) for part in parts]
    means = [sum(one.weight * one.error for one in part) / total for part, total in zip(parts, sums, strict=True)]
    return means[0] - means[1], float(noise * np.sqrt(sum(1 / total for total in sums)))


def _shape(rows: Array | float, scale: Array, speed: Array, floor: Array) -> Array:
    """What is left of the error without rows."""
    return np.asarray(floor + (1 - floor) * (1 + rows / scale) ** -speed)


def _quantiles(values: Array, weights: Array, shares: Sequence[float]) -> list[float]:
    order = np.argsort(values)
    found = np.searchsorted(np.cumsum(weights[order]), shares)
    return [float(one) for one in values[order][np.minimum(found, len(values) - 1)]]
