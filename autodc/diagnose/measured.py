"""Attributes as columns of numbers that differences can be taken of: levels, distances from the usual, shares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
import pandas as pd
from scipy.special import ndtri

from autodc.diagnose.rule import as_floats
from autodc.diagnose.view import View
from autodc.large import distinct_values

Array = np.ndarray[Any, Any]

How = Literal["level", "spread", "share", "missing"]
"""level: how large a number is; spread: how far it is from what is usual in its class, to either side; share: how often
a category is there; missing: how often no value is."""

BINS = 5
"""Strata of a target that is a number, of equal numbers of rows."""
FAR = 6.0
"""Robust standard deviations from the median beyond which a number counts as if it were there."""
VALUES = 20
"""Categories of one attribute that are looked at, the most frequent."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """One thing that is measured of every row."""

    attribute: str
    how: How
    value: str | None = None
    """The category, of a share."""
    own: Array
    """In its own unit, shape (n,), NaN where there is none."""
    drawn: Array
    """The same with what lies far out drawn in, shape (n,)."""

    @property
    def is_share(self) -> bool:
        """Whether it is 0 or 1."""
        return self.how in ("share", "missing")


def strata(view: View) -> Array:
    """Rows that are compared with each other, shape (n,) of integers from 0: those of one class or of like targets."""
    target, labels = view.target, view.labels
    if labels is not None:
        return labels
    if target.ndim != 1 or not len(target):
        return np.zeros(len(view), dtype=int)
    numbers = as_floats(pd.Series(target))
    if np.isnan(numbers).any():
        return np.zeros(len(view), dtype=int)
    edges = distinct_values(np.quantile(numbers, np.arange(1, BINS) / BINS))
    return np.unique(np.searchsorted(edges, numbers, side="right"), return_inverse=True)[1]


def measured(frame: pd.DataFrame, within: Array, usual: Array) -> list[Measured]:
    """All that can be measured of these attributes; what never differs is left out.

    within: strata, shape (n,); usual: shape (n,) of booleans, the rows that say what is usual in a stratum.
    """
    return [one for name in frame for one in _of(str(name), frame[name], within, usual)]


def numbers_of(column: pd.Series[Any]) -> Array | None:
    """Shape (n,), NaN for what is missing or infinite; None where the column is none of numbers or dates."""
    if pd.api.types.is_bool_dtype(column):
        return None
    if pd.api.types.is_datetime64_any_dtype(column):
        days = (column - pd.Timestamp(0, tz=column.dt.tz)).dt.total_seconds() / 86_400
        return np.asarray(days.to_numpy(float, na_value=np.nan))
    if not pd.api.types.is_numeric_dtype(column):
        return None
    values = as_floats(column)
    return np.where(np.isfinite(values), values, np.nan)


def drawn_in(values: Array, usual: Array | None = None) -> Array:
    """Numbers beyond FAR robust standard deviations of the median put there, shape (n,); NaN stays.

    usual: shape (n,) of booleans, the rows of which median and deviation are taken, all where it is left out.
    """
    base = values if usual is None else values[usual]
    base = base[~np.isnan(base)]
    if not len(base):
        return values
    low, middle, high = np.quantile(base, [0.1, 0.5, 0.9])
    if high == low:
        return values
    wide = FAR / -ndtri(0.1)
    return np.clip(
        values, middle - wide * max(middle - low, high - middle), middle + wide * max(middle - low, high - middle)
    )


def _of(name: str, column: pd.Series[Any], within: Array, usual: Array) -> Iterator[Measured]:
    missing = column.isna().to_numpy(bool)
    numbers = numbers_of(column)
    if numbers is not None:
        missing = np.isnan(numbers)
        if len(distinct_values(numbers[~missing])) > 1:
            yield Measured(attribute=name, how="level", own=numbers, drawn=drawn_in(numbers))
        if len(distinct_values(numbers[~missing])) > 2:
            away = np.abs(numbers - _medians(numbers, within, usual))
            yield Measured(attribute=name, how="spread", own=away, drawn=drawn_in(away))
    else:
        words = words_of(column)
        frequent = words[~missing].value_counts()
        for value in frequent.index[:VALUES] if len(frequent) > 1 or missing.any() else ():
            if frequent[value] < len(column):
                is_it = np.where(missing, False, words == value).astype(float)
                yield Measured(attribute=name, how="share", value=str(value), own=is_it, drawn=is_it)
    if missing.any() and not missing.all():
        gone = missing.astype(float)
        yield Measured(attribute=name, how="missing", own=gone, drawn=gone)


def word(value: Any) -> str:
    """A category as a person reads it."""
    return ("true" if value else "false") if isinstance(value, bool | np.bool_) else str(value)


def words_of(column: pd.Series[Any]) -> pd.Series[Any]:
    """Categories as a person reads them; text is what it is, and missing values are missing."""
    values = column.astype(object)
    return values if isinstance(column.dtype, pd.StringDtype) else values.map(word, na_action="ignore")


def _medians(numbers: Array, within: Array, usual: Array) -> Array:
    """Of the usual rows of each row's stratum; of all rows where a stratum has none."""
    everywhere = np.nanmedian(numbers)
    known = pd.Series(np.where(usual, numbers, np.nan)).groupby(within).median()
    return np.asarray(pd.Series(within).map(known).fillna(everywhere).to_numpy(float))
