"""Whether a generator minds its parameters: rows of settings far apart differ by more than chance.

One may draw other rows each time and never look at its parameters; that is seen in what can be measured of its rows:
their attributes, their class, and of arrays the numbers themselves.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

LEVEL = 0.05
"""Rows of several settings that chance alone makes so unlike, over all that is measured, count as the same kind."""
WIDEST = 32
"""Numbers of a row of an array: all of them up to so many, else so many random sums."""


def columns_of(frame: pd.DataFrame, x: Inputs) -> pd.DataFrame:
    """All that can be compared of rows: what is measured, and the numbers of an array."""
    parts = {f"a {name}": frame[name].reset_index(drop=True) for name in frame.columns}
    if isinstance(x, Table):
        return pd.DataFrame(parts, index=range(len(x)))
    flat = np.asarray(x, dtype=np.float64).reshape(len(x), -1)
    if flat.shape[1] > WIDEST:
        sums = flat @ np.random.default_rng(0).normal(size=(flat.shape[1], WIDEST))
        flat = np.column_stack([flat.mean(axis=1), flat.std(axis=1), sums])
    return pd.DataFrame(parts | {f"x {at}": column for at, column in enumerate(flat.T)}, index=range(len(x)))


def differ(settings: Sequence[pd.DataFrame], targets: Sequence[Array]) -> bool | None:
    """Whether rows of several settings differ by more than chance; None where there is nothing to compare.

    settings: three at least, the same columns of as many rows; row i of each was made by the same chance, where the
    generator draws all of it from its seed; targets: shape (n,) or (n, k) of each. Every column is tested for where
    its values lie, how far they spread, and how they go with the target, by ranks over all rows (Kruskal-Wallis) and
    row by row (Friedman), each test at its share of `LEVEL`.
    """
    names = [name for name in settings[0].columns if all(name in one.columns for one in settings)]
    target = np.concatenate([np.asarray(one, dtype=np.float64).reshape(len(one), -1)[:, 0] for one in targets])
    target -= np.median(target)
    found = list[float]()
    for name in names:
        ranks = _numbers(pd.concat([one[name] for one in settings], ignore_index=True))
        ranks -= np.median(ranks)
        for values in (ranks, np.abs(ranks), ranks * target):
            found += _chances(np.split(values, len(settings)))
    found += _chances(np.split(target, len(settings)))
    return min(found, default=1.0) * len(found) < LEVEL if names else None


def _chances(values: Sequence[Array]) -> list[float]:
    """How likely chance alone makes values of several settings so unlike, by two tests; nothing where all are one."""
    from scipy.stats import friedmanchisquare, kruskal

    if len(np.unique(np.concatenate(values))) < 2:
        return []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        both = kruskal(*values).pvalue, friedmanchisquare(*values).pvalue
    return [float(p) if np.isfinite(p) else 1.0 for p in both]


def _numbers(column: pd.Series[Any]) -> Array:
    """A column in ranks: what is missing is below all, what is no number in the order of its text."""
    if not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        column = column.map(str, na_action="ignore")
    return np.array(column.rank(method="average", na_option="top"), dtype=np.float64)
