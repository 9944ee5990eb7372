"""What gate rows and explore rows say together: two estimates of one difference on rows that do not overlap."""

from __future__ import annotations

import math

from autodc.gate.power import critical

ONE_SIDED = 1.645
"""Standard errors of a one-sided bound at 95%, where the spread is known."""


def combined(gate: tuple[float, float, float | None], belief: tuple[float, float]) -> tuple[float, float]:
    """Return mean and standard deviation of both by inverse variance.

    gate: mean, standard error and degrees of freedom of a comparison (None: more than count); belief: mean and standard
    deviation of what the search's trainings say. The gate's standard error counts as much wider as its few degrees of
    freedom make its 95% bound, so that mean − 1.645 sd is such a bound for both. A belief whose spread is not positive
    and finite says nothing.
    """
    (difference, error, df), (mean, sd) = gate, belief
    own = error if df is None else error * critical(ONE_SIDED, df) / ONE_SIDED
    if own <= 0 or not (math.isfinite(mean) and math.isfinite(sd) and sd > 0):
        return difference, own
    weight = (own / sd) ** 2
    whole = 1.0 + weight
    return (difference + weight * mean) / whole, own / math.sqrt(whole)
