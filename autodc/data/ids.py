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
from autodc.large import pieces_of
from autodc.table import Table, take

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
WHOLE = r"0|-?[1-9]\d{0,17}"
"""A whole number as `str` writes it, of 64 bits at most."""


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
        mine, named = own.metadata[name], as_ids(other.metadata[theirs])
        known = mine.notna().to_numpy()
        if not known.any() or named.isna().all():
            continue
        shared = _shared(mine, named.dropna())
        unlike = bool(shared.any()) and _likeness(own, other, ids_at(mine, np.flatnonzero(shared)), named) < ALIKE
        counted = is_count(mine) and is_count(other.metadata[theirs])
        if counted and not asked and (unlike or not shared.any()):
            continue
        return Identity(column=name, theirs=theirs, asked=asked, shared=shared, known=known, reused=unlike)
    return None


def as_ids(column: pd.Series[Any]) -> pd.Series[Any]:
    """Ids as text, a whole number without a point; missing ones stay missing."""
    return ids_at(column, slice(None))


def ids_at(column: pd.Series[Any], rows: Any) -> pd.Series[Any]:
    """The same of some rows, which keep their numbers."""
    some = _at(column, rows)
    if pd.api.types.is_float_dtype(column) and not isinstance(column.dtype, pd.ArrowDtype):
        whole = column.dropna()
        if bool((whole == whole.round()).all()) and bool((whole.abs() < 2**53).all()):
            some = some.astype("Int64")
    found: pd.Series[Any] = some.astype(object).map(lambda value: str(value).strip(), na_action="ignore")
    return found


def _at(column: pd.Series[Any], rows: Any) -> pd.Series[Any]:
    """Some rows; of what lies in Arrow the column is not made one for few of them."""
    if isinstance(rows, slice) or not isinstance(column.dtype, pd.ArrowDtype):
        some: pd.Series[Any] = column.iloc[rows]
        return some
    import pyarrow as pa

    index = np.asarray(rows, dtype=np.int64)
    found = take(pa.table({"ids": column.array.__arrow_array__()}), index)["ids"]
    return pd.Series(pd.arrays.ArrowExtensionArray(found), index=index)


def _shared(mine: pd.Series[Any], named: pd.Series[Any]) -> Mask:
    """Mark the rows whose id is one of these: where it lies in Arrow a piece at a time, whole numbers as such."""
    if not isinstance(mine.dtype, pd.ArrowDtype):
        return (as_ids(mine).isin(set(named)) & mine.notna()).to_numpy()
    pieces = (mine.iloc[rows] for rows in pieces_of(len(mine)))
    if pd.api.types.is_signed_integer_dtype(mine) and not mine.isna().any():
        wanted = named[named.str.fullmatch(WHOLE)].astype(np.int64).to_numpy()
        return np.concatenate([np.isin(piece.to_numpy(np.int64), wanted) for piece in pieces])
    texts = set(named)
    return np.concatenate([(as_ids(piece).isin(texts) & piece.notna()).to_numpy() for piece in pieces])


def is_count(column: pd.Series[Any]) -> bool:
    """Whether a column numbers the rows of its own file: whole numbers from 0 or 1 without a gap."""
    if not pd.api.types.is_integer_dtype(column) or column.isna().any() or not len(column):
        return False
    low, high = int(column.min()), int(column.max())
    if low not in (0, 1) or high - low + 1 != len(column):
        return False
    seen = np.zeros(len(column), dtype=bool)
    for rows in pieces_of(len(column)):
        seen[column.iloc[rows].to_numpy(np.int64) - low] = True
    return bool(seen.all())


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
