"""The ladder of how many trainings parameters are fitted to: whoever starts in the middle of a study fits the same."""

from __future__ import annotations

import numpy as np

FIRST_FIT = 6
GROWTH = 1.25


def fitted_to(count: int) -> int:
    """How many of the first trainings parameters are fitted to: the largest step of the ladder within `count`."""
    rung = FIRST_FIT
    while int(np.ceil(rung * GROWTH)) <= count:
        rung = int(np.ceil(rung * GROWTH))
    return min(rung, count)
