"""How sure the metric of one model is: intervals for new rows, exact where rows are hits or misses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import betaincinv, expit, logit, stdtrit

from autodc.evaluation.evidence import counting_rows
from autodc.evaluation.metrics import Metric
from autodc.stats.variance import crossed
from autodc.studyfile.names import METRICS

Array = np.ndarray[Any, Any]

LEVEL = 0.95
"""Confidence, two-sided, of each interval by itself."""
LARGEST = {"r2": 1.0}
"""Metrics that are bounded above and are no shares."""


def value_interval(
    metric: Metric, rows: Array, clusters: Array | None, targets: Array, level: float = LEVEL
) -> tuple[float, float]:
    """Bound the metric of a fixed model on new rows of the same kind, in its own units; low is the smaller number.

    rows: one oriented number a row, whose mean is the metric: own scores or jackknife pseudo-values, shape (m,);
    clusters: shape (m,), rows of one number count as one; targets: of these rows. Shares of hits, and shares whose rows
    all agree, have exact intervals (Clopper & Pearson 1934, with the rows that count of Korn & Graubard 1998 where they
    come in clusters); other shares Student's on the logit scale, which stays inside 0 and 1; all else Student's.
    """
    natural = metric.sign * np.asarray(rows, dtype=float)
    about = None if metric.own else METRICS.get(metric.name)
    if about is not None and about.share:
        low, high = _of_share(natural, clusters, _counted(metric, targets, clusters), level)
    else:
        low, high = _of_mean(natural, clusters, level)
        if about is not None and about.better == "lower":
            low = max(0.0, low)
        if about is not None:
            high = min(high, LARGEST.get(metric.name, math.inf))
    value = float(natural.mean())
    return min(low, value), max(high, value)


def exact_interval(share: float, count: float, level: float = LEVEL) -> tuple[float, float]:
    """The interval of Clopper and Pearson for a share of so many independent rows, which need be no whole number."""
    tail, hits = (1 - level) / 2, share * count
    low = 0.0 if hits <= 0 else float(betaincinv(hits, count - hits + 1, tail))
    high = 1.0 if hits >= count else float(betaincinv(hits + 1, count - hits, 1 - tail))
    return low, high


def _of_share(rows: Array, clusters: Array | None, counted: float, level: float) -> tuple[float, float]:
    share, error, df, groups = _moments(rows, clusters)
    if error == 0 or not 0 < share < 1:
        return exact_interval(min(1.0, max(0.0, share)), counted, level)
    if np.isin(rows, (0.0, 1.0)).all():
        tail, apart = (1 - level) / 2, max(len(rows) - 1, 1)
        wider = 1.0 if df >= apart else float(stdtrit(apart, tail) / stdtrit(df, tail)) ** 2
        spread = error**2 * (1 - 1 / groups)
        return exact_interval(share, min(len(rows), wider * share * (1 - share) / spread), level)
    reach = -float(stdtrit(df, (1 - level) / 2)) * error / (share * (1 - share))
    return float(expit(logit(share) - reach)), float(expit(logit(share) + reach))


def _of_mean(rows: Array, clusters: Array | None, level: float) -> tuple[float, float]:
    mean, error, df, _ = _moments(rows, clusters)
    reach = -float(stdtrit(df, (1 - level) / 2)) * error if error else 0.0
    return mean - reach, mean + reach


def _moments(rows: Array, clusters: Array | None) -> tuple[float, float, float, int]:
    """Mean, its standard error over rows, degrees of freedom, and how many rows, or clusters of rows, there are."""
    seen = crossed(rows[None, :], clusters)
    return seen.mean, math.sqrt(max(0.0, seen.row) / seen.rows), max(seen.effective_rows - 1.0, 1.0), seen.rows


def _counted(metric: Metric, targets: Array, clusters: Array | None) -> float:
    """The rows that speak where all agree: of a mean over classes as many as the smaller classes allow."""
    count = counting_rows(len(targets), clusters)
    if metric.is_mean or np.asarray(targets).ndim != 1:
        return count
    sizes = np.unique(np.asarray(targets), return_counts=True)[1] * (count / max(len(targets), 1))
    return float(len(sizes) ** 2 / np.sum(1.0 / sizes))
