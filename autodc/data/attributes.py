"""Attributes: columns that are measured of any rows, so that conditions, findings and people can name them.

An enricher sees inputs and metadata, never targets; what it gives is looked at before anything rests on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, final, runtime_checkable

import numpy as np
import pandas as pd

from autodc.data.columns import NO_VALUES, plain
from autodc.data.problems import SHOWN, listed
from autodc.data.rows import RESERVED
from autodc.errors import InputError
from autodc.plugins import own_code
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

InputKind = Literal["arrays", "table", "text", "files"]

NEEDS = "it needs a `name` and attributes(rows) -> a pandas DataFrame of as many rows"


class AttributeProblem(InputError):
    """An enricher raised, or gave what is no column of attributes."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """n rows as an enricher sees them: without targets."""

    x: Inputs
    """Inputs as the study holds them, shape (n, ...)."""
    metadata: pd.DataFrame
    """n rows, the columns that the data bring along; of a table its inputs are among them."""

    def __len__(self) -> int:
        return len(self.x)

    @property
    def kind(self) -> InputKind:
        """What an input is."""
        return self.x.kind if isinstance(self.x, Table) else "arrays"

    @property
    def inputs(self) -> Array | pd.DataFrame | list[str]:
        """Inputs as a person needs them: an array, a frame of a table's columns, texts, or absolute paths of files."""
        return self.x.for_estimator() if isinstance(self.x, Table) else self.x


@runtime_checkable
class Enricher(Protocol):
    """Measures rows."""

    @property
    def name(self) -> str:
        """How people call it."""
        ...

    def attributes(self, rows: Rows) -> pd.DataFrame:
        """Return n rows, one column a measure: numbers, booleans, text, times; NaN or None where a value is missing.

        The value of a row depends on that row alone, and on the base where the enricher was fitted to it.
        """
        ...


@runtime_checkable
class Fittable(Protocol):
    """An enricher that first looks at the base: what is rare there, what lies near it."""

    @property
    def name(self) -> str:
        """How people call it."""
        ...

    def fitted(self, base: Rows, targets: Array | None) -> Enricher:
        """Return the enricher for a study with this base. targets: the base's alone, as the user wrote them."""
        ...


def measured(
    name: str, enricher: Enricher, rows: Rows, place: str, folder: str = "", *, first: int = 0
) -> pd.DataFrame:
    """Ask an enricher, and look at what it gives: n rows of plain columns with an index from 0.

    first: position of the first row among all, for what is told of single rows.

    Raises InputError ADC-ATTR-003 where it raises, 004 where it gives no frame, 005 for another number of rows, 006
    for infinities, 007 for columns without a name, of one name, called `target` or without single values.
    """
    with own_code(lambda got: AttributeProblem("ADC-ATTR-003", f"enricher {name} fails", place, got), folder):
        found = enricher.attributes(rows)
    if not isinstance(found, pd.DataFrame):
        problem = f"enricher {name} gives no DataFrame"
        raise AttributeProblem("ADC-ATTR-004", problem, place, f"a {type(found).__name__}", NEEDS)
    if len(found) != len(rows):
        got = f"{len(found)} rows for {len(rows)}"
        hint = "give every row a value, NaN where there is none"
        raise AttributeProblem("ADC-ATTR-005", f"enricher {name} gives another number of rows", place, got, hint)
    if bad := _bad_names([*found.columns]):
        hint = "call each column by a text of its own, another than `target`"
        raise AttributeProblem("ADC-ATTR-007", f"enricher {name} gives columns that cannot be named", place, bad, hint)
    columns = plain(found.reset_index(drop=True))
    if no_values := columns.attrs.pop(NO_VALUES, None):
        got = ", ".join(f"`{column}` holds {what}" for column, what in no_values.items())
        raise AttributeProblem(
            "ADC-ATTR-007", f"enricher {name} gives columns without single values", place, got, "write one value a row"
        )
    _refuse_infinite(name, columns, place, first)
    return columns


def stacked(name: str, frames: Sequence[pd.DataFrame], place: str) -> pd.DataFrame:
    """What an enricher gave of one piece of the rows after the other as one frame.

    Raises InputError ADC-ATTR-013 where it gives other columns for some of them.
    """
    whole = frames[0]
    for frame in frames[1:]:
        if list(frame.columns) != list(whole.columns):
            odd = sorted({*map(str, frame.columns)} ^ {*map(str, whole.columns)}) or [*map(str, frame.columns)]
            hint = "give the same columns in the same order for whatever rows, NaN where there is no value"
            problem = f"enricher {name} gives other columns for some rows than for others"
            raise AttributeProblem("ADC-ATTR-013", problem, place, _shown(odd), hint)
    if len(frames) == 1:
        return whole
    columns = {column: _one_column([frame[column] for frame in frames]) for column in whole.columns}
    return pd.DataFrame(columns, index=pd.RangeIndex(sum(map(len, frames))))


def joined(parts: Iterable[tuple[str, str, pd.DataFrame]], metadata: pd.DataFrame) -> pd.DataFrame:
    """The columns of several enrichers side by side. parts: enricher, its place, its columns.

    Raises InputError ADC-ATTR-008 where one is called as a column of metadata, 009 as one of another enricher; upper
    and lower case are one, as in `where`.
    """
    given = {str(column).casefold() for column in metadata.columns}
    first: dict[str, str] = {}
    columns: dict[str, pd.Series[Any]] = {}
    for name, place, frame in parts:
        names = [str(column) for column in frame.columns]
        if taken := [column for column in names if column.casefold() in given]:
            hint = "call it otherwise in the enricher, or rename the column of the data"
            problem = f"enricher {name} gives a column that the metadata has"
            raise AttributeProblem("ADC-ATTR-008", problem, place, _shown(taken), hint)
        if taken := [column for column in names if column.casefold() in first]:
            other = first[taken[0].casefold()]
            problem = f"enrichers {other} and {name} give a column of the same name"
            hint = "call it otherwise in one of them, or leave one out"
            raise AttributeProblem("ADC-ATTR-009", problem, place, _shown(taken), hint)
        first |= {column.casefold(): name for column in names}
        columns |= {str(column): values for column, values in frame.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(metadata)))


def empty_columns(frame: pd.DataFrame) -> list[str]:
    """The columns in which every value is missing."""
    return [str(column) for column in frame.columns if len(frame) and frame[column].isna().all()]


def _one_column(parts: Sequence[pd.Series[Any]]) -> pd.Series[Any]:
    """Pieces of a column one after the other; what has no value at all takes the type of the others."""
    kinds = {part.dtype for part in parts if part.notna().any()} or {parts[0].dtype}
    numbers = all(isinstance(kind, np.dtype) and kind.kind in "iuf" for kind in kinds)
    whole = all(part.notna().all() for part in parts)
    kind: Any = next(iter(kinds))
    if numbers and not (len(kinds) == 1 and (whole or kind.kind == "f")):
        kind = np.dtype(float) if any(one.kind == "f" for one in kinds) or not whole else np.dtype(np.int64)
    elif len(kinds) > 1 or (kind == np.dtype(bool) and not whole):
        kind = np.dtype(object)
    return pd.concat([part.astype(kind) for part in parts], ignore_index=True)


def _bad_names(names: list[Any]) -> str:
    bad = [repr(name) for name in names if not isinstance(name, str) or not name.strip()]
    bad += [f"`{name}` twice" for name in dict.fromkeys(map(str, names)) if list(map(str, names)).count(name) > 1]
    bad += [f"`{name}`" for name in names if str(name).casefold() == RESERVED]
    return ", ".join(bad[:SHOWN])


def _refuse_infinite(name: str, columns: pd.DataFrame, place: str, first: int) -> None:
    for column in columns.select_dtypes("number"):
        values = columns[column].to_numpy(dtype=float, na_value=np.nan)
        if (rows := np.flatnonzero(np.isinf(values))).size:
            got = f"`{column}`: {len(rows)} of {len(values)} rows (row {listed(rows + first)})"
            hint = "give NaN where there is no value"
            raise AttributeProblem("ADC-ATTR-006", f"enricher {name} gives infinite values", place, got, hint)


def _shown(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:SHOWN])
