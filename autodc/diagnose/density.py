"""Where failures lie over one or two attributes that a person understands: densities for a picture.

Densities are kernel estimates on a grid: counts smoothed by a Gaussian of Scott's width. The error is the smoothed sum
of errors over the smoothed count, drawn to the mean of all rows where there are few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy import ndimage

from autodc.diagnose.terms import numbers
from autodc.diagnose.view import View

Array = np.ndarray[Any, Any]

CELLS = 48
"""Of the grid along each attribute."""
CUT = 0.01
"""Share of the values beyond either end of the grid, which far outliers would stretch."""
FINER = 0.5
"""Over two attributes the kernel is so much narrower than Scott's, which is for one hill: failures lie in corners,
and cells of few rows are drawn to the mean anyway."""
SHRUNK = 5.0
"""Rows by which the error of a cell is drawn to the mean of all."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Density:
    """A grid over one or two attributes; arrays have one axis each, in their order."""

    attributes: tuple[str, ...]
    edges: tuple[Array, ...]
    """Bounds of the cells, rising, one more than cells."""
    rows: Array
    """Share of the rows in each cell, smoothed."""
    failed: Array
    """Share of the failed rows in each cell, smoothed."""
    passed: Array
    """Share of the other rows in each cell, smoothed."""
    error: Array
    """Mean error of each cell, smoothed; NaN where there is less than half a row."""
    left_out: int
    """Rows without a number in one of the attributes."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "attributes": list(self.attributes),
            "edges": [[float(f"{v:.6g}") for v in one] for one in self.edges],
            "rows": np.round(self.rows, 6).tolist(),
            "failed": np.round(self.failed, 6).tolist(),
            "passed": np.round(self.passed, 6).tolist(),
            "error": [None if v != v else round(float(v), 4) for v in self.error.ravel()],
            "shape": list(self.error.shape),
            "left_out": self.left_out,
        }


def density(view: View, attributes: Sequence[str], cells: int = CELLS) -> Density | None:
    """Where rows and failures lie over one or two attributes; None where these are no numbers or all one number."""
    columns = [numbers(view.attributes[name]) for name in attributes]
    if not columns or any(column is None for column in columns):
        return None
    values = np.column_stack([np.asarray(column, dtype=float) for column in columns])
    known = np.isfinite(values).all(axis=1)
    values, error, failed = values[known], view.error[known], view.failed[known].astype(float)
    if not len(values):
        return None
    low, high = np.quantile(values, CUT, axis=0), np.quantile(values, 1 - CUT, axis=0)
    flat = high <= low
    low, high = np.where(flat, values.min(0), low), np.where(flat, values.max(0), high)
    if (high <= low).any():
        return None
    edges = tuple(np.linspace(a, b, cells + 1) for a, b in zip(low, high, strict=True))
    inside = np.clip(values, low, high)
    power = len(values) ** (-1 / (len(attributes) + 4)) * (FINER if len(attributes) > 1 else 1.0)  # Scott 1992
    width = inside.std(0) * power / ((high - low) / cells)

    def smoothed(weights: Array) -> Array:
        counts = np.histogramdd(inside, bins=edges, weights=weights)[0]
        return np.asarray(ndimage.gaussian_filter(counts, width, mode="reflect"))

    count, lost = smoothed(np.ones(len(values))), smoothed(error)
    mean = (lost + SHRUNK * error.mean()) / (count + SHRUNK)
    bad, good = smoothed(failed), smoothed(1 - failed)
    return Density(
        attributes=tuple(attributes),
        edges=edges,
        rows=count / max(count.sum(), 1e-12),
        failed=bad / max(bad.sum(), 1e-12),
        passed=good / max(good.sum(), 1e-12),
        error=np.where(count * _kernel_rows(width) >= 0.5, mean, np.nan),
        left_out=int((~known).sum()),
    )


def _kernel_rows(width: Array) -> float:
    """Cells that the kernel spans: a smoothed count times this is the rows that a cell's value rests on."""
    return float(np.prod(np.maximum(1.0, np.sqrt(4 * np.pi) * width)))
