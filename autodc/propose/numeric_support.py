"""Which rows of a pool lie near the explore rows by their numbers: what a rule says holds of nothing else.

A pool has conditions that validation has not, and some of them meet a rule that was found without them. What the rule
itself names is no distance, for there rows are to differ from most others.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from autodc.diagnose.shadow.columns import Columns

Array = np.ndarray[Any, Any]

NEAR, FAR, REACH = 5, 0.95, 1.5
"""A row is as far as its fifth nearest explore row; that share of the explore rows is nearer to the others, and so many
times as far is out of reach."""
LEAST = 0.1
"""Whatever explore rows say that are mostly the same: a tenth of what most of them span is never out of reach."""
NAMES = re.compile(r"""'(?:[^']|'')*'|"((?:[^"]|"")*)"|(\w+)""")
"""Text of an SQL expression, and the names in it."""


def within_reach(columns: Columns, known: pd.DataFrame, offered: pd.DataFrame, rule: str) -> Array:
    """Mark the rows whose numbers are near those of some explore rows, shape (m,) of booleans.

    known: the explore rows; offered: m rows of the pool; rule: SQL of the finding, empty where there is none. For a
    column that it names a row is left out only where it is as far beyond all explore rows as these span.
    """
    numbers = [one for one in columns.columns if not one.is_category]
    if not numbers or not len(offered) or len(known) <= NEAR:
        return np.ones(len(offered), dtype=bool)
    own = np.stack([one.encode(known[one.source]).astype(float) for one in numbers], axis=1)
    measured = ~np.isnan(own).all(axis=0)
    numbers, own = [one for one, is_there in zip(numbers, measured, strict=True) if is_there], own[:, measured]
    if not numbers:
        return np.ones(len(offered), dtype=bool)
    rows = np.stack([one.encode(offered[one.source]).astype(float) for one in numbers], axis=1)
    middle, width = _scale(own)
    own, rows = (np.nan_to_num((one - middle) / width) for one in (own, rows))
    named = np.isin([one.source.casefold() for one in numbers], list(_named(rule)))
    low, high = own[:, named].min(axis=0), own[:, named].max(axis=0)
    rows[:, named] -= np.clip(rows[:, named], low - (high - low), high + (high - low))
    own[:, named] = 0.0
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=NEAR + 1).fit(own)
    reach = max(LEAST, REACH * float(np.quantile(nearest.kneighbors(own)[0][:, NEAR], FAR)))
    return np.asarray(nearest.kneighbors(rows)[0][:, NEAR - 1] <= reach)


def _scale(own: Array) -> tuple[Array, Array]:
    """The middle of each column, and what most of its values span; where most are the same, what all span."""
    low, middle, high = np.nanquantile(own, [0.1, 0.5, 0.9], axis=0)
    span = np.nanmax(own, axis=0) - np.nanmin(own, axis=0)
    return middle, np.where(high > low, high - low, np.where(span > 0, span, 1.0))


def _named(rule: str) -> Collection[str]:
    """The names in a rule, without regard to case."""
    found = ((quoted.replace('""', '"') or word).casefold() for quoted, word in NAMES.findall(rule))
    return {name for name in found if name}
