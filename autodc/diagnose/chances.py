"""Chances of many tests at once, the interval of a share, and the level of the checks of labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.stats.multiple import holm as holm

Array = np.ndarray[Any, Any]

LEVEL = 0.01
"""Chance at which a pair of classes, a dataset or scattered labels are told where nothing is wrong; Holm over pairs and
over datasets."""
LEAST_OF_PAIR = 5
"""Suspects that a pair of classes, or a dataset, needs to be told."""


def wilson(share: float, n: int) -> tuple[float, float]:
    """95% for a share."""
    z = 1.96
    centre, width = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float((centre - width) / (1 + z * z / n)), float((centre + width) / (1 + z * z / n))
