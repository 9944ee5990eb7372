"""The method port: anything that predicts rows, wherever it came from."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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
@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What calls of a method took, the first of which had to warm it up."""

    batches: tuple[tuple[int, float], ...]
    """Rows and seconds of each call that predicted what was asked for, in order."""
    again: tuple[tuple[int, float], ...] = ()
    """The same of further calls with rows of the first batch, made for their time alone."""
    singles: tuple[float, ...] = ()
    """Seconds of calls with one row; none where the method cannot predict a row by itself, or a call has a start."""


@final
class RowMethod:
    """A method of a function that predicts inputs of some rows, called with a batch at a time."""

    def __init__(self, predict: Callable[[Any], Any]) -> None:
        self._predict = predict

    def predict(self, parts: Mapping[str, Inputs]) -> dict[str, Any]:
        """Predict batch by batch, as a trainer predicts after its training."""
        return {name: joined([self._predict(rows) for rows in batches_of(x)]) for name, x in parts.items()}

    def timed(self, parts: Mapping[str, Inputs], least: float, share: float, most: int) -> tuple[dict[str, Any], Timed]:
        """The same as `predict`, every call timed; then batches and single rows again, for their time alone.

        Further calls take up to `least` seconds, or this share of what the prediction took where that is longer, twice:
        for batches until there are `most` of them, and for as many single rows.
        """
        outputs, calls = dict[str, Any](), list[tuple[int, float]]()
        for name, x in parts.items():
            pieces = []
            for rows in batches_of(x):
                piece, seconds = self._clocked(rows)
                pieces.append(piece)
                calls.append((len(rows), seconds))
            outputs[name] = joined(pieces)
        budget = max(least, share * sum(seconds for _, seconds in calls))
        sample = next((x for x in parts.values() if len(x)), None)
        if sample is None:
            return outputs, Timed(batches=())
        again, singles = self._again(sample, len(calls), calls[0][1], budget, most), self._singles(sample, budget, most)
        return outputs, Timed(batches=tuple(calls), again=again, singles=singles)

    def _again(self, x: Inputs, made: int, expected: float, budget: float, most: int) -> tuple[tuple[int, float], ...]:
        """Further calls with the first batch. expected: seconds of one."""
        found = list[tuple[int, float]]()
        while made + len(found) < most and sum(s for _, s in found) + expected <= budget:
            rows = next(batches_of(x))
            found.append((len(rows), self._clocked(rows)[1]))
            expected = found[-1][1]
        return tuple(found)

    def _singles(self, x: Inputs, budget: float, most: int) -> tuple[float, ...]:
        """Seconds of calls with one row each, spread over the rows, after one that warms up."""
        found = list[float]()
        try:
            for place in np.linspace(0, len(x) - 1, most + 1).astype(int):
                found.append(self._clocked(loaded(x[place : place + 1]))[1])
                if sum(found) > budget:
                    break
        except Exception:  # what can predict batches alone has no time a row
            return ()
        return tuple(found[1:] or found)

    def _clocked(self, rows: Any) -> tuple[Any, float]:
        started = time.perf_counter()
        predicted = self._predict(rows)
        return predicted, time.perf_counter() - started

    def predict_ms(self, x: Inputs) -> float:
        """The median milliseconds a row takes once the method is warm; 0 where there is no row."""
        rows = next(batches_of(x))
        seconds = []
        for _ in range(1 + TIMED_BATCHES if len(rows) else 0):
            seconds.append(self._clocked(rows)[1])
        return statistics.median(seconds[1:]) / len(rows) * 1e3 if seconds else 0.0


def batches_of(x: Inputs) -> Iterator[Any]:
    """The rows in order, so many at a time, as values of their own; one empty batch where there are none."""
    size = max(1, min(PREDICT_ROWS, PREDICT_BYTES // row_bytes(x)))
    for start in range(0, max(len(x), 1), size):
        yield loaded(x[start : start + size])
