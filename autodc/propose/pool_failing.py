"""Rows of a pool that no finding names: those likelier among all failures than among the rest, and all that is left.

A finding is a rule that people can read, and covers a part of what fails; a classifier of failures needs no rule. And
where rows of a labelled pool cost little, all of them beside the base are the obvious thing that a night has to beat:
it asks for them itself, when nothing can be chosen among them after it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.diagnose.shadow.columns import Columns
from autodc.propose.likelihood_ratio import concentration
from autodc.propose.pool import PoolView, Wish
from autodc.propose.proposal import FAILING, REST

Array = np.ndarray[Any, Any]

TIMES = 4
"""What is left of a pool joins as one dataset up to so many times the base; of more, as many rows by chance."""
EXPONENT = 0.25
"""The error falls with the rows as n^-b. Source: Hestness et al. 2017, "Deep learning scaling is predictable,
empirically": .07 to .35 by domain."""


def failing(seen: PoolView, error: float, named: Array, times: int, seed: int) -> Wish:
    """The rows that are most like what fails and what no confirmed finding names, whatever rule it has.

    error: mean error of the explore rows; named: positions in validation of those inside a confirmed finding, for which
    rows are chosen already; times: how often such rows were asked for before.
    """
    columns = Columns.shared(seen.attributes, seen.pool_attributes)
    known = np.column_stack([columns.encode(seen.attributes), seen.points]).astype(np.float32)
    beyond = ~np.isin(seen.ids, named)
    failed = seen.failed[beyond]
    share = concentration(known[beyond], failed, seed) * float(failed.sum()) / max(1.0, float(seen.failed.sum()))
    return Wish(
        name="pool-failing" if not times else f"pool-failing.{times + 1}",
        why="most like what fails and no finding names",
        expected=share * error,
        ids=seen.ids[beyond],
        tags=(FAILING,),
    )


def rest(seen: PoolView, error: float, base: int) -> Wish:
    """All that is left of the pool. base: rows of it."""
    left = int(min((~seen.barred).sum(), TIMES * base))
    return Wish(
        name="pool-rest",
        why="all that is left of the pool" if left < TIMES * base else "what is left of the pool, by chance",
        expected=error * (1 - (base / (base + left)) ** EXPONENT),
        rows=left,
        tags=(REST,),
    )
