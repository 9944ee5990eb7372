"""Several tests at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(chances: Sequence[float]) -> list[float]:
    """Return the chances corrected so that the whole family errs no more often than one test would (Holm 1979)."""
    order = np.argsort(chances, kind="stable")
    steps = np.array(chances)[order] * np.arange(len(chances), 0, -1) if len(chances) else np.zeros(0)
    corrected = np.empty(len(chances))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(one) for one in corrected]
