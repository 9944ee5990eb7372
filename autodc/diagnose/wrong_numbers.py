"""Likely wrong numbers: rows of a regression of which the residual lies out among those of like predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.diagnose.check import Status
from autodc.diagnose.labels import LEAST_ROWS, Labels, Suspect
from autodc.diagnose.labels_of_datasets import of_datasets

Array = np.ndarray[Any, Any]

OUTLYING = 5.0
"""Robust standard deviations of its neighbours' residuals below which no number is told."""
BULK, TAIL = 0.75, 0.9
"""Quantiles of those deviations by which it is known how long the tail of right numbers is: up to a tenth of the
numbers may be wrong, which lie further out."""
FALSE = 0.05
"""Right numbers that are told where that tail falls off exponentially; of all rows together."""
NEIGHBOURS = 50
"""Rows of nearest prediction by which the spread of a residual is judged."""


def wrong_numbers(
    target: Array, predictions: Array, *, datasets: Array | None = None, groups: Array | None = None
) -> Labels:
    """Find the rows of which the number is likely wrong: its residual lies out among those of like predictions.

    target, predictions: shape (n,), predictions of a model that has not seen the rows. The spread is the median
    absolute residual of the NEIGHBOURS rows of nearest prediction, so that noise may grow with the value; how far out
    is too far, the tail of all deviations says, so that numbers most of which are one value are not all told.
    """
    target, predictions = np.asarray(target, float), np.asarray(predictions, float)
    if target.ndim != 1 or predictions.shape != target.shape:
        return Labels(status="not_applicable", rows=len(target), reason="targets are no single numbers")
    if len(target) < LEAST_ROWS:
        return Labels(status="not_applicable", rows=len(target), reason="there are too few rows")
    out = _lies_out(target - predictions, predictions)
    limit = _limit(out)
    of = None if datasets is None else np.asarray(datasets).astype(str)
    suspects = tuple(
        Suspect(
            row=int(row),
            given=float(target[row]),
            likely=float(predictions[row]),
            score=float(1 - limit / out[row] / 2),
            sure=True,
            dataset=None if of is None else str(of[row]),
        )
        for row in np.argsort(-out, kind="stable")
        if out[row] > limit
    )
    parts = () if of is None else of_datasets(out > limit, of, groups)
    status: Status = "found" if suspects else "passed"
    return Labels(status=status, rows=len(target), suspects=suspects, datasets=parts)


def _limit(out: Array) -> float:
    """Deviations beyond which FALSE rows are expected, by an exponential tail through BULK and TAIL."""
    bulk, tail = np.quantile(out, (BULK, TAIL))
    length = (tail - bulk) / np.log((1 - BULK) / (1 - TAIL))
    return max(OUTLYING, float(bulk + length * np.log((1 - BULK) * len(out) / FALSE)))


def _lies_out(residual: Array, predictions: Array) -> Array:
    """How many robust standard deviations each residual lies from those of like predictions, shape (n,)."""
    order = np.argsort(predictions, kind="stable")
    width = min(NEIGHBOURS, len(order))
    windows = np.lib.stride_tricks.sliding_window_view(residual[order], width)
    middle = np.median(windows, axis=1)
    spread = 1.4826 * np.median(np.abs(windows - middle[:, None]), axis=1)
    start = np.clip(np.arange(len(order)) - width // 2, 0, len(windows) - 1)
    whole = 1.4826 * np.median(np.abs(residual - np.median(residual)))
    floor = max(whole / 10, np.finfo(float).eps * max(1.0, float(np.abs(residual).max())))
    out = np.empty(len(order))
    out[order] = np.abs(residual[order] - middle[start]) / np.maximum(spread[start], floor)
    return out
