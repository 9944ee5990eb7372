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


def _recentred(whole: float, left_out: Array) -> Array:
    """Turn what the metric is (up to a constant) without each row into values whose mean is the metric."""
    return np.asarray(whole + (len(left_out) - 1) * (left_out.mean() - left_out))


def _below(score: Array, others: Array) -> Array:
    """Share of `others` below each score, ties half."""
    ordered = np.sort(others)
    return (np.searchsorted(ordered, score, "left") + np.searchsorted(ordered, score, "right")) / (2 * len(ordered))
