"""The method port: anything that predicts rows, wherever it came from."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, final

import numpy as np

from autodc.table import Inputs, loaded, row_bytes
from autodc.values import joined

Array = np.ndarray[Any, Any]

PREDICT_ROWS = 512
"""Rows predicted at once, at most; also the batch whose time is measured."""
PREDICT_BYTES = 2 << 20
"""The same in bytes: what a network makes of a row on the way may be fifty times as large."""
TIMED_BATCHES = 5
"""Batches timed, after one that warms up."""


class Method(Protocol):
    """Predicts rows from inputs alone. The same rows give the same outputs, whatever stands beside them."""

    def predict(self, parts: Mapping[str, Inputs]) -> Mapping[str, Any]:
        """Part → inputs (n, ...), read-only; gives part → outputs in row order.

        Outputs are class probabilities or scores (n, C), values (n,) or (n, k), images (n, ...), or in a custom task
        also a list of n JSON values. Raises whatever it likes: any exception is a failed task.
        """
        ...


@final
class RowMethod:
    """A method of a function that predicts inputs of some rows, called with a batch at a time."""

    def __init__(self, predict: Callable[[Any], Any]) -> None:
        self._predict = predict

    def predict(self, parts: Mapping[str, Inputs]) -> dict[str, Any]:
        """Predict batch by batch, as a trainer predicts after its training."""
        return {name: joined([self._predict(rows) for rows in batches_of(x)]) for name, x in parts.items()}

    def predict_ms(self, x: Inputs) -> float:
        """The median milliseconds a row takes once the method is warm; 0 where there is no row."""
        rows = next(batches_of(x))
        seconds = []
        for _ in range(1 + TIMED_BATCHES if len(rows) else 0):
            started = time.perf_counter()
            self._predict(rows)
            seconds.append(time.perf_counter() - started)
        return statistics.median(seconds[1:]) / len(rows) * 1e3 if seconds else 0.0


def batches_of(x: Inputs) -> Iterator[Any]:
    """The rows in order, so many at a time, as values of their own; one empty batch where there are none."""
    size = max(1, min(PREDICT_ROWS, PREDICT_BYTES // row_bytes(x)))
    for start in range(0, max(len(x), 1), size):
        yield loaded(x[start : start + size])
