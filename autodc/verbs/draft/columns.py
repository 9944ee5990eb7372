"""What the columns of a table are for beside being inputs: groups, times, slices, and those that are no inputs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.sources.inputs import ID_WORDS, UNNAMED, WORDS, like_id, looks_like_numbers
from autodc.adapters.sources.kinds import column_type
from autodc.data.times import dates

GROUPS = frozenset(
    {
        "account",
        "animal",
        "case",
        "client",
        "clinic",
        "customer",
        "device",
        "donor",
        "driver",
        "family",
        "group",
        "hospital",
        "household",
        "machine",
        "member",
        "participant",
        "patient",
        "person",
        "player",
        "scan",
        "scene",
        "school",
        "sensor",
        "session",
        "shop",
        "site",
        "slide",
        "station",
        "store",
        "student",
        "subject",
        "user",
        "vehicle",
        "video",
        "visitor",
    }
)
"""What rows are of that belong together."""
NUMBERED = frozenset(["code", "key", "name", "no", "nr", "num", "number"])
"""Words that may stand beside one of them."""
LEAST_GROUPS = 30
"""Fewer are rather slices than groups."""
REPEATS = 1.25
"""Rows a group, from which on it is worth keeping them together."""
LARGEST = 0.3
"""A group with a larger share of the rows cannot be kept on one side of a cut."""
TIMES = frozenset({"at", "created", "date", "day", "month", "period", "quarter", "time", "timestamp", "when"})
BIRTHS = frozenset(["birth", "birthday", "birthdate", "born", "dob"])
"""A date that is no time of the row."""
LEAST_TIMES = 10
CONSTANT = "the same in every row"
SLICE_VALUES = 6
"""A column with more values is none to make slices of."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A slice that a column's value makes."""

    name: str
    where: str
    column: str


def words_of(name: str) -> set[str]:
    """The words of a column's name, in small letters."""
    return {word.casefold() for word in WORDS.findall(name)}


def why_left_out(name: str, column: pd.Series[Any]) -> str:
    """Why a column that nobody asked for is no input, in a few words."""
    kind = column_type(column)
    if UNNAMED.match(name):
        return "an index"
    if kind is None:
        return "no single values"
    if column.nunique(dropna=False) <= 1:
        return CONSTANT
    if kind in ("category", "text") and looks_like_numbers(column):
        return "text that looks like numbers"
    return "an id" if like_id(name, column, kind) else "no input"


def group_column(frame: pd.DataFrame, no: Collection[str]) -> str | None:
    """The column whose rows belong together by its name and because its values come again; the finest of several."""
    found: dict[str, int] = {}
    for name in frame.columns:
        if name in no or not _is_called_group(name) or column_type(frame[name]) not in ("category", "integer"):
            continue
        counts = frame[name].value_counts()
        if frame[name].isna().any() or len(counts) < LEAST_GROUPS or len(frame) < REPEATS * len(counts):
            continue
        if counts.iloc[0] <= LARGEST * len(frame):
            found[str(name)] = len(counts)
    return max(found, key=lambda name: found[name]) if found else None


def time_column(frame: pd.DataFrame, no: Collection[str]) -> str | None:
    """The date that tells when a row was made: one by which the rows are sorted, else one that is called so."""
    named = None
    for name in frame.columns:
        if name in no or words_of(name) & BIRTHS or column_type(frame[name]) != "date":
            continue
        times = dates(frame[name])
        if times.isna().mean() > 0.01 or times.nunique() < LEAST_TIMES:
            continue
        if times.dropna().is_monotonic_increasing or times.dropna().is_monotonic_decreasing:
            return str(name)
        named = named or (str(name) if words_of(name) & TIMES else None)
    return named


def proposed_slices(
    frame: pd.DataFrame,
    inputs: Collection[str],
    no: Collection[str],
    least: int,
    beside: Collection[pd.DataFrame] = (),
) -> list[Proposed]:
    """Slices for each value of columns with few of them, columns that are no inputs first.

    least: rows a value must have; beside: other tables that must have it as well. A column of which fewer than two
    values have them makes none.
    """
    ranked = []
    for position, name in enumerate(frame.columns):
        kind = column_type(frame[name])
        if name in no or kind not in ("category", "boolean", "integer", "number"):
            continue
        counts = frame[name].value_counts()
        if not 2 <= len(counts) <= SLICE_VALUES or (kind == "number" and not _whole(counts.index)):
            continue
        enough = sorted(counts[counts >= least].index.tolist(), key=str)
        for other in beside:
            enough = [value for value in enough if name not in other or (other[name] == value).any()]
        if len(enough) > 1:
            order = {"category": 0, "boolean": 1}.get(str(kind), 2)
            ranked.append((name in inputs, order, len(enough), position, str(name), enough))
    taken: set[str] = set()
    return [_slice(name, value, taken) for *_, name, values in sorted(ranked) for value in values]


def slug(text: str, taken: Iterable[str] = (), otherwise: str = "x") -> str:
    """A name that a study file takes, unlike those that are taken."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "_.-") else "_" for c in text).strip("_.-")[:60]
    first = plain = plain or otherwise
    known, number = {name.casefold() for name in taken}, 2
    while plain.casefold() in known:
        plain, number = f"{first}_{number}", number + 1
    return plain


def expression(column: str, value: Any) -> str:
    """`column = value` as `where` reads it."""
    if isinstance(value, bool | np.bool_):
        written = "true" if value else "false"
    elif isinstance(value, int | float | np.integer | np.floating):
        written = f"{value:g}" if abs(float(value)) < 1e6 else repr(int(value))
    else:
        written = "'" + str(value).replace("'", "''") + "'"
    return f"{_quoted(column)} = {written}"


def _slice(column: str, value: Any, taken: set[str]) -> Proposed:
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    name = slug(f"{column}_{shown}", {*taken, "overall"}, "slice")
    taken.add(name)
    return Proposed(name=name, where=expression(column, value), column=column)


def _quoted(column: str) -> str:
    plain = column.isascii() and column.isidentifier() and column == column.lower() and column not in _reserved()
    return column if plain else '"' + column.replace('"', '""') + '"'


@cache
def _reserved() -> frozenset[str]:
    """Words of SQL that name no column."""
    import duckdb

    words = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
    with duckdb.connect() as connection:
        return frozenset(word for (word,) in connection.execute(words).fetchall())


def _is_called_group(name: str) -> bool:
    words = words_of(str(name)) - {word for word in words_of(str(name)) if word.isdigit()}
    return bool(words & ID_WORDS) or (bool(words & GROUPS) and words <= GROUPS | NUMBERED)


def _whole(values: Mapping[Any, Any] | Any) -> bool:
    numbers = np.asarray(values, dtype=np.float64)
    return bool(np.array_equal(numbers, np.round(numbers)))
