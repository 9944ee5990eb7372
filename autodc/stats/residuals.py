"""How far single values lie from what the others say of them: leave-one-out residuals of a ridge, in closed form.

Allen 1974 (PRESS); Golub, Heath & Wahba 1979 for the choice of the ridge by them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

RIDGES = tuple(10.0**k for k in range(-3, 4))
"""Ridges that are tried, in units of the number of values."""


def leave_one_out(features: Array, values: Array) -> tuple[Array, float]:
    """Return the residual of each value about the ridge of all others, shape (n,), and their degrees of freedom.

    features: shape (n, columns), in any units; values: shape (n,), n ≥ 3. The mean square of the residuals is never
    below the noise of a value but by chance: it holds what the ridge does not fit, too.
    """
    x = np.asarray(features, dtype=np.float64)
    centred = x - x.mean(axis=0)
    spread = centred.std(axis=0)
    moving = spread > 1e-12 * (1.0 + np.abs(x).max(axis=0, initial=0.0))
    n = len(values)
    left, scale, _ = np.linalg.svd(centred[:, moving] / spread[moving], full_matrices=False)
    about = np.asarray(values, dtype=np.float64) - np.mean(values)
    best: tuple[float, Array, float] | None = None
    for ridge in RIDGES:
        shrunk = scale**2 / (scale**2 + ridge * n)
        leverage = 1.0 / n + (left**2 * shrunk).sum(axis=1)
        residuals = (about - left @ (shrunk * (left.T @ about))) / np.maximum(1.0 - leverage, 1.0 / n)
        missed = float(np.mean(residuals**2))
        if best is None or missed < best[0]:
            best = missed, residuals, max(1.0, n - 1.0 - float(shrunk.sum()))
    assert best is not None
    return best[1], best[2]
