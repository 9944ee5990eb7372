"""The columns of a table that are its targets: found by name, and made one array."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from autodc.adapters.sources.kinds import typed, wanted_types
from autodc.data.columns import as_array
from autodc.data.problems import missing_name, problem
from autodc.data.source import SourceRequest
from autodc.errors import raise_all

DEFAULT_TARGET = "target"
NO_NAME = re.compile(r"^([-+]?\d[\d.,eE+-]*|Unnamed: \d+)$")
SHOWN = 8


def wished_targets(request: SourceRequest) -> list[str]:
    """What the options call the column of targets, or several."""
    wish = request.options.get("target") or DEFAULT_TARGET
    return [str(name) for name in wish] if isinstance(wish, list) else [str(wish)]


def target_names(request: SourceRequest, names: list[str]) -> list[str]:
    """The column of targets, or several. Raises DataError ADC-DATA-005 where one is not there and must be."""
    wanted = wished_targets(request)
    if not request.labelled:
        return [name for name in wanted if name in names]
    lost = [name for name in wanted if name not in names]
    if lost and all(NO_NAME.match(name) for name in names):
        hint = "the first line is taken for the names of the columns; put one with names above it"
        raise problem(request, "005", f"there is no target column `{lost[0]}`", ", ".join(names[:SHOWN]), hint)
    raise_all(missing_name(request, "005", "target column", name, names) for name in lost)
    return wanted


def numbers_of(request: SourceRequest) -> list[str]:
    """Target columns that must be numbers."""
    return wished_targets(request) if request.kind == "regression" else []


def target_array(table: pd.DataFrame, target: list[str], request: SourceRequest | None = None) -> np.ndarray[Any, Any]:
    """Targets as an array: (n,), or (n, k) of k columns or of lists of k numbers. request: gives them types."""
    types = {} if request is None else wanted_types(request, [str(name) for name in table.columns])
    if request is not None and len(target) == 1 and target[0] in types:
        column: Any = typed(request, target[0], table[target[0]], types[target[0]])
        return np.asarray(column.to_pylist(), dtype=object if column.null_count else None)
    if len(target) > 1:
        return np.stack([as_array(table[name]) for name in target], axis=1)
    vectors = vectors_of(table[target[0]])
    return as_array(table[target[0]]) if vectors is None else vectors


def vectors_of(column: pd.Series[Any]) -> np.ndarray[Any, Any] | None:
    """Lists of numbers of one shape as one array; None where they are none."""
    if not len(column) or not isinstance(column.iloc[0], list | tuple | np.ndarray):
        return None
    try:
        stacked = np.stack([np.asarray(_unnested(value)) for value in column])
    except (TypeError, ValueError):
        return None
    return stacked if stacked.dtype.kind in "iufb" and stacked.ndim > 1 and stacked.shape[1] else None


def _unnested(value: Any) -> Any:
    """Arrays of arrays, as Parquet's nested lists are read, as lists of lists."""
    return [_unnested(one) for one in value] if isinstance(value, np.ndarray) and value.dtype == object else value
