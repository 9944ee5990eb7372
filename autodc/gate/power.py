"""What a slice can show: the smallest difference, the rows it would take, the chance that more seeds decide."""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri, stdtrit

from autodc.errors import StatsError
from autodc.gate.thresholds import GUARD_ALPHA
from autodc.stats.variance import Estimate

ROW_SHARE = 1.0
"""Row variance of a true change in units of the residual variance, where nothing better is known."""
NORMAL_DF = 1e6
"""From here on Student's t is the normal."""
LARGEST = 1e6
"""Critical values and statistics beyond this say the same."""
WHOLE_LEVEL = 1.46
"""Standard errors at which a round's whole passes, about: most of the level of a study of one round, one-sided."""
CERTAIN = 0.95
"""Chance with which a challenger that harms nobody should pass a guard."""


def smallest_difference(
    rows: float,
    seed_variance: float,
    residual_variance: float,
    pairs: float,
    alpha: float,
    power: float,
    row_variance: float | None = None,
) -> float:
    """Return the true difference that a one-sided test at `alpha` shows with chance `power`.

    rows: rows of the slice; seed_variance, residual_variance: P_S and P_R of a difference, from the pools;
    pairs: may be math.inf (what the rows alone allow); row_variance: sigma_I² of a difference, how unevenly a change
    falls on rows; left out, ROW_SHARE times the residual. (z_α + z_β)·sqrt(σ_S²/n + (σ_I² + σ_R²/n)/m).
    """
    _check(alpha, power, rows, pairs)
    uneven = ROW_SHARE * residual_variance if row_variance is None else row_variance
    variance = max(0.0, seed_variance) / pairs + (uneven + residual_variance / pairs) / rows
    return float(-ndtri(alpha) + ndtri(power)) * math.sqrt(variance)


def rows_needed(
    difference: float,
    seed_variance: float,
    residual_variance: float,
    pairs: float,
    alpha: float,
    power: float,
    row_variance: float | None = None,
) -> float:
    """Return the rows with which `smallest_difference` is `difference`; math.inf where the seeds alone forbid it."""
    _check(alpha, power, 1, pairs)
    if difference <= 0:
        return math.inf
    uneven = ROW_SHARE * residual_variance if row_variance is None else row_variance
    error = difference / float(-ndtri(alpha) + ndtri(power))
    room = error * error - max(0.0, seed_variance) / pairs
    return (uneven + residual_variance / pairs) / room if room > 0 else math.inf


def rows_for_whole(difference: float, standard_error: float, rows: float) -> float:
    """Return the rows with which a true gain of this size is missed in one night of twenty; math.inf without a gain.

    rows: those that gave `standard_error`. Nearly all of the variance of a whole against the base is of rows, so it
    falls with them: rows × ((1.46 + 1.64)·se/d)² (DESIGN §11.7a).
    """
    if difference <= 0:
        return math.inf
    return rows * ((WHOLE_LEVEL + float(ndtri(CERTAIN))) * standard_error / difference) ** 2


def certifiable(
    rows: float, seed_variance: float, residual_variance: float, pairs: float, row_variance: float | None = None
) -> float:
    """Return the smallest margin that these rows can certify: a harmless challenger holds it in 95% of nights.

    The arguments are those of `smallest_difference`.
    """
    return smallest_difference(rows, seed_variance, residual_variance, pairs, GUARD_ALPHA, CERTAIN, row_variance)


def critical(bound: float, df: float) -> float:
    """Return Student's critical value with the tail probability that `bound` has under the normal."""
    if df >= NORMAL_DF:
        return bound
    tail = float(ndtr(-bound))
    if tail <= 0:
        return LARGEST
    return min(LARGEST, float(-stdtrit(df, tail)))


def predictive_power(estimate: Estimate, shift: float, bound: float, variance: float) -> float:
    """Return the chance that (difference + shift) passes `bound` standard errors once the variance is `variance`.

    A flat prior on the true difference, so the later estimate is normal around the present one with variance
    V_n − variance (Spiegelhalter, Freedman & Blackburn 1986). variance: V_h at the horizon, at most V_n.
    """
    ahead = estimate.mean + shift - bound * math.sqrt(variance)
    spread = estimate.variance - variance
    if spread <= 0:
        return 1.0 if ahead >= 0 else 0.0
    return float(ndtr(ahead / math.sqrt(spread)))


def pairs_for(estimate: Estimate, shift: float, bound: float) -> float:
    """Return the pairs with which the present difference would pass `bound`; math.inf where the rows forbid it."""
    room = _room(estimate, shift, bound) - (estimate.variance_at(math.inf))
    return estimate.per_pair / room if room > 0 else math.inf


def rows_for(estimate: Estimate, shift: float, bound: float, pairs: float) -> float:
    """Return the rows with which the present difference would pass `bound` at `pairs`; math.inf where seeds forbid."""
    of_seeds = estimate.seed / pairs
    room = _room(estimate, shift, bound) - of_seeds
    return estimate.rows * (estimate.variance_at(pairs) - of_seeds) / room if room > 0 else math.inf


def _room(estimate: Estimate, shift: float, bound: float) -> float:
    """The variance at which the present difference is exactly `bound` standard errors."""
    ahead = estimate.mean + shift
    return (ahead / bound) ** 2 if ahead > 0 < bound else 0.0


def _check(alpha: float, power: float, rows: float, pairs: float) -> None:
    if not (0 < alpha < 1 and 0 < power < 1 and rows > 0 and pairs > 0):
        raise StatsError(
            "ADC-STAT-021",
            "levels and powers lie in (0, 1), rows and pairs above 0",
            got=f"{alpha}, {power}, {rows}, {pairs}",
        )
