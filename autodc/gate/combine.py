"""What gate rows and explore rows say together: two estimates of one difference on rows that do not overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence

from autodc.gate.power import critical
from autodc.gate.thresholds import SURE

CANCELLED = math.sqrt(2.0)
"""Doubts about several datasets add up to their sum divided by this."""


def combined(gate: tuple[float, float, float | None], belief: tuple[float, float]) -> tuple[float, float]:
    """Return mean and standard deviation of both by inverse variance.

    gate: mean, standard error and degrees of freedom of a comparison (None: more than count); belief: mean and standard
    deviation of what the search's trainings say. The gate's standard error counts as much wider as its few degrees of
    freedom make its 95% bound, so that mean − 1.645 sd is such a bound for both. A belief whose spread is not positive
    and finite says nothing.
    """
    (difference, error, df), (mean, sd) = gate, belief
    own = error if df is None else error * critical(SURE, df) / SURE
    if own <= 0 or not (math.isfinite(mean) and math.isfinite(sd) and sd > 0):
        return difference, own
    weight = (own / sd) ** 2
    whole = 1.0 + weight
    return (difference + weight * mean) / whole, own / math.sqrt(whole)


def with_belief(
    gate: tuple[float, float, float | None], belief: tuple[float, float] | None, share: float | None
) -> tuple[float, float]:
    """Return mean and standard deviation of a comparison together with what the search believes of it.

    belief: mean and standard deviation over trainings, None where nothing is known; share: explore rows among all rows,
    None where search and gate see the same, and the belief says nothing. It moves with the explore rows too: as much as
    the gate's estimate with its own, by their numbers.
    """
    if belief is None or share is None:
        return combined(gate, (0.0, math.inf))
    of_rows = gate[1] * math.sqrt((1 - share) / share)
    return combined(gate, (belief[0], math.hypot(belief[1], of_rows)))


def of_leaving(together: tuple[float, float], each: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return what the search believes of datasets that may leave: mean and standard deviation of the gain without them.

    together: its belief of that, of all of them at once; each: what it believes that each alone is worth. Far from most
    trainings the first tends back to the mean, the second knows no substitutes; so the one that speaks less for leaving
    counts, and where they disagree neither is sure. What is wrong with one is in part wrong with all, so the doubts
    about several hardly cancel.
    """
    mean, sd = together
    alone, doubt = -sum(gain for gain, _ in each), sum(one for _, one in each) / CANCELLED
    return min(mean, alone), math.hypot(max(sd, doubt), (mean - alone) / 2)
