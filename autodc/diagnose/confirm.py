"""Whether suspicions hold on rows on which they were not found: interval, level and cost of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.special import ndtri, stdtrit

from autodc.diagnose.finding import Gap
from autodc.diagnose.view import View, beyond
from autodc.large import distinct_values
from autodc.stats.simultaneous import standard_errors

Array = np.ndarray[Any, Any]

LEAST_INSIDE = 8
"""Groups inside and outside below which nothing is confirmed."""
ALPHA = 0.05
"""Of all suspicions of a diagnosis together, both sides; what is confirmed by luck alone is half of it at most."""
SQUARES = 6 / np.pi**2
"""Over the squares of all whole numbers this sums to 1."""
POWER = 0.8
"""Probability with which the rows that would settle a suspicion confirm it, if it is as large as it looks."""
MOST_ROWS = 50
"""Times the rows there are beyond which no number of rows is told: then a suspicion is as good as none."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Confirmation:
    """One suspicion, tried on rows it was not found on."""

    mask: Array
    """Shape (n,): the rows inside."""
    news: Array
    """Shape (n,): those of them that no suspicion before has; they are what is tried."""
    gap: Gap
    confirmed: bool
    cost: float
    """Share of all errors on these rows that would be gone if rows inside were no worse than those outside."""
    aside: int = 0
    """Rows that are neither inside nor what those inside were held against."""
    needed: float | None = None
    """Times as many rows like these of which POWER would confirm what is only suspected, 1 at least; None where no
    number can be told."""

    @property
    def explained(self) -> float:
        """Proportional to the variation of the errors that it explains: many rows, and much worse.

        By cost alone half of all rows, a little worse, would come before a tenth on which everything fails.
        """
        return self.cost * max(0.0, self.gap.difference)


def alpha_of(before: int) -> float:
    """What a diagnosis of a study spends after so many before it, on the same rows, of other incumbents.

    The first spends ALPHA, both sides, as if it were alone; all others together as much again, the n-th n⁻² of it: so
    in all rounds of a study, however many, a false finding is confirmed with probability ALPHA at most.
    """
    return ALPHA if before < 1 else ALPHA * float(SQUARES) / before**2


def tried(masks: Sequence[Array], view: View, alpha: float = ALPHA) -> tuple[Confirmation, ...]:
    """Try every suspicion in this order, with intervals that hold together.

    masks: the rows of the view that each means, found without looking at them, the surely worst first. A group of rows
    is one observation. Each is tried on the rows that none before it has, inside against outside: where half of the
    rows fail for two reasons, a third reason is no worse than the rest, and much worse than what is left of it. Of
    alpha the first gets most, the k-th a k-th of that, both sides (a weighted Bonferroni bound: masks and order do not
    depend on these rows): where nothing is true, at most alpha / 2 of diagnoses confirm anything. The deviation is the
    larger of two, that of the difference and that as if there were none: a handful of rows that all fail would
    otherwise have no doubt at all.
    """
    shares = 1 / np.arange(1, len(masks) + 1)
    shares = shares / shares.sum() if len(masks) else shares
    left, made, strata = np.ones(len(view), dtype=bool), [], view.strata
    for mask, share in zip(masks, shares, strict=True):
        made.append(tried_on(np.asarray(mask, dtype=bool), left, view, strata, 1 - alpha * share / 2))
        left &= ~made[-1].mask
    return tuple(made)


def tried_on(mask: Array, left: Array, view: View, strata: Array | None, level: float) -> Confirmation:
    """Hold the rows inside a mask against the others of those that are left, both shape (n,).

    strata: those of the view, which take a while to work out; level: of either side.
    """
    news, aside, total = mask & left, int((~mask & ~left).sum()), float(view.error.sum())
    kept = np.flatnonzero(left)
    error, inside, unit = view.error[kept], mask[kept], view.groups[kept]
    means = {"inside": _mean(error[inside]), "outside": _mean(error[~inside])}
    count = min(len(distinct_values(unit[inside])), len(distinct_values(unit[~inside])))
    if count < 2:
        unknown = Gap(**means, difference=0.0, low=-1.0, high=1.0)
        return Confirmation(mask=mask, news=news, gap=unknown, confirmed=False, cost=0.0, aside=aside)
    excess = beyond(error, None if strata is None else strata[kept])
    of_in, of_out = excess[inside].mean(), excess[~inside].mean()
    difference = float(of_in - of_out)
    as_seen = _deviation(np.where(inside, excess - of_in, excess - of_out), inside, unit)
    as_if_none = _deviation(excess - excess.mean(), inside, unit)
    deviation, factor = max(as_seen, as_if_none), float(stdtrit(count - 1, level))
    gap = Gap(**means, difference=difference, low=difference - factor * deviation, high=difference + factor * deviation)
    confirmed = count >= LEAST_INSIDE and gap.low > 0
    return Confirmation(
        mask=mask,
        news=news,
        gap=gap,
        confirmed=confirmed,
        cost=max(0.0, difference) * int(inside.sum()) / total if total > 0 else 0.0,
        aside=aside,
        needed=None if confirmed else _needed(difference, deviation, level),
    )


def _needed(difference: float, deviation: float, level: float) -> float | None:
    """Times the rows at which a difference of this size is confirmed with probability POWER."""
    if difference <= 0:
        return None
    times = ((ndtri(level) + ndtri(POWER)) * deviation / difference) ** 2
    return float(max(1.0, times)) if times <= MOST_ROWS else None


def _deviation(residual: Array, mask: Array, groups: Array) -> float:
    """Standard deviation of a difference of means, inside less outside, with groups as units."""
    share = np.where(mask, residual / mask.sum(), -residual / (~mask).sum())
    _, place = np.unique(groups, return_inverse=True)
    return float(standard_errors(np.bincount(place, weights=share)))


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else 0.0
