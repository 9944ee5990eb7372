"""What a model of a dataset's own rows says of their labels, and which of them it tells are wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from autodc.diagnose.cross_validation import cross_validated
from autodc.diagnose.labels import LEAST_ROWS, Labels
from autodc.large import distinct_values

Array = np.ndarray[Any, Any]

SCATTERED_LEAST = 0.1
"""Share of the rows from which wrong labels at random are told."""


def unseen(points: Array, codes: Array, units: Array, classes: int, seed: int) -> Array:
    """What a model of other rows says of each, shape (n, classes); of few rows nothing, each class alike."""
    found = np.full((len(codes), classes), 1 / classes)
    if len(distinct_values(units)) >= LEAST_ROWS:
        found[:] = 0.0
        found[:, distinct_values(codes)] = cross_validated(points, codes, units, seed)
    return found


def told(found: Labels) -> Labels:
    """The same, of wrong labels at random only where they are many: of few, rows that are hard look the same."""
    is_many = found.scattered >= SCATTERED_LEAST * max(1, found.rows)
    pairs = {(str(one.given), str(one.likely)) for one in found.pairs if one.is_told}
    suspects = tuple(
        replace(one, sure=one.sure and (is_many or (str(one.given), str(one.likely)) in pairs))
        for one in found.suspects
    )
    status = found.status if found.status == "not_applicable" else "found" if pairs or is_many else "passed"
    return replace(found, status=status, scattered=found.scattered if is_many else 0, suspects=suspects)
