"""Rules that a person reads: conjunctions of ranges and categories, as a mask, as SQL for `where`, and in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import pandas as pd

Array = np.ndarray[Any, Any]

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
WORDS_OF_SQL = """
    all analyse analyze and anti any array as asc asof asymmetric at authorization binary both by case cast
    check collate collation column columns concurrently constraint create cross default deferrable desc describe
    distinct do else end except false fetch for foreign freeze from full generated glob group having ilike in
    initially inner intersect into is isnull join lambda lateral leading left like limit map natural not notnull
    null offset on only or order outer overlaps pivot pivot_longer pivot_wider placing positional primary
    qualify references returning right select semi show similar some struct summarize symmetric table
    tablesample then to trailing true try_cast tuple union unique unpack unpivot using variadic verbose when
    where window with
"""
KEYWORDS = frozenset(WORDS_OF_SQL.split())
"""Plain names that are no column's in SQL unless they are quoted: reserved words, and those of types and functions."""

TARGET = "target"
"""What the class of a row is called in a rule, as in `where`; no attribute is called so."""

DIGITS = 4
"""Significant digits of a bound. A finder rounds its bounds before it measures, so that the rule that is read is the
one that was measured."""


def rounded(value: float) -> float:
    """A bound as it is written."""
    return float(f"{value:.{DIGITS}g}")


def as_floats(column: pd.Series[Any]) -> Array:
    """A column as float64, shape (n,); NaN where a value is missing or no number."""
    if isinstance(column.dtype, pd.ArrowDtype) and pd.api.types.is_numeric_dtype(column.dtype):
        return np.asarray(column.to_numpy(float, na_value=np.nan))  # pandas loses the gaps of decimals in to_numeric
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """low ≤ attribute < high; None: open on that side."""

    attribute: str
    low: float | None = None
    high: float | None = None

    def mask(self, frame: pd.DataFrame) -> Array:
        """Shape (n,); missing values are in no range."""
        column = frame[self.attribute]
        values = as_floats(column)
        inside = ~np.isnan(values)
        if self.low is not None:
            inside &= values >= _compared(self.low, column)
        if self.high is not None:
            inside &= values < _compared(self.high, column)
        return np.asarray(inside)

    @property
    def sql(self) -> str:
        """The same for `where`."""
        name, bounds = quoted(self.attribute), []
        if self.low is not None:
            bounds.append(f"{name} >= {self.low!r}")
        if self.high is not None:
            bounds.append(f"{name} < {self.high!r}")
        return " AND ".join(bounds)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """The attribute is one of these values."""

    attribute: str
    values: tuple[Any, ...]

    def mask(self, frame: pd.DataFrame) -> Array:
        """Shape (n,)."""
        return np.asarray(frame[self.attribute].isin(list(self.values)).to_numpy(bool, na_value=False))

    @property
    def sql(self) -> str:
        """The same for `where`."""
        name = quoted(self.attribute)
        if len(self.values) == 1:
            return f"{name} = {literal(self.values[0])}"
        return f"{name} IN ({', '.join(literal(value) for value in self.values)})"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The attribute has no value."""

    attribute: str

    def mask(self, frame: pd.DataFrame) -> Array:
        """Shape (n,)."""
        return np.asarray(frame[self.attribute].isna().to_numpy(bool))

    @property
    def sql(self) -> str:
        """The same for `where`."""
        return f"{quoted(self.attribute)} IS NULL"


Condition = Range | Among | Missing


@final
@dataclass(frozen=True, slots=True)
class Rule:
    """All of these conditions hold."""

    conditions: tuple[Condition, ...]

    def mask(self, frame: pd.DataFrame) -> Array:
        """Shape (n,) of booleans: the rows of the frame that are meant."""
        inside = np.ones(len(frame), dtype=bool)
        for one in self.conditions:
            inside &= one.mask(frame)
        return inside

    @property
    def sql(self) -> str:
        """The rule as a slice's `where`; it means the same rows as `mask`."""
        return " AND ".join(one.sql for one in self.conditions)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The columns it names, each once."""
        return tuple(dict.fromkeys(one.attribute for one in self.conditions))

    @property
    def names_class(self) -> bool:
        """Whether the class of a row is one of its conditions: then no rows without labels are chosen by it."""
        return TARGET in self.attributes

    @property
    def classless(self) -> Self:
        """The same without what it says of the class."""
        return type(self)(tuple(one for one in self.conditions if one.attribute != TARGET))


def quoted(name: str) -> str:
    """A column's name in SQL."""
    is_plain = PLAIN.fullmatch(name) and name.lower() not in KEYWORDS
    return name if is_plain else '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A value in SQL."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | float | np.integer | np.floating):
        return repr(value.item() if isinstance(value, np.generic) else value)
    return "'" + str(value).replace("'", "''") + "'"


def _compared(bound: float, column: pd.Series[Any]) -> float:
    """A bound as SQL compares it with a column.

    Beside a column of 32 bits DuckDB gives a number 32 bits, but one with an exponent, which is a double.
    """
    kind = getattr(column.dtype, "numpy_dtype", column.dtype)
    is_narrow = kind in (np.dtype(np.float32), np.dtype(np.float16))
    return float(np.float32(bound)) if is_narrow and "e" not in repr(bound) else bound
