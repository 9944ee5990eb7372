"""Whether suspicions hold on rows on which they were not found: interval, level and cost of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.special import stdtrit

from autodc.diagnose.finding import Gap
from autodc.diagnose.view import View
from autodc.stats.simultaneous import standard_errors

Array = np.ndarray[Any, Any]

LEAST_INSIDE = 8
"""Groups inside and outside below which nothing is confirmed."""
ALPHA = 0.05
"""Of all suspicions of a diagnosis together."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Confirmation:
    """One suspicion, tried on rows it was not found on."""

    mask: Array
    """Shape (n,): the rows inside."""
    gap: Gap
    confirmed: bool
    cost: float
    """Share of all errors on these rows that would be gone if rows inside were no worse than those outside."""


def tried(masks: Sequence[Array], view: View, alpha: float = ALPHA) -> tuple[Confirmation, ...]:
    """Try every suspicion, with intervals that hold together.

    masks: the rows of the view that each means, found without looking at them. A group of rows is one observation.
    Confirmed is what is worse inside, at alpha for all suspicions together (Bonferroni, both sides): where nothing is
    true, at most so many diagnoses confirm anything. The deviation is the larger of two, that of the difference and
    that as if there were none: a handful of rows that all fail would otherwise have no doubt at all.
    """
    if not masks:
        return ()
    excess, level = view.excess, 1 - alpha / (2 * len(masks))
    _, groups = np.unique(view.groups, return_inverse=True)
    return tuple(_of_one(np.asarray(mask, dtype=bool), view.error, excess, groups, level) for mask in masks)


def _of_one(mask: Array, error: Array, excess: Array, groups: Array, level: float) -> Confirmation:
    inside, outside = excess[mask], excess[~mask]
    count = min(len(np.unique(groups[mask])), len(np.unique(groups[~mask])))
    if count < 2:
        worst = Gap(inside=_mean(error[mask]), outside=_mean(error[~mask]), difference=0.0, low=-1.0, high=1.0)
        return Confirmation(mask=mask, gap=worst, confirmed=False, cost=0.0)
    difference = float(inside.mean() - outside.mean())
    as_seen = _deviation(np.where(mask, excess - inside.mean(), excess - outside.mean()), mask, groups)
    as_if_none = _deviation(excess - excess.mean(), mask, groups)
    factor = float(stdtrit(count - 1, level))
    reach = factor * max(as_seen, as_if_none)
    gap = Gap(
        inside=_mean(error[mask]),
        outside=_mean(error[~mask]),
        difference=difference,
        low=difference - reach,
        high=difference + reach,
    )
    total = float(error.sum())
    cost = max(0.0, difference) * len(inside) / total if total > 0 else 0.0
    return Confirmation(mask=mask, gap=gap, confirmed=count >= LEAST_INSIDE and gap.low > 0, cost=cost)


def _deviation(residual: Array, mask: Array, groups: Array) -> float:
    """Standard deviation of a difference of means, inside less outside, with groups as units."""
    share = np.where(mask, residual / mask.sum(), -residual / (~mask).sum())
    return float(standard_errors(np.bincount(groups, weights=share)))


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else 0.0
