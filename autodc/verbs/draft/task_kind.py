"""Which columns are the targets, and what kind of task they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autodc.adapters.sources.kinds import column_type
from autodc.errors import InputError, raise_all
from autodc.hints import suggest
from autodc.studyfile.study import TaskKind

Array = np.ndarray[Any, Any]

USUAL = ("target", "label", "labels", "class", "classes", "y", "outcome", "response", "category", "species")
"""What a column of targets is called where nobody says which it is."""
MOST_WHOLE = 30
"""More different whole numbers than this are amounts, not names of classes."""
ROWS_A_CLASS = 5
"""Whole numbers with fewer rows each than this are amounts."""
DISTINCT = 0.5
"""Text with so large a share of different values names rows, not classes."""


def target_columns(names: Sequence[str], asked: Sequence[str], place: str) -> tuple[str, ...]:
    """The columns that were asked for, or the last that is called as targets are.

    Raises InputError ADC-INIT-003 for one that is not there, or where none is called so.
    """
    raise_all(
        InputError(
            "ADC-INIT-003", "there is no such column", "--target", repr(name), suggest(name, names, "columns")[:400]
        )
        for name in asked
        if name not in names
    )
    if asked:
        return tuple(dict.fromkeys(asked))
    named = [name for name in names if name.casefold() in USUAL]
    if not named:
        hint = f"name it with --target COLUMN; columns: {', '.join(names)}"[:600]
        raise InputError("ADC-INIT-003", "no column is called like a target", place, "", hint)
    return (named[-1],)


def kind_of(targets: pd.DataFrame, place: str) -> TaskKind:
    """The task that columns of targets make. Raises InputError ADC-INIT-004 for what cannot be learned.

    targets: without missing values.
    """
    if len(targets.columns) > 1:
        raise_all(
            InputError("ADC-INIT-004", f"one of several targets holds no numbers: `{name}`", place, _shown(column))
            for name, column in targets.items()
            if column_type(column) not in ("integer", "number")
        )
        return "regression"
    column = targets.iloc[:, 0]
    name, found, kinds = targets.columns[0], column_type(column), int(column.nunique()) if _single(column) else 0
    if found is None and isinstance(column.iloc[0], np.ndarray | list):
        return "regression"
    if found is None or found == "date":
        hint = "name another column with --target"
        raise InputError("ADC-INIT-004", f"column `{name}` cannot be a target", place, _shown(column), hint)
    if kinds < 2:
        hint = "there is nothing to learn; name another column with --target, or another file"
        raise InputError("ADC-INIT-004", f"target `{name}` is the same in every row", place, _shown(column), hint)
    if found in ("integer", "number"):
        return "classification" if names_classes(column.to_numpy(dtype=np.float64)) else "regression"
    if kinds > DISTINCT * len(column) and kinds > 2:
        hint = "classes come again; name another column with --target"
        got = f"{kinds} different values in {len(column)} rows, such as {_shown(column)}"
        raise InputError("ADC-INIT-004", f"target `{name}` is another in nearly every row", place, got, hint)
    return "classification"


def names_classes(values: Array) -> bool:
    """Whether numbers name classes: few whole ones, each with rows enough."""
    distinct = np.unique(values)
    if not np.array_equal(distinct, np.round(distinct)):
        return False
    return len(distinct) <= 2 or (len(distinct) <= MOST_WHOLE and len(distinct) * ROWS_A_CLASS <= len(values))


def _single(column: pd.Series[Any]) -> bool:
    return bool(column.map(lambda value: getattr(type(value), "__hash__", None) is not None).all())


def _shown(column: pd.Series[Any]) -> str:
    return ", ".join(repr(value)[:60] for value in column.drop_duplicates().head(3)) if _single(column) else "lists"
