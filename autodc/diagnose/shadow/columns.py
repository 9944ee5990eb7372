"""Attributes as numbers: the columns that validation and stream share, each a number or the code of a category."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, final

import numpy as np
import pandas as pd

from autodc.data.times import dates, in_iso
from autodc.diagnose.measured import word
from autodc.diagnose.rule import as_floats

Array = np.ndarray[Any, Any]

MOST_VALUES = 60
"""A category has so many values of its own; rarer ones, and those that validation does not have, are one more."""
TOO_MANY = 0.5
"""Text of which more than this share of values are distinct says no condition: names, paths, free text."""
DATES = 0.9
"""Text is a date where so large a share of it reads as one."""
OTHER = "(another)"
HOUR, WEEKDAY = "hour", "weekday"

Left = Literal["lost", "another type", "names"]
"""Why a column is not looked at: the stream does not have it, has it in another type, or it names rows."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One attribute."""

    name: str
    source: str
    """The column it is made of."""
    part: Literal["", "hour", "weekday"] = ""
    """Of a date."""
    values: tuple[str, ...] | None = None
    """Of a category, the commonest first; None of a number."""
    truth: bool = False
    """Whether the values are true and false."""
    sums_up: bool = False
    """Whether it sums up how unusual a row is: it helps to learn, and tells nobody what is unusual."""

    @property
    def is_category(self) -> bool:
        """Whether it has values and no order."""
        return self.values is not None

    def encode(self, column: pd.Series[Any]) -> Array:
        """Shape (n,) float32: numbers with NaN where there is none, codes of which the last is any other value."""
        if self.part:
            moments = dates(column)
            found = moments.dt.hour if self.part == HOUR else moments.dt.day_of_week
            return np.asarray(found.to_numpy(np.float32, na_value=np.nan))
        if self.values is None:
            return _numbers(column).astype(np.float32)
        text = _text(column)
        code = {value: at for at, value in enumerate(self.values)}
        found = text.map(code).fillna(len(self.values)).to_numpy(np.float32)
        found[column.isna().to_numpy(bool)] = np.nan
        return np.asarray(found, dtype=np.float32)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """All attributes, in an order that stays."""

    columns: tuple[Column, ...]
    left_out: Mapping[str, Left]

    @classmethod
    def shared(
        cls, known: pd.DataFrame, stream: pd.DataFrame, skip: Iterable[str] = (), summing: Iterable[str] = ()
    ) -> Self:
        """Settle what is looked at by validation and the beginning of the stream.

        skip: columns that say which row or when, such as ids and groups; summing: those that only sum up how unusual a
        row is.
        """
        aside, last, found, left = set(skip), set(summing), list[Column](), dict[str, Left]()
        for name in map(str, known.columns):
            if name in aside:
                continue
            if name not in stream.columns:
                left[name] = "lost"
                continue
            mine, theirs = _made(name, known[name]), _made(name, stream[name])
            if not mine:
                left[name] = "names"
            elif (not theirs and stream[name].notna().any()) or _odd(mine, theirs, stream[name]):
                left[name] = "another type"
            else:
                found += [replace(one, sums_up=name in last) for one in mine]
        return cls(columns=tuple(found), left_out=left)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def names(self) -> list[str]:
        """As a person calls them."""
        return [one.name for one in self.columns]

    def encode(self, frame: pd.DataFrame) -> Array:
        """Shape (n, columns) float32. Raises KeyError where a column is not there."""
        if not self.columns:
            return np.zeros((len(frame), 0), np.float32)
        return np.stack([one.encode(frame[one.source]) for one in self.columns], axis=1)


def _made(name: str, column: pd.Series[Any]) -> list[Column]:
    """The attributes of a column; none where it names rows."""
    known = column.dropna()
    if known.empty:
        return [Column(name=name, source=name)]
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.infer_dtype(known) == "boolean":
        return [Column(name=name, source=name, values=tuple(_text(known).value_counts().index), truth=True)]
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.infer_dtype(known) in (
        "decimal",
        "mixed-integer-float",
    ):
        return [Column(name=name, source=name)]
    if _is_date(known):
        return _of_date(name, known)
    counts = _text(known).value_counts()
    if len(counts) > max(MOST_VALUES, TOO_MANY * len(known)) or (
        len(counts) > TOO_MANY * len(known) and len(known) > 20
    ):
        return []
    return [Column(name=name, source=name, values=tuple(counts.index[:MOST_VALUES]))]


def _of_date(name: str, known: pd.Series[Any]) -> list[Column]:
    """When in the day and in the week; the date itself is another in every stream."""
    moments = dates(known).dropna()
    parts: list[tuple[str, Any]] = [(HOUR, moments.dt.hour), (WEEKDAY, moments.dt.day_of_week)]
    return [Column(name=f"{name} ({part})", source=name, part=part) for part, v in parts if v.nunique() > 1]  # type: ignore[arg-type]


def _is_date(known: pd.Series[Any]) -> bool:
    if pd.api.types.is_datetime64_any_dtype(known.dtype) or pd.api.types.infer_dtype(known) in ("date", "datetime"):
        return True
    if not pd.api.types.is_string_dtype(known.dtype) and pd.api.types.infer_dtype(known) != "string":
        return False
    some = known.iloc[:: max(1, len(known) // 200)].astype(str)
    return bool(some.map(in_iso).str.match(r"^\d{4}-\d\d-\d\d").mean() >= DATES and dates(some).notna().mean() >= DATES)


def _odd(mine: list[Column], theirs: list[Column], stream: pd.Series[Any]) -> bool:
    """Whether a column is of numbers on the one side and of text on the other."""
    if not theirs or stream.isna().all():
        return False
    return {(one.is_category, one.part) for one in mine} != {(one.is_category, one.part) for one in theirs}


def _numbers(column: pd.Series[Any]) -> Array:
    values = as_floats(column)
    return np.where(np.isfinite(values), np.clip(values, -3e38, 3e38), np.nan)


def _text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Categories as a person reads them; what is text already stays as it lies, which of a million rows is quicker."""
    return column if pd.api.types.infer_dtype(column) == "string" else column.map(word)
