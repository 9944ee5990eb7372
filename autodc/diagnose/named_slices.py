"""Slices that a study names: what a person suspected before any row was seen needs no search, so all rows try it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.diagnose.confirm import LEAST_INSIDE, Confirmation, tried_on
from autodc.diagnose.view import View
from autodc.large import distinct_values

Array = np.ndarray[Any, Any]

LEAST_PLAIN = 0.05
"""Share of the groups that rows in no target have at least, or they are too few to hold anything against."""
BY = "slices"
"""What found such a finding."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Named:
    """A slice of the study file, on the rows of a view."""

    name: str
    where: str
    """As the study file has it."""
    mask: Array
    """Shape (n,)."""
    is_target: bool


def try_named(named: Sequence[Named], view: View, alpha: float) -> tuple[tuple[Named, Confirmation], ...]:
    """Try each slice on all rows against those that no target names, each at its part of alpha (Bonferroni).

    Where nearly everything is in some target, a slice is held against everything outside of it. A slice that holds all
    rows that no target names is what others are held against, and is not tried.
    """
    plain = np.ones(len(view), dtype=bool)
    for one in named:
        if one.is_target:
            plain &= ~one.mask
    if len(distinct_values(view.groups[plain])) < max(LEAST_INSIDE, LEAST_PLAIN * len(distinct_values(view.groups))):
        plain[:] = True
    chosen = [(one, one.mask | plain) for one in named if one.mask.any() and (plain & ~one.mask).any()]
    level = 1 - alpha / (2 * max(1, len(chosen)))
    strata = view.strata if chosen else None
    return tuple((one, tried_on(one.mask, kept, view, strata, level)) for one, kept in chosen)


def known(confirmed: Sequence[Array], view: View) -> Array:
    """Which of them each row is in, as a number from 0, shape (n,). confirmed: masks of the rows of the view."""
    if not len(confirmed):
        return np.zeros(len(view), dtype=np.int64)
    return np.asarray(np.unique(np.stack(confirmed), axis=1, return_inverse=True)[1]).ravel()
