"""A logarithmic range as [0, 1] and back, wherever floats end."""

from __future__ import annotations

import math

import numpy as np

CENTRE = 0.5
"""The middle of a range."""


def logarithmic(low: float, high: float, x: float) -> float:
    """The number at a place of the range. low: above 0; high: above low."""
    if math.isinf(high / low):
        return math.exp(math.log(low) + (math.log(high) - math.log(low)) * x)
    return float(low * (high / low) ** x)


def place_of(low: float, high: float, number: float) -> float:
    """The place of a number, 0 at `low` and 1 at `high`; the centre where no float tells them apart."""
    if math.isinf(high / low):
        return (math.log(number) - math.log(low)) / (math.log(high) - math.log(low))
    width = np.log(high / low)
    return float(np.log(number / low) / width) if width else CENTRE
