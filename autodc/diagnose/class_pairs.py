"""Pairs of classes that are confused more often one way than overlap of the two explains."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import scipy

from autodc.diagnose.chances import LEAST_OF_PAIR, LEVEL, holm
from autodc.diagnose.check import plain

Array = np.ndarray[Any, Any]

LEVEL_OF_MODEL = 0.001
"""As LEVEL, of what is told against what a model expects; no model knows that so well for every two classes."""
MISCALIBRATED = 1.5
"""How many times more often than a calibrated model expects two classes may be confused; it is less well calibrated for
two than for all."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPair:
    """Rows labelled as one class that look like another."""

    given: Any
    likely: Any
    rows: int
    reverse: int
    """The same the other way round."""
    expected: float
    """As many as overlap of the two classes explains."""
    share: float
    """Of the rows labelled `given`."""
    chance: float
    """Of so many this way rather than the other, were it overlap; Holm's correction over pairs."""
    is_told: bool
    """Whether overlap does not explain it."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "given": plain(self.given),
            "likely": plain(self.likely),
            "rows": self.rows,
            "reverse": self.reverse,
            "expected": round(self.expected, 2),
            "share": round(self.share, 4),
            "chance": float(f"{self.chance:.2g}"),
            "told": self.is_told,
        }


def class_pairs(
    given: Array, shares: Array, flagged: Array, names: tuple[Any, ...], learned: bool
) -> tuple[ClassPair, ...]:
    """Count the suspects of each two classes, and how many overlap explains.

    given: places of the labels, flagged: which are suspects; shape (n,). shares: shape (n, classes). learned: as in
    `wrong_labels`.
    """
    likely = shares.argmax(axis=1)
    count, unsure = _counts(given[flagged], likely[flagged]), _counts(given[~flagged], likely[~flagged])
    sizes, calibrated = np.bincount(given, minlength=len(names)), shares if learned else _calibrated(given, shares)
    told: list[tuple[tuple[int, int], float, float]] = []
    for a, b in sorted(count):
        rows, reverse = count[a, b], count[b, a]
        if learned:
            natural = _natural(unsure[a, b], unsure[b, a], sizes[b] / (sizes[a] + sizes[b]))
            expected, chance = (
                (rows + reverse) * natural,
                float(scipy.stats.binom.sf(rows - 1, rows + reverse, natural)),
            )
        else:
            every, means = rows + unsure[a, b], MISCALIBRATED * float(calibrated[likely == b, a].sum())
            expected, chance = means * rows / every, float(scipy.stats.poisson.sf(every - 1, means))
        told.append(((a, b), expected, chance if rows >= LEAST_OF_PAIR and rows > expected else 1.0))
    tried = [k for k, (_, _, chance) in enumerate(told) if chance < 1.0]
    corrected = dict(zip(tried, holm([told[k][-1] for k in tried]), strict=True))
    level = LEVEL if learned else LEVEL_OF_MODEL
    pairs = [
        ClassPair(
            given=names[a],
            likely=names[b],
            rows=count[a, b],
            reverse=count[b, a],
            expected=expected,
            share=count[a, b] / sizes[a],
            chance=corrected.get(k, 1.0),
            is_told=corrected.get(k, 1.0) < level,
        )
        for k, ((a, b), expected, _) in enumerate(told)
    ]
    return tuple(sorted(pairs, key=lambda one: (one.expected - one.rows, -one.rows)))


def _counts(given: Array, likely: Array) -> Counter[tuple[int, int]]:
    return Counter(zip(given.tolist(), likely.tolist(), strict=True))


def _natural(way: int, other: int, larger: float) -> float:
    """The share of the rows of two overlapping classes that is confused one way.

    As of the rows that are not flagged: a model that favours a class does so there too; and no less than half, nor
    than the share of the class that they are confused with.
    """
    return max(0.5, larger, (way + 1) / (way + other + 2))


def _calibrated(given: Array, shares: Array) -> Array:
    """Probabilities at the temperature at which they say best how often each label stands there."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    logs, every = np.log(shares + 1e-9), np.arange(len(given))
    told = minimize_scalar(
        lambda slope: -float(log_softmax(np.exp(slope) * logs, axis=1)[every, given].mean()),
        bounds=(np.log(0.1), np.log(10.0)),
        method="bounded",
    )
    return np.asarray(np.exp(log_softmax(np.exp(told.x) * logs, axis=1)))
