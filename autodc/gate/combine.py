"""What gate rows and explore rows say together: two estimates of one difference on rows that do not overlap."""

from __future__ import annotations

import math

from autodc.gate.power import critical
from autodc.stats.variance import Estimate

ONE_SIDED = 1.645
"""Standard errors of a one-sided bound at 95%, where the spread is known."""


def combined(gate: Estimate, belief: tuple[float, float]) -> tuple[float, float]:
    """Return mean and standard deviation of both by inverse variance.

    gate: estimate of a comparison; belief: mean and standard deviation of what the search's trainings say. The gate's
    standard error counts as much wider as its few degrees of freedom make its 95% bound, so that mean − 1.645 sd is
    such a bound for both. A belief whose spread is not positive and finite says nothing.
    """
    mean, sd = belief
    own = gate.standard_error * critical(ONE_SIDED, gate.df) / ONE_SIDED
    if own <= 0 or not (math.isfinite(mean) and math.isfinite(sd) and sd > 0):
        return gate.mean, own
    weight = (own / sd) ** 2
    whole = 1.0 + weight
    return (gate.mean + weight * mean) / whole, own / math.sqrt(whole)
