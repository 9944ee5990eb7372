"""Which columns of a table are its inputs where nobody named them, and what a person should know of the choice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

UNNAMED = re.compile(r"^(Unnamed: \d+(\.\d+)*)?$")
"""A column without a name: pandas writes its index so."""
NUMBER = re.compile(r"^[-+(]?\s*[$€£¥]?\s*\d[\d.,'_\s\u00a0\u202f]*(e[-+]?\d+)?\s*[%€$£¥)]?$", re.IGNORECASE)
"""Decimal commas, thousands marks, signs of money and shares beside plain numbers."""
LIKE_NUMBERS = 0.75
"""From this share of its values on, text looks like numbers."""
ID_NAMES = frozenset({"index", "key", "level_0", "nr", "row", "row_nr", "row_number", "rownumber", "rownum"})
ID_WORDS = frozenset({"guid", "id", "idx", "ids", "rowid", "uuid"})
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
MANY = 20
"""Fewer rows may well hold different whole numbers by chance."""
SHOWN = 8


@final
@dataclass(frozen=True, slots=True)
class Choice:
    """The inputs of a table and what there is to say of them."""

    features: list[str]
    notes: tuple[str, ...]


def choose(table: pd.DataFrame, aside: Iterable[str | None], index: Iterable[str]) -> Choice:
    """Take every numeric column that is not set aside, no index and not empty without a name.

    index: columns that the file itself calls its index.
    """
    left_out, known = set(aside), set(index)
    features, indices, texts = [], [], []
    for name in table.columns:
        if name in left_out:
            continue
        column = table[name]
        if name in known or _is_index(name, column):
            indices.append(name)
        elif is_number(column):
            features.append(name)
        elif looks_like_numbers(column):
            texts.append(name)
    return Choice(features, tuple(_notes(table, features, indices, texts)))


def is_number(column: pd.Series[Any]) -> bool:
    """Whether a column is numbers or truth values."""
    return bool(pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))


def looks_like_numbers(column: pd.Series[Any]) -> bool:
    """Whether text is numbers but for decimal commas, thousands marks, units or a few words."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return is_number(column.cat.categories.to_series())
    values = column.dropna()
    if values.empty or pd.api.types.infer_dtype(values) not in ("string", "integer", "mixed-integer"):
        return False
    counts = values.astype(str).value_counts()
    fits = [bool(NUMBER.match(value.strip())) for value in counts.index]
    return float(counts[fits].sum()) >= LIKE_NUMBERS * len(values)


def _is_index(name: str, column: pd.Series[Any]) -> bool:
    return UNNAMED.match(name) is not None and (bool(column.isna().all()) or _whole(column))


def _notes(table: pd.DataFrame, features: list[str], indices: list[str], texts: list[str]) -> Iterable[str]:
    otherwise = "name it in options: {metadata: [...]}, or the inputs in {features: [...]}"
    if named := [name for name in indices if table[name].notna().any()]:
        yield f"{_columns(named)} taken for an index of the rows, so no input; {otherwise}"
    if texts:
        such = ", ".join(f"{name}: {_odd(table[name])!r}" for name in texts[:3])
        yield (
            f"{_columns(texts)} text that looks like numbers ({such}), so no input; write plain numbers with a decimal "
            f"point, or {otherwise}"
        )
    if ids := [name for name in features if _like_id(name, table[name])]:
        yield f"{_columns(ids)} an input but looks like an id or a row number; if so, {otherwise}"
    if still := [name for name in features if len(table) > 1 and table[name].nunique(dropna=False) == 1]:
        yield f"{_columns(still)} an input but the same in every row"


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


def _like_id(name: str, column: pd.Series[Any]) -> bool:
    if pd.api.types.is_bool_dtype(column):
        return False
    if name.casefold() in ID_NAMES or ID_WORDS & {word.casefold() for word in WORDS.findall(name)}:
        return True
    return len(column) >= MANY and _whole(column) and column.nunique() == len(column)
