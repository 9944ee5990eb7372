"""The nearest rows of the base, in any space of numbers.

A base row that is the same as the one that is asked about does not count, once: so rows of the base have neighbours as
others have, whether they are asked about together or among others.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np

from autodc.large import evenly

Array = np.ndarray[Any, Any]

MOST = 10_000
"""Base rows that are looked among, evenly."""
LOOKED_AT = 1000
"""Base rows that tell what distance is usual."""
CHUNK = 2048
SAME = 1e-4
"""Rows that are no farther apart, in units of the spread of the base, are the same."""


@final
class Neighbours:
    """Base rows as points, shape (m, d)."""

    def __init__(self, points: Array, k: int) -> None:
        self.rows = evenly(len(points), MOST)
        """Positions in the base of the rows that are looked among."""
        self._points = np.ascontiguousarray(points[self.rows], dtype=np.float32)
        self._norms = np.einsum("ij,ij->i", self._points, self._points)
        self._k = k
        self._same = SAME * float(np.sqrt(self._points.var(axis=0).sum())) if len(self._points) else 0.0
        some = self._points[evenly(len(self._points), LOOKED_AT)]
        usual = float(np.median(self.near(some)[0].mean(axis=1))) if len(points) > 1 else 1.0
        self.usual = usual if usual > 0 else 1.0
        """The median over base rows of their mean distance to the k nearest others."""

    def near(self, points: Array) -> tuple[Array, Array]:
        """Distances and positions in the base of the k nearest rows, each of shape (n, k'), k' ≤ k."""
        k = min(self._k, max(1, len(self._points) - 1))
        distances, places = np.empty((len(points), k)), np.empty((len(points), k), dtype=np.int64)
        for start in range(0, len(points), CHUNK):
            part = np.asarray(points[start : start + CHUNK], dtype=np.float32)
            squares = np.einsum("ij,ij->i", part, part)[:, None] + self._norms - 2 * part @ self._points.T
            nearest = squares.argmin(axis=1)
            same = np.sqrt(((part - self._points[nearest]) ** 2).sum(axis=1)) <= self._same
            if len(self._points) > 1:
                squares[np.flatnonzero(same), nearest[same]] = np.inf
            some = np.argpartition(squares, k - 1, axis=1)[:, :k] if k < squares.shape[1] else _all(squares)
            found = np.take_along_axis(squares, some, axis=1)
            order = np.argsort(found, axis=1, kind="stable")
            some = np.take_along_axis(some, order, axis=1)[:, :k]
            found = ((part[:, None, :] - self._points[some]) ** 2).sum(axis=2)  # what cancels above is exact here
            distances[start : start + len(part)], places[start : start + len(part)] = np.sqrt(found), self.rows[some]
        return distances, places

    def distance(self, points: Array) -> Array:
        """Mean distance to the k nearest base rows, shape (n,), in units of what is usual among these."""
        if not len(points):
            return np.zeros(0)
        return np.asarray(self.near(points)[0].mean(axis=1) / self.usual)


def _all(squares: Array) -> Array:
    return np.broadcast_to(np.arange(squares.shape[1]), squares.shape)
