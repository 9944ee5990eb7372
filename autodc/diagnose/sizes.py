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


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """What errors are regressed on to tell them by rows of one dataset."""

    rows: Array
    """Of the dataset, of each step."""
    values: Array
    """Shape (trainings, columns)."""
    left: Array
    sizes: Array
    """left, sizes: of the singular value decomposition of the columns, each less its mean."""
    gram: Array
    """The columns with the level before them, times themselves."""

    @property
    def wide(self) -> Array:
        """The columns with the level before them."""
        return np.concatenate([np.ones((len(self.values), 1)), self.values], axis=1)


@final
class Design:
    """Plans that were trained, as regressions see them; what is worked out of them serves the errors of any rows."""

    def __init__(self, trainings: Sequence[Training], at: Training) -> None:
        """at: of this training all else is taken. What errors the trainings have is not looked at."""
        self._trainings, self._at = trainings, at
        self._names = sorted({name for one in trainings for name in one.rows})
        rows = [[one.rows.get(name, 0.0) for name in self._names] for one in (*trainings, at)]
        self._rows = np.array(rows, dtype=float).reshape(len(trainings) + 1, len(self._names))
        self._settings = _settings(trainings, at)
        self._known = dict[str, Columns | None]()

    def columns(self, dataset: str) -> Columns | None:
        """Those for a dataset; None where too few trainings differ in it."""
        if dataset not in self._known:
            self._known[dataset] = self._of(dataset)
        return self._known[dataset]

    def _of(self, dataset: str) -> Columns | None:
        own = self._rows[:-1, self._names.index(dataset)] if dataset in self._names else np.zeros(len(self._trainings))
        if len(own) < LEAST_TRAININGS or len(np.unique(own)) < 2:
            return None
        step, rows = _steps(own)
        mine = (step[:, None] == np.arange(1, len(rows))).astype(float)
        beside = _beside(self._rows[:, [name != dataset for name in self._names]])
        values = np.concatenate([mine, beside, self._settings], axis=1)
        left, sizes, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
        wide = np.concatenate([np.ones((len(values), 1)), values], axis=1)
        return Columns(rows=rows, values=values, left=left, sizes=sizes, gram=wide.T @ wide)


def sizes_of(
    trainings: Sequence[Training], dataset: str, at: Training, scale: float = 1.0, design: Design | None = None
) -> Sizes | None:
    """Tell the error by rows of a dataset; None where too few trainings differ in it.

    at: of this training all else is taken; scale: the size of an error, 1 for shares; design: of the same trainings,
    where it is there already. The weight of a point is the number of trainings that it is worth.
    """
    known = (design or Design(trainings, at)).columns(dataset)
    if known is None:
        return None
    near, rows = NEAR * scale, known.rows
    error = np.log(np.array([one.error for one in trainings], dtype=float) + near)
    mean, covariance, noise, count = _ridge(known, error)
    of = np.eye(1 + known.values.shape[1])[: len(rows)]
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


def _beside(rows: Array) -> Array:
    """A column for each other dataset that moves: the root of its share of the most rows, less that of the last."""
    found = np.sqrt(rows / np.maximum(rows.max(axis=0, initial=0.0), 1.0))
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


def _ridge(known: Columns, error: Array) -> tuple[Array, Array, float, float]:
    """Coefficients, their covariance over the noise's variance, the noise, and how many trainings tell it.

    The first coefficient is the level, which is not shrunk. The penalty is the one of most evidence.
    """
    rows, width = known.values.shape
    free, level, values = rows - 1.0, error - error.mean(), known.sizes
    along = (known.left.T @ level) ** 2
    kept = values**2 / (values**2 + PENALTIES[:, None])
    lost = level @ level - kept @ along + 1e-12
    evidence = -0.5 * np.log(1 + values**2 / PENALTIES[:, None]).sum(axis=1) - free / 2 * np.log(lost)
    best = int(evidence.argmax())
    covariance = np.linalg.inv(known.gram + np.diag([0.0, *[PENALTIES[best]] * width]))
    return covariance @ known.wide.T @ error, covariance, float(np.sqrt(lost[best] / free)), free
