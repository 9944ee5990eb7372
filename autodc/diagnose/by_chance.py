"""Datasets whose labels are as if by chance: a model of a dataset's own rows knows no label, and of others' it does.

Rows that are merely hard, or of a kind that no other dataset has, are told by a model of rows like them; each dataset
is judged by its own, for between datasets a hard one and a careless one look the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.diagnose.labels import LEAST_OF_CLASS, LEAST_ROWS
from autodc.large import distinct_values
from autodc.stats.rank import ranks

Array = np.ndarray[Any, Any]

TELLS_LITTLE = 0.6
"""Area under the ROC curve below which, at its upper bound, labels are as if by chance; at .5 they are."""
TELLS_ENOUGH = 0.65
"""What another dataset has to reach at its lower bound, or labels may be no matter of such coordinates."""
KNOWN_TO = 0.1
"""How exactly the area has to be known, from its middle to its bound: of a class of a few rows it says little."""
SIDE = 1.645
"""One-sided 95%."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Learnable:
    """How well the labels of a dataset are known to a model that learned from its other rows."""

    name: str
    auc: float
    """Area under the ROC curve, one class against the rest, their mean."""
    low: float
    high: float
    """low, high: one-sided 95% each, from the variance where labels are by chance (Hanley and McNeil 1982)."""


def learnable(name: str, codes: Array, shares: Array, units: Array) -> Learnable | None:
    """Return how well labels are known; None of too few rows, or fewer than two classes of enough rows.

    codes: the column of each label, shape (n,). shares: probabilities of a model that has not seen the row, shape
    (n, classes). units: shape (n,), rows of one number are one observation.
    """
    observed = len(distinct_values(units))
    sizes = np.bincount(codes, minlength=shares.shape[1])
    some = np.flatnonzero((sizes >= LEAST_OF_CLASS) & (len(codes) - sizes >= LEAST_OF_CLASS))
    if observed < LEAST_ROWS or len(some) < 2:
        return None
    areas, variances = [], []
    for one in some:
        inside, size = codes == one, int(sizes[one])
        rest = len(codes) - size
        areas.append((ranks(shares[:, one])[inside].sum() - size * (size + 1) / 2) / (size * rest))
        variances.append((len(codes) + 1) / (12 * size * rest))
    area = float(np.mean(areas))
    error = SIDE * float(np.sqrt(np.mean(variances) / (len(some) - 1) * len(codes) / observed))
    return Learnable(name=name, auc=area, low=area - error, high=area + error)


def by_chance(known: Sequence[Learnable]) -> tuple[str, ...]:
    """Names of the datasets whose labels are as if by chance, where those of another one can be learned."""
    if not any(one.low >= TELLS_ENOUGH for one in known):
        return ()
    return tuple(one.name for one in known if one.high < TELLS_LITTLE and one.high - one.auc <= KNOWN_TO)
