"""Rank correlation with its uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

Array = np.ndarray[Any, Any]

LEAST = 4
"""Fewer pairs have no correlation worth a number."""


def spearman(left: Array, right: Array, level: float = 0.95) -> tuple[float, float, float] | None:
    """Spearman's correlation of two samples of shape (n,) and its interval; None where it is not defined.

    The interval is Fisher's z with the variance (1 + r²/2)/(n − 3) of Bonett and Wright (2000).
    """
    n = len(left)
    if n < LEAST or np.ptp(left) == 0.0 or np.ptp(right) == 0.0:
        return None
    found = float(stats.spearmanr(left, right).statistic)
    z = np.arctanh(np.clip(found, -0.999999, 0.999999))
    reach = stats.norm.ppf(0.5 + level / 2) * np.sqrt((1 + found**2 / 2) / (n - 3))
    return found, float(np.tanh(z - reach)), float(np.tanh(z + reach))
