"""In which order suspicions are tried: the surest first, on the rows they were found on, beside those before them."""

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


def in_turn(masks: Sequence[Array], preferred: Sequence[float], view: View, most: int) -> list[int]:
    """Positions of at most so many suspicions in the order in which they are tried on other rows.

    masks: the rows of the view that each means; preferred: by what to multiply how sure each is; view: the rows they
    were found on. How sure one is, is its difference to the rows that neither it nor any before it has, in standard
    errors; it is too sure by far, for it was sought, and serves to order alone. Those of which most rows are in one
    before are left out.
    """
    if not masks:
        return []
    table = np.asarray(masks, dtype=bool)
    prefer = np.asarray(preferred, dtype=np.float64)
    size = np.maximum(table.sum(1), 1)
    left, order, strata = np.ones(len(view), dtype=bool), list[int](), view.strata
    open_ = np.ones(len(table), dtype=bool)
    while len(order) < most:
        sure = np.where(open_, _sure(table & left, left, view.error, strata), 0.0) * prefer
        sure[(table & left).sum(1) < NEW * size] = 0
        best = int(sure.argmax())
        if sure[best] <= 0:
            break
        order.append(best)
        open_[best] = False
        left &= ~table[best]
    return order


def _sure(inside: Array, left: Array, error: Array, strata: Array | None) -> Array:
    """Standard errors by which rows inside are worse than the others that are left, shape (m,); 0 of too few."""
    error = beyond(error[left], None if strata is None else strata[left])
    within = inside[:, left].astype(np.float64)
    count, total, n = within.sum(1), within @ error, len(error)
    enough = (count >= LEAST) & (n - count >= LEAST)
    count = np.clip(count, 1, max(n - 1, 1))
    difference = total / count - (error.sum() - total) / np.maximum(n - count, 1)
    deviation = error.std() * np.sqrt(1 / count + 1 / np.maximum(n - count, 1))
    return np.where(enough & (deviation > 0), difference / np.where(deviation > 0, deviation, 1.0), 0.0)
