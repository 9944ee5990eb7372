"""How an error moves with the rows of one dataset, out of trainings in which all else moves too.

The trainings of a search differ in every weight and setting at once. So errors are regressed on all of it together, by
ridge, its penalty by the evidence of the data: one column for each step of the rows of the dataset asked for, one for
each other dataset, and those of the settings. On a logarithmic scale, for what data and settings do multiplies. What
cannot be told apart is shared out, and its points weigh little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from autodc.diagnose.curves import Point

Array = np.ndarray[Any, Any]

STEPS = 5
"""Points at most that have rows of the dataset; where trainings have more different numbers they are put together."""
LEAST_TRAININGS = 12
"""Below which nothing is said."""
WIDE = 20.0
"""Largest over least value from which a setting is looked at by its logarithm."""
NEAR = 0.05
"""Of the scale of an error: it is added before the logarithm, so that small errors are not all there is."""
PENALTIES = np.geomspace(1e-3, 1e3, 25)
"""Residual variance over that of an effect."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training, and the error of what is asked about."""

    rows: Mapping[str, float]
    """Dataset → rows of it that an epoch draws; what is absent has none."""
    error: float
    settings: Mapping[str, Any] = field(default_factory=dict)
    """All else that may move the error: hyperparameters, recipe."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Errors by rows of a dataset, all else as in one training."""

    points: tuple[Point, ...]
    noise: float
    """Standard deviation of the error of one training about what is known of it."""
    count: float
    """How many trainings that is worth."""


def sizes_of(trainings: Sequence[Training], dataset: str, at: Training, scale: float = 1.0) -> Sizes | None:
    """Tell the error by rows of a dataset; None where too few trainings differ in it.

    at: of this training all else is taken; scale: the size of an error, 1 for shares. The weight of a point is the
    number of trainings that it is worth.
    """
    own = np.array([one.rows.get(dataset, 0.0) for one in trainings], dtype=float)
    if len(trainings) < LEAST_TRAININGS or len(np.unique(own)) < 2:
        return None
    near = NEAR * scale
    error = np.log(np.array([one.error for one in trainings], dtype=float) + near)
    step, rows = _steps(own)
    mine = (step[:, None] == np.arange(1, len(rows))).astype(float)
    columns = np.concatenate([mine, _beside(trainings, dataset, at), _settings(trainings, at)], axis=1)
    mean, covariance, noise, count = _ridge(columns, error)
    of = np.eye(1 + columns.shape[1])[: len(rows)]
    of[:, 0] = 1.0
    variance, level = np.einsum("ij,jk,ik->i", of, covariance, of), np.exp(of @ mean)
    usual = float(level.mean())
    points = (
        Point(rows=float(n), error=max(0.0, float(e - near)), weight=float(min(len(error), (usual / e) ** 2 / v)))
        for n, e, v in zip(rows, level, variance, strict=True)
    )
    return Sizes(points=tuple(points), noise=noise * usual, count=count)


def _steps(own: Array) -> tuple[Array, Array]:
    """The step of each training, from 0, shape (n,), and the rows of each step; the first has the fewest."""
    values = np.unique(own)
    if len(values) <= STEPS + 1:
        return np.searchsorted(values, own), values
    some = own[own > values[0]]
    edges = np.unique(np.quantile(some, np.linspace(0, 1, STEPS + 1)[1:-1]))
    step = np.where(own > values[0], 1 + np.searchsorted(edges, own, side="right"), 0)
    _, step = np.unique(step, return_inverse=True)
    return step, np.bincount(step, own) / np.bincount(step)


def _beside(trainings: Sequence[Training], dataset: str, at: Training) -> Array:
    """A column for each other dataset that moves: the root of its share of the most rows, less that of `at`."""
    names = sorted({name for one in trainings for name in one.rows} - {dataset})
    found = np.array([[one.rows.get(name, 0.0) for name in names] for one in (*trainings, at)], dtype=float)
    found = np.sqrt(found / np.maximum(found.max(axis=0, initial=0.0), 1.0))
    moved = found[:-1] - found[-1]
    return np.asarray(moved[:, found[:-1].std(axis=0) > 0])


def _settings(trainings: Sequence[Training], at: Training) -> Array:
    """Columns of the settings, 0 as in `at`: of numbers the value and its square, of anything else a column a value."""
    columns: list[Array] = []
    for name in sorted({name for one in trainings for name in one.settings}):
        values = [one.settings.get(name) for one in (*trainings, at)]
        if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
            numbers = np.array(values, dtype=float)
            if numbers.min() > 0 and numbers.max() > WIDE * numbers.min():
                numbers = np.log(numbers)
            if (spread := numbers[:-1].std()) > 0:
                moved = (numbers[:-1] - numbers[-1]) / spread
                columns += [moved, moved**2]
            continue
        words = [repr(value) for value in values]
        columns += [np.array([float(w == word) for w in words[:-1]]) for word in sorted(set(words) - {words[-1]})]
    return np.stack(columns, axis=1) if columns else np.zeros((len(trainings), 0))


def _ridge(columns: Array, error: Array) -> tuple[Array, Array, float, float]:
    """Coefficients, their covariance over the noise's variance, the noise, and how many trainings tell it.

    The first coefficient is the level, which is not shrunk. The penalty is the one of most evidence.
    """
    rows, width = columns.shape
    free, centred, level = rows - 1.0, columns - columns.mean(axis=0), error - error.mean()
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    along = (left.T @ level) ** 2
    kept = values**2 / (values**2 + PENALTIES[:, None])
    lost = level @ level - kept @ along + 1e-12
    evidence = -0.5 * np.log(1 + values**2 / PENALTIES[:, None]).sum(axis=1) - free / 2 * np.log(lost)
    best = int(evidence.argmax())
    wide = np.concatenate([np.ones((rows, 1)), columns], axis=1)
    covariance = np.linalg.inv(wide.T @ wide + np.diag([0.0, *[PENALTIES[best]] * width]))
    return covariance @ wide.T @ error, covariance, float(np.sqrt(lost[best] / free)), free
