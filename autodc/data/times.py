"""When rows are of: the column that the user names by `time`, and training rows that are newer than held-out ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from autodc.data.dataset import Dataset

Array = np.ndarray[Any, Any]

YEAR_FIRST = re.compile(r"^(\d{4})/(\d{1,2})/(\d{1,2})(?=$|[ T])")
"""2026/1/31 means one day only. Whether 3/4/2026 is in March or in April nobody can say."""


def moments(column: pd.Series[Any]) -> Array:
    """When each row is of, float64 (n,): a number as it is, a date in microseconds since 1970; NaN for all else."""
    if pd.api.types.is_bool_dtype(column):
        return np.full(len(column), np.nan)
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    found = dates(column).to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(found), np.nan, found.astype(np.int64).astype(np.float64))


def dates(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of dates, as text or not, in UTC; NaT where there is none."""
    found: pd.Series[Any] = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
    if (other := found.isna() & column.notna()).any():
        found[other] = pd.to_datetime(column[other].map(in_iso), errors="coerce", utc=True, format="ISO8601")
    return found


def in_iso(value: Any) -> Any:
    """A date with strokes, the year first, as ISO 8601 writes it; all else as it is."""
    if not isinstance(value, str) or not (found := YEAR_FIRST.match(value)):
        return value
    year, month, day = found.groups()
    return f"{year}-{month:0>2}-{day:0>2}{value[found.end() :]}"


def times_of(data: Dataset) -> Array | None:
    """When each row of a dataset is; None where nobody named a column."""
    return moments(data.metadata[data.time]) if data.time else None


def shared_times(own: Dataset, held: Iterable[Dataset]) -> tuple[str, ...]:
    """Say where training rows are newer than held-out ones: what is learned was not yet known then."""
    if (mine := times_of(own)) is None:
        return ()
    found = []
    for other in held:
        theirs = times_of(other)
        if theirs is None or _are_dates(own) != _are_dates(other):
            continue
        if late := int((mine > theirs.min()).sum()):
            first = other.metadata[other.time].iloc[int(theirs.argmin())]
            found.append(
                f"{late} of {len(own)} rows of `{own.name}` are newer than the oldest of `{other.name}` "
                f"(`{other.time}` {first}): rows are judged that are older than what was learned; to know how the "
                "model does on what comes later, train on what came before"
            )
    return tuple(found)


def _are_dates(data: Dataset) -> bool:
    return not pd.api.types.is_numeric_dtype(data.metadata[data.time])
