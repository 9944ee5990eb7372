"""Which example a row is, where a column says so: the same id is the same example, another id is another one.

Numbers that merely count the rows of a file, and names that another file uses for other examples, say nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from autodc.data.dataset import Dataset
from autodc.data.views import columns as columns_of
from autodc.data.views import width as width_of
from autodc.table import Table

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

COMPARED = 500
"""Examples whose inputs are compared where both sets have their id."""
WIDEST = 4096
"""Of wider arrays so many values, evenly."""
ALIKE = 0.5
"""From here on inputs of the same id are those of one example: 0 is as like as two rows of other ids, 1 is equal. Below
that a file counts its own rows, or shows the same things at another time."""
ROUNDING = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Identity:
    """What an id column that two datasets have says of the rows of the first."""

    column: str
    theirs: str
    """column, theirs: its name here and in the other set."""
    asked: bool
    """The user named the column; else it looks like one of ids."""
    shared: Mask
    """Rows whose id the other set has too."""
    known: Mask
    """Rows that have an id."""
    reused: bool
    """Rows of the same id are not alike."""

    @property
    def decides(self) -> bool:
        """Whether rows are told apart by it."""
        return self.asked or not self.reused


def identity(own: Dataset, other: Dataset) -> Identity | None:
    """What ids say of the rows of `own`; None where the two have none, or none that mean the same in both."""
    for name, theirs, asked in _columns(own, other):
        mine, named = as_ids(own.metadata[name]), as_ids(other.metadata[theirs])
        if mine.isna().all() or named.isna().all():
            continue
        shared = (mine.isin(set(named.dropna())) & mine.notna()).to_numpy()
        unlike = bool(shared.any()) and _likeness(own, other, mine, named) < ALIKE
        counted = is_count(own.metadata[name]) and is_count(other.metadata[theirs])
        if counted and not asked and (unlike or not shared.any()):
            continue
        return Identity(
            column=name, theirs=theirs, asked=asked, shared=shared, known=mine.notna().to_numpy(), reused=unlike
        )
    return None


def as_ids(column: pd.Series[Any]) -> pd.Series[Any]:
    """Ids as text, a whole number without a point; missing ones stay missing."""
    if pd.api.types.is_float_dtype(column) and not isinstance(column.dtype, pd.ArrowDtype):
        whole = column.dropna()
        if bool((whole == whole.round()).all()) and bool((whole.abs() < 2**53).all()):
            column = column.astype("Int64")
    return column.astype(object).map(lambda value: str(value).strip(), na_action="ignore")


def is_count(column: pd.Series[Any]) -> bool:
    """Whether a column numbers the rows of its own file: whole numbers from 0 or 1 without a gap."""
    if not pd.api.types.is_integer_dtype(column) or column.isna().any() or not len(column):
        return False
    low, high = int(column.min()), int(column.max())
    return low in (0, 1) and high - low + 1 == column.nunique() == len(column)


def with_ids_of(data: Dataset, base: Dataset) -> Dataset:
    """The dataset with the id columns of the base, where it has them and names none of its own."""
    asked = data.id or (base.id if base.id in data.metadata else "")
    likely = tuple(name for name in base.likely_ids if name in data.metadata)
    return data if (asked, likely) == (data.id, data.likely_ids) else replace(data, id=asked, likely_ids=likely)


def _columns(own: Dataset, other: Dataset) -> Sequence[tuple[str, str, bool]]:
    """Pairs of id columns to be tried, and whether they were asked for."""
    if own.id or other.id:
        mine, theirs = own.id or other.id, other.id or own.id
        both = mine in own.metadata and theirs in other.metadata
        return [(mine, theirs, True)] if both else []
    return [(name, name, False) for name in own.likely_ids if name in own.metadata and name in other.metadata]


def _likeness(own: Dataset, other: Dataset, mine: pd.Series[Any], theirs: pd.Series[Any]) -> float:
    """How like the rows of the same id are: 0 as two rows of other ids, 1 in every column."""
    first, second = (ids.dropna().drop_duplicates() for ids in (mine, theirs))
    both = pd.Series(first.index, index=first.to_numpy()).to_frame("own")
    both = both.join(pd.Series(second.index, index=second.to_numpy(), name="other"), how="inner")
    if len(both) > COMPARED:
        both = both.iloc[np.linspace(0, len(both) - 1, COMPARED).astype(int)]
    rows, partners = both["own"].to_numpy(), both["other"].to_numpy()
    equal = _agreement(own, other, rows, partners)
    others = np.linspace(0, len(other) - 1, min(len(other), COMPARED)).astype(int)
    usual = _agreement(own, other, np.resize(rows, len(others)), others)
    return 1.0 if usual >= 1.0 - ROUNDING else (equal - usual) / (1.0 - usual)


def _agreement(own: Dataset, other: Dataset, rows: Array, partners: Array) -> float:
    """The mean share of columns in which pairs of rows agree."""
    if isinstance(own.x, Table):
        pairs = zip(columns_of(own.x[rows]), columns_of(other.x[partners]), strict=True)
        return float(np.mean([_same(a, b) for a, b in pairs]))
    some = np.linspace(0, width_of(own.x) - 1, min(width_of(own.x), WIDEST)).astype(int)
    mine, theirs = (np.asarray(d.x[at]).reshape(len(at), -1)[:, some] for d, at in ((own, rows), (other, partners)))
    return float(np.isclose(mine, theirs, rtol=ROUNDING, atol=0, equal_nan=True).mean())


def _same(one: pd.Series[Any], two: pd.Series[Any]) -> float:
    missing = one.isna().to_numpy() & two.isna().to_numpy()
    if pd.api.types.is_float_dtype(one) or pd.api.types.is_float_dtype(two):
        first, second = (column.to_numpy(dtype=np.float64, na_value=np.nan) for column in (one, two))
        equal = np.isclose(first, second, rtol=ROUNDING, atol=0)
    else:
        equal = (one.reset_index(drop=True) == two.reset_index(drop=True)).fillna(False).to_numpy(dtype=bool)
    return float(np.mean(equal | missing))
