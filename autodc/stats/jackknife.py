"""Row values for metrics that are no mean over rows: pseudo-values whose mean is the metric, whose spread its variance.

The jackknife (Quenouille 1949, Tukey 1958; Efron 1982 also has its infinitesimal form) leaves out a row at a time: in
closed form for the metrics below, by calling the metric once a row for any other. Values are recentred, so that their
mean is exactly the metric. AUC after DeLong, DeLong & Clarke-Pearson 1988.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autodc.errors import StatsError

Array = np.ndarray[Any, Any]

TINY = 1e-12
"""What is left of a variance below this share of it is rounding."""


def pseudo_values(statistic: Callable[..., float], arrays: Sequence[Array]) -> Array:
    """Return a value per row, shape (n_rows,), by leaving out one row at a time.

    statistic: takes the arrays with some rows and returns the metric; arrays: same length along axis 0, at least two
    rows. One call per row: for the metrics of this module use their closed forms.
    Raises StatsError ADC-STAT-030 where the lengths differ, ADC-STAT-031 where the metric is not finite.
    """
    rows = {len(a) for a in arrays}
    if len(rows) != 1 or min(rows) < 2:
        raise StatsError("ADC-STAT-030", "arrays need the same length, two rows or more", got=str(sorted(rows)))
    count = rows.pop()
    whole = float(statistic(*arrays))
    keep = np.ones(count, dtype=bool)
    left_out = np.empty(count)
    for i in range(count):
        keep[i] = False
        left_out[i] = statistic(*(a[keep] for a in arrays))
        keep[i] = True
    if not (np.isfinite(whole) and np.isfinite(left_out).all()):
        raise StatsError("ADC-STAT-031", "the metric must be finite with any one row left out", got="NaN or infinity")
    return _recentred(whole, left_out)


def root_mean(squares: Array) -> Array:
    """Pseudo-values of sqrt(mean(squares)), so RMSE from squared errors, shape (n_rows,)."""
    squares = np.asarray(squares, dtype=np.float64)
    left_out = np.sqrt(np.maximum(squares.sum() - squares, 0.0) / max(len(squares) - 1, 1))
    return _recentred(float(np.sqrt(squares.mean())), left_out)


def balanced_accuracy(truth: Array, predicted: Array) -> Array:
    """Pseudo-values of the mean recall over the classes present in `truth`, shape (n_rows,).

    A class of one row has no spread that could be estimated; its row counts with its value alone.
    """
    _, member, sizes = np.unique(truth, return_inverse=True, return_counts=True)
    hit = (np.asarray(truth) == np.asarray(predicted)).astype(np.float64)
    recall = np.bincount(member, weights=hit) / sizes
    change = (recall[member] - hit) / np.maximum(sizes[member] - 1, 1) / len(sizes)
    return _recentred(float(recall.mean()), change)


def macro_f1(truth: Array, predicted: Array, labels: Array | None = None) -> Array:
    """Pseudo-values of the mean F1 over `labels` (default: the classes in truth or predictions), shape (n_rows,).

    F1_k = 2·TP_k/(true_k + predicted_k), 0 for a class in neither, as scikit-learn has it with zero_division=0.
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    known = np.unique(np.concatenate([truth, predicted])) if labels is None else np.asarray(labels)
    is_true, is_predicted = truth[:, None] == known, predicted[:, None] == known
    both = 2.0 * (is_true & is_predicted)
    size = is_true.astype(np.float64) + is_predicted
    top, bottom = both.sum(axis=0), size.sum(axis=0)
    left_out = ((top - both) / np.maximum(bottom - size, 1.0)).mean(axis=1)
    return _recentred(float((top / np.maximum(bottom, 1.0)).mean()), left_out)


def auc(truth: Array, score: Array) -> Array:
    """Pseudo-values of the area under the ROC curve, shape (n_rows,); truth: 0/1 or bool, ties count half.

    Raises StatsError ADC-STAT-032 where one class is absent.
    """
    positive = np.asarray(truth).astype(bool)
    score = np.asarray(score, dtype=np.float64)
    if positive.all() or not positive.any():
        raise StatsError("ADC-STAT-032", "AUC needs both classes", got="one class")
    place = np.where(positive, _below(score, score[~positive]), 1 - _below(score, score[positive]))
    area = float(place[positive].mean())
    others = np.where(positive, positive.sum(), (~positive).sum()) - 1
    return _recentred(area, (area - place) / np.maximum(others, 1))


def average_precision(truth: Array, score: Array) -> Array:
    """Pseudo-values of the average precision, shape (n_rows,); truth: 0/1 or bool, rows of one score enter together.

    Precision at a positive is t/m, of m rows scored as high or higher t positive; without a row above it that is
    t/(m − 1), or (t − 1)/(m − 1) where the row is positive. A positive that is the only one has no spread.
    Raises StatsError ADC-STAT-032 where one class is absent.
    """
    positive = np.asarray(truth).astype(bool)
    score = np.asarray(score, dtype=np.float64)
    if positive.all() or not positive.any():
        raise StatsError("ADC-STAT-032", "average precision needs both classes", got="one class")
    levels, level = np.unique(-score, return_inverse=True)
    hits = np.bincount(level, weights=positive, minlength=len(levels))
    above = np.bincount(level, minlength=len(levels)).cumsum()
    found, count = hits.cumsum(), int(positive.sum())
    others = np.maximum(above - 1, 1)
    kept = np.concatenate([[0.0], (hits * found / above).cumsum()[:-1]])[level]
    from_here = [(hits * share)[::-1].cumsum()[::-1][level] for share in (found / others, (found - 1) / others)]
    own = (found[level] - 1) / others[level]
    whole = float((hits * found / above).sum() / count)
    left_out = np.where(positive, (kept + from_here[1] - own) / max(count - 1, 1), (kept + from_here[0]) / count)
    if count == 1:
        left_out[positive] = left_out[~positive].mean()
    return _recentred(whole, left_out)


def r_squared(truth: Array, predicted: Array) -> Array:
    """Pseudo-values of the share of the variance explained, shape (n_rows,).

    truth, predicted: shape (n_rows,) or (n_rows, outputs), of which the mean is taken. A row without which an output
    does not vary has no spread. Raises StatsError ADC-STAT-033 where an output does not vary at all.
    """
    truth, predicted = (np.asarray(a, dtype=np.float64).reshape(len(a), -1) for a in (truth, predicted))
    if not np.ptp(truth, axis=0).all():
        raise StatsError("ADC-STAT-033", "targets need two different values in every output", got="one value")
    rows = len(truth)
    errors, spreads = (truth - predicted) ** 2, (truth - truth.mean(axis=0)) ** 2
    error, spread = errors.sum(axis=0), spreads.sum(axis=0)
    rest = spread - spreads * rows / max(rows - 1, 1)
    varies = rest > TINY * spread
    each = (error - errors) / np.where(varies, rest, 1.0)
    mean = (each * varies).sum(axis=0) / np.maximum(varies.sum(axis=0), 1)
    left_out = 1.0 - np.where(varies, each, mean).mean(axis=1)
    return _recentred(float((1.0 - error / spread).mean()), left_out)


def _recentred(whole: float, left_out: Array) -> Array:
    """Turn what the metric is (up to a constant) without each row into values whose mean is the metric."""
    return np.asarray(whole + (len(left_out) - 1) * (left_out.mean() - left_out))


def _below(score: Array, others: Array) -> Array:
    """Share of `others` below each score, ties half."""
    ordered = np.sort(others)
    return (np.searchsorted(ordered, score, "left") + np.searchsorted(ordered, score, "right")) / (2 * len(ordered))
