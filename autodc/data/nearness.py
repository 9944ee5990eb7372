"""Rows that lie far nearer to a training row than training rows lie to one another: copies with noise on them.

Near copies have a fixed tolerance (data/overlap.py); noise beyond it hides a copy from that, not from this.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np

from autodc.data.dataset import Dataset
from autodc.data.hashing import BATCH, among
from autodc.data.near import TABLE_TOLERANCE, Looked, comparable, distinct, near
from autodc.data.views import is_pictures, is_text
from autodc.large import evenly
from autodc.table import Inputs

Array = np.ndarray[Any, Any]

CLOSE = 0.25
"""Share of the usual distance between neighbours of the training set within which a row is no neighbour but a copy."""
SAMPLED = 1000
"""Of so many rows of a dataset the distance to their neighbour is taken."""
MOST_KNOWN = 20_000
"""Among so many held-out rows, or as many as there are training rows, the neighbour is sought."""
LEAST = 30
"""Fewer distinct training rows have no usual distance."""


@final
class Nearness:
    """How near the rows of a held-out part lie to a training dataset, and to one another."""

    def __init__(self, training: Dataset, part: Dataset) -> None:
        self._training, self._view = training, comparable(training)
        self._distinct = distinct(training.hashes)
        others = evenly(distinct(part.hashes), max(MOST_KNOWN, len(self._distinct)))
        some = evenly(others, SAMPLED)
        self._apart = np.full(len(some), np.inf)
        if len(others) >= 2:
            _, self._apart = _nearest(self._view, part.x, others, part.x[some], some)
        self._denser = len(self._distinct) / max(1, len(others))

    def by_chance(self, within: float) -> float:
        """The share of held rows that have an independent training row so near.

        From how often they are so near to one another: where columns are few, rows are near without being copies.
        """
        if not len(self._apart):
            return 0.0
        return min(1.0, float(np.mean(self._apart <= within)) * max(1.0, self._denser))

    def huddled(self, held: Dataset) -> tuple[Array, Array, float]:
        """Return rows of `held` that are copies with noise, shape (k,), their training rows, and how near is so.

        They lie within CLOSE of the usual distance between neighbours of the training dataset. At most SAMPLED rows of
        `held` are looked at, evenly.
        """
        nothing = np.zeros(0, dtype=int), np.zeros(0, dtype=int), 0.0
        if len(self._distinct) < LEAST or not len(held):
            return nothing
        some, asked = evenly(self._distinct, SAMPLED), evenly(len(held), SAMPLED)
        _, apart = _nearest(self._view, self._training.x, self._distinct, self._training.x[some], some)
        within = CLOSE * float(np.median(apart))
        row, distance = _nearest(self._view, self._training.x, self._distinct, held.x[asked], None)
        near = distance < within
        return asked[near], row[near], within


def near_copies(training: Looked, held: Looked) -> tuple[Array, Array]:
    """Held rows that are a training row but for noise, and these, shape (k,): not equal ones, and nothing by chance.

    In a table of few columns rows lie near one another by chance: nothing is said where held rows do so as often.
    """
    found = near(training, held)
    unlike = ~among(held.data.hashes[found.held], training.data.hashes)
    rows, others = found.held[unlike], found.training[unlike]
    some = held.data.x
    if len(rows) and not (is_pictures(some) or is_text(some)):
        share = Nearness(training.data, held.data).by_chance(TABLE_TOLERANCE)
        if not beyond(len(rows), len(held.data), share):
            return rows[:0], others[:0]
    return rows, others


def beyond(found: int, of: int, by_chance: float) -> int:
    """What was found, or nothing where chance explains it."""
    return found if found > 2 * by_chance * of + 4 * np.sqrt(by_chance * of) else 0


def _nearest(view: Any, known: Inputs, rows: Array, asked: Inputs, itself: Array | None) -> tuple[Array, Array]:
    """The nearest of the known rows of each asked row, and its distance. itself: position not to be found."""
    sought = view(asked)
    length = (sought**2).sum(axis=1)
    best, where = np.full(len(asked), np.inf), np.zeros(len(asked), dtype=int)
    for start in range(0, len(rows), BATCH):
        there = view(known[rows[start : start + BATCH]])
        square = length[:, None] + (there**2).sum(axis=1)[None] - 2.0 * sought @ there.T
        if itself is not None:
            square[rows[start : start + BATCH][None] == itself[:, None]] = np.inf
        nearest = square.argmin(axis=1)
        found = np.maximum(square[np.arange(len(asked)), nearest], 0.0)
        closer = found < best
        best[closer], where[closer] = found[closer], rows[start + nearest[closer]]
    return where, np.sqrt(best)
