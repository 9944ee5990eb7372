"""How much some rows weigh as a suspicion: how many they are, and how much more the model errs on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from autodc.diagnose.view import View

Array = np.ndarray[Any, Any]

POWER = 0.3
"""Of the number of rows: .5 would rank by significance and take in much that passes, 0 by error alone."""
DOUBT = 2.0
"""Standard errors that are taken off an error before it is ranked: the best of many is the luckiest."""
AT_ONCE = 1 << 24
"""Cells of masks that are numbers at once."""
LEAST_ROWS, LEAST_SHARE = 12, 0.01
"""A suspicion has so many units at least, and such a share of all."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Errors:
    """What rows cost, and how much each still counts; rows of a group count less, the more alike they are."""

    excess: Array
    """Shape (n,)."""
    weights: Array
    """Shape (n,)."""
    least: float
    """Weight that a suspicion has at least."""

    @classmethod
    def of(cls, view: View) -> Self:
        """Those of a view; NaN counts as no error."""
        if not len(view):
            return cls(excess=np.zeros(0), weights=np.zeros(0), least=float(LEAST_ROWS))
        _, place, count = np.unique(view.groups, return_inverse=True, return_counts=True)
        excess = np.nan_to_num(view.excess)
        return cls(
            excess=excess,
            weights=1 / (1 + (count[place] - 1) * _likeness(excess, place, count)),
            least=max(LEAST_ROWS, LEAST_SHARE * len(count)),
        )

    def without(self, rows: Array) -> Self:
        """The same where rows no longer count. rows: n booleans."""
        return type(self)(excess=self.excess, weights=np.where(rows, 0.0, self.weights), least=self.least)

    @property
    def mean(self) -> float:
        """Of what still counts."""
        total = self.weights.sum()
        return float(self.weights @ self.excess / total) if total else 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation of what still counts."""
        total = self.weights.sum()
        return float(np.sqrt(self.weights @ (self.excess - self.mean) ** 2 / total)) if total else 0.0

    def scores(self, masks: Array) -> Array:
        """Shape (m,). masks: shape (m, n) of booleans."""
        weights, costs = self.weights.astype(np.float32), (self.weights * self.excess).astype(np.float32)
        sums = [(inside @ weights, inside @ costs) for inside in as_numbers(masks, np.float32)]
        return self.score(np.concatenate([count for count, _ in sums]), np.concatenate([total for _, total in sums]))

    def parted(self, masks: Array) -> Array:
        """How well rows inside are told from the rest by their errors, shape (m,): where an edge truly is, it is most.

        masks: shape (m, n) of booleans. It is the root of the errors' variation that they explain; 0 where too few.
        """
        inside = masks.astype(np.float64)
        count, total = inside @ self.weights, inside @ (self.weights * self.excess)
        lift = total / np.maximum(count, 1e-9) - self.mean
        return np.where(count >= self.least, np.sqrt(count) * np.maximum(lift, 0), 0.0)

    def score(self, count: Array, total: Array) -> Array:
        """Of rows that weigh so much and cost so much in all; 0 where they are too few or not worse than the rest."""
        enough = np.maximum(count, 1e-9)
        lift = total / enough - self.mean - DOUBT * self.deviation / np.sqrt(enough)
        return np.where(count >= self.least, enough**POWER * np.maximum(lift, 0), 0.0)


def _likeness(values: Array, place: Array, count: Array) -> float:
    """How alike the rows of a group are, 0 … 1: the intraclass correlation, by the analysis of variance.

    place: the group of each row, shape (n,); count: rows of each. A row of a group of m adds 1 / (1 + (m − 1)·this) to
    what is known (Kish 1965): a copy nothing, another view of the same thing much.
    """
    n, k = len(values), len(count)
    if n == k or k < 2:
        return 1.0
    means = np.bincount(place, weights=values) / count
    between = float(count @ (means - values.mean()) ** 2) / (k - 1)
    within = float(((values - means[place]) ** 2).sum()) / (n - k)
    size = (n - float(count @ count) / n) / (k - 1)
    whole = between + (size - 1) * within
    return float(np.clip((between - within) / whole, 0.0, 1.0)) if whole > 0 else 1.0


def as_numbers(masks: Array, kind: type[np.floating[Any]]) -> Iterator[Array]:
    """Masks as 0 and 1, some after some, so that never all of them are numbers at once; one piece at least.

    masks: shape (m, n) of booleans.
    """
    step = max(1, AT_ONCE // max(1, masks.shape[1]))
    return (masks[start : start + step].astype(kind) for start in range(0, max(1, len(masks)), step))
