"""Which columns of a table are its inputs where nobody named them, and what a person should know of the choice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.sources.kinds import column_type, plain_values, what_it_holds
from autodc.table import ColumnType

UNNAMED = re.compile(r"^(Unnamed: \d+(\.\d+)*)?$")
"""A column without a name: pandas writes its index so."""
NUMBER = re.compile(r"^[-+(]?\s*[$€£¥]?\s*\d[\d.,'_\s\u00a0\u202f]*(e[-+]?\d+)?\s*[%€$£¥)]?$", re.IGNORECASE)
"""Decimal commas, thousands marks, signs of money and shares beside plain numbers."""
CODE, PADDED = r"\d+", r"0\d"
"""Digits, some with zeros before them, are names of things."""
LIKE_NUMBERS = 0.75
"""From this share of its values on, text looks like numbers."""
ROW_NAMES = frozenset({"index", "level_0", "nr", "row", "row_nr", "row_number", "rownumber", "rownum"})
"""What numbers rows, and says nothing of what stands in them."""
ID_NAMES = ROW_NAMES | {"key"}
ID_WORDS = frozenset({"guid", "id", "idx", "ids", "rowid", "uuid"})
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
MANY = 20
"""Fewer rows may well hold different whole numbers by chance."""
BEYOND_CHANCE = 4.0
"""From so many equal pairs on, which whole numbers drawn from their range would have, none at all is no chance."""
OFTEN = 0.5
"""A column that is called an id is one from so large a share of distinct values on; else it is a category's number."""
COUNTED: tuple[ColumnType, ...] = ("integer", "category")
"""Columns of these types may be ids."""
SHOWN = 8


@final
@dataclass(frozen=True, slots=True)
class Choice:
    """The inputs of a table and what there is to say of them."""

    features: list[str]
    odd: list[str]
    """Columns that hold no single values."""
    notes: tuple[str, ...]


def choose(table: pd.DataFrame, aside: Iterable[str | None], index: Iterable[str], asked: Iterable[str] = ()) -> Choice:
    """Take every column that is not set aside, but for indices, ids and what is the same in every row.

    index: columns that the file itself calls its index; asked: columns that somebody gave a type.
    """
    left_out, known, wanted = set(aside), set(index), set(asked)
    found = {name: _found(name, table[name], known) for name in table.columns if name not in {*left_out, *wanted}}
    columns = {what: [name for name, one in found.items() if one == what] for what in Found}
    features = [
        name
        for name in table.columns
        if name not in left_out and found.get(name, Found.INPUT) in (Found.INPUT, Found.CALLED)
    ]
    return Choice(features, columns[Found.ODD], tuple(_notes(table, columns)))


class Found(Enum):
    """What a column is taken for."""

    INPUT = auto()
    CALLED = auto()
    """An input that is called an id."""
    INDEX = auto()
    ID = auto()
    STILL = auto()
    """The same in every row."""
    LIKE_NUMBERS = auto()
    ODD = auto()
    """No single values."""


def _found(name: str, column: pd.Series[Any], index: set[str]) -> Found:
    kind = column_type(column)
    if name in index or _is_index(name, column):
        return Found.INDEX
    if kind is None:
        return Found.ODD
    if len(column) > 1 and column.nunique(dropna=False) == 1:
        return Found.STILL
    if kind in ("category", "text") and looks_like_numbers(column):
        return Found.LIKE_NUMBERS
    if like_id(name, column, kind):
        return Found.ID
    return Found.CALLED if kind in COUNTED and _is_called_id(name) else Found.INPUT


def likely_ids(table: pd.DataFrame, inputs: Iterable[str]) -> tuple[str, ...]:
    """Columns that are no inputs and look like ids of what the rows are about; numbers of rows are none."""
    known = set(inputs)
    found = []
    for name in table.columns:
        if name in known or name.casefold() in ROW_NAMES or _is_index(name, table[name]):
            continue
        kind = column_type(table[name])
        if kind is not None and like_id(name, table[name], kind):
            found.append(name)
    return tuple(found)


def looks_like_numbers(column: pd.Series[Any]) -> bool:
    """Whether text is numbers but for decimal commas, thousands marks, units or a few words."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return False
    values = plain_values(column).dropna()
    if values.empty or pd.api.types.infer_dtype(values) not in ("string", "integer", "mixed-integer"):
        return False
    counts = values.astype(str).value_counts()
    if counts.index.str.fullmatch(CODE).all() and counts.index.str.match(PADDED).any():
        return False
    fits = [bool(NUMBER.match(value.strip())) for value in counts.index]
    return float(counts[fits].sum()) >= LIKE_NUMBERS * len(values)


def _is_index(name: str, column: pd.Series[Any]) -> bool:
    return UNNAMED.match(name) is not None and (bool(column.isna().all()) or _whole(column))


def _notes(table: pd.DataFrame, columns: Mapping[Found, list[str]]) -> Iterable[str]:
    asked = "to have it as an input, name the inputs in options: {features: [...]}"
    if named := [name for name in columns[Found.INDEX] if table[name].notna().any()]:
        yield f"{_columns(named)} taken for an index of the rows, so no input; {asked}"
    if texts := columns[Found.LIKE_NUMBERS]:
        such = ", ".join(f"{name}: {_odd(table[name])!r}" for name in texts[:3])
        yield (
            f"{_columns(texts)} text that looks like numbers ({such}), so no input; write plain numbers, with nothing "
            f"where one is missing (decimal commas: options: {{decimal: ','}}), or, {asked}; or set it aside with "
            "options: {metadata: [...]}"
        )
    if ids := columns[Found.ID]:
        yield f"{_columns(ids)} left out: it looks like an id, another in every row; {asked}"
    if still := columns[Found.STILL]:
        yield f"{_columns(still)} left out: it is the same in every row; {asked}"
    if called := columns[Found.CALLED]:
        yield (
            f"{_columns(called)} an input but called an id; where it is one, keep it out of training with options: "
            "{metadata: [...]}, or {group: ...} where its rows belong together"
        )
    if odd := columns[Found.ODD]:
        held = dict.fromkeys(what_it_holds(table[name]) for name in odd)
        way = "; lists of numbers are inputs by themselves: options: {features: [column]}" if "lists" in held else ""
        yield f"{_columns(odd)} no input: it holds {', '.join(held)}{way}"


def _columns(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    return f"column {shown} is" if len(names) == 1 else f"each of columns {shown}{more} is"


def _odd(column: pd.Series[Any]) -> Any:
    """A value that shows why a column is text: the first that is no plain number."""
    values = column.dropna()
    plain = pd.to_numeric(values.astype(str), errors="coerce").notna()
    return values[~plain].iloc[0] if not plain.all() else values.iloc[0]


def _whole(column: pd.Series[Any]) -> bool:
    """Whether all values are whole numbers."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column) or column.isna().any():
        return False
    values = column.to_numpy(dtype=np.float64)
    return bool(np.all(np.isfinite(values) & (values == np.round(values))))


def like_id(name: str, column: pd.Series[Any], kind: ColumnType) -> bool:
    """Whether a column numbers or names the rows: by its name, or because no value comes twice beyond chance."""
    rows, distinct = int(column.notna().sum()), int(column.nunique())
    if kind not in COUNTED or distinct < rows:
        return kind in COUNTED and _is_called_id(name) and distinct > OFTEN * rows
    if _is_called_id(name):
        return True
    if rows < MANY:
        return False
    if kind == "category":
        return True
    span = float(column.max()) - float(column.min()) + 1
    return rows**2 / (2 * span) > BEYOND_CHANCE


def _is_called_id(name: str) -> bool:
    return name.casefold() in ID_NAMES or bool(ID_WORDS & {word.casefold() for word in WORDS.findall(name)})
