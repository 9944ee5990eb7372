"""In which order suspicions are tried: by how much worse each surely is where it was found, beside those before it.

Not by how sure it is that they are worse at all: rows that fail for two reasons, and what lies between, are worse more
surely than those of either reason alone, and would be taken in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autodc.diagnose.view import View, beyond

Array = np.ndarray[Any, Any]

NEW = 0.5
"""Share of the rows of a suspicion that none before it may have: else it is the same once more."""
LEAST = 5
"""Rows beside all before it below which a suspicion is not tried."""
DOUBT = 3.0
"""Standard errors that are taken off a difference: the best of many is the luckiest."""


def confirmation_order(masks: Sequence[Array], preferred: Sequence[float], view: View, most: int) -> list[int]:
    """Positions of at most so many suspicions in the order in which they are tried on other rows.

    masks: the rows of the view that each means; preferred: by what to multiply how much worse each is; view: the rows
    they were found on. How much worse one surely is, is its difference to the rows that neither it nor any before it
    has, less DOUBT standard errors; it serves to order alone. Those of which most rows are in one before are left out,
    and those that are no worse.
    """
    if not masks:
        return []
    table = np.asarray(masks, dtype=bool)
    prefer = np.asarray(preferred, dtype=np.float64)
    size = np.maximum(table.sum(1), 1)
    left, order, strata = np.ones(len(view), dtype=bool), list[int](), view.strata
    open_ = np.ones(len(table), dtype=bool)
    while len(order) < most:
        surely = _surely_worse(table & left, left, view.error, strata)
        surely = np.where(surely > 0, surely * prefer, surely / prefer)
        surely[~open_ | ((table & left).sum(1) < NEW * size)] = -np.inf
        best = int(surely.argmax())
        if surely[best] == -np.inf:
            break
        order.append(best)
        open_[best] = False
        left &= ~table[best]
    return order


def _surely_worse(inside: Array, left: Array, error: Array, strata: Array | None) -> Array:
    """How much worse rows inside surely are than the others that are left, shape (m,).

    Less than 0 where that is not sure; −∞ where they are no worse, or are too few.
    """
    error = beyond(error[left], None if strata is None else strata[left])
    within = inside[:, left].astype(np.float64)
    count, total, n = within.sum(1), within @ error, len(error)
    enough = (count >= LEAST) & (n - count >= LEAST)
    count = np.clip(count, 1, max(n - 1, 1))
    difference = total / count - (error.sum() - total) / np.maximum(n - count, 1)
    deviation = error.std() * np.sqrt(1 / count + 1 / np.maximum(n - count, 1)) if n else 0.0
    return np.where(enough & (difference > 0), difference - DOUBT * deviation, -np.inf)
