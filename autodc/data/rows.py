"""From raw rows to a dataset: every check that one source's rows must pass by themselves, all problems at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from autodc.data.columns import as_array, native, plain
from autodc.data.dataset import Dataset
from autodc.data.problems import missing_name, not_finite, problem
from autodc.data.source import RawRows, SourceRequest
from autodc.data.targets import target_values
from autodc.data.times import moments
from autodc.errors import DataError, raise_all
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

RESERVED = "target"
"""What `where` calls the target, so that no column of metadata may."""


def checked(request: SourceRequest, raw: RawRows, *, targets: bool) -> Dataset:
    """Make a dataset of raw rows. Raises DataError or Problems: lengths, types, NaN, zero rows, groups, map."""
    x: Inputs = raw.x if isinstance(raw.x, Table) else np.asarray(raw.x)
    metadata = pd.DataFrame(index=range(len(x) if x.ndim else 0)) if raw.metadata is None else raw.metadata
    problems = [*_lengths(request, x, raw.y, metadata)]
    raise_all(problems)
    problems += [] if isinstance(x, Table) else _inputs(request, x)
    problems += _metadata(request, metadata)
    y = None
    if targets:
        try:
            y = target_values(request, raw.y)
        except DataError as error:
            problems.append(error)
    raise_all(problems)
    columns = plain(metadata)
    group = request.text("group")
    groups = None if group is None else as_array(columns[group]).astype(str)
    raise_all(_times(request, columns))
    x = x if isinstance(x, Table) else native(x)
    return Dataset(
        name=request.name,
        x=x,
        y=y,
        metadata=columns,
        groups=groups,
        time=request.text("time") or "",
        id=request.text("id") or "",
        likely_ids=raw.likely_ids,
        notes=(*raw.notes, *_missing_texts(x)),
    )


def _lengths(request: SourceRequest, x: Inputs, y: Array | None, metadata: pd.DataFrame) -> list[DataError]:
    if x.ndim < 2:
        return [
            problem(request, "004", "inputs have shape (rows, ...), at least two axes", got=f"shape {x.shape}")
            if x.ndim == 1 and len(x)
            else problem(request, "009", "there are no rows")
        ]
    if len(x) == 0:
        return [problem(request, "009", "there are no rows")]
    if not x.shape[1] or (not isinstance(x, Table) and x[0].size == 0):
        return [problem(request, "004", "an input has no values", got=f"shape {x.shape}")]
    found = []
    if y is not None and (np.ndim(y) == 0 or len(y) != len(x)):
        rows = "a single value" if np.ndim(y) == 0 else f"{len(y)}"
        found.append(problem(request, "006", "inputs and targets differ in rows", got=f"{len(x)} and {rows}"))
    if len(metadata) != len(x):
        found.append(problem(request, "006", "inputs and metadata differ in rows", got=f"{len(x)} and {len(metadata)}"))
    return found


def _times(request: SourceRequest, columns: pd.DataFrame) -> list[DataError]:
    """What is wrong with the column of times, if the options name one."""
    if (name := request.text("time")) is None:
        return []
    missing, found = columns[name].isna().to_numpy(), moments(columns[name])
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        return [problem(request, "151", f"time column `{name}` has no value", f"row {row}", "leave out such rows")]
    if wrong := np.flatnonzero(np.isnan(found)).tolist():
        got = f"row {wrong[0]}: {str(columns[name].iloc[wrong[0]])[:60]!r}"
        hint = "write dates as 2026-01-31, or numbers"
        return [problem(request, "152", f"time column `{name}` holds what is no time", got, hint)]
    return []


def _inputs(request: SourceRequest, x: Array) -> list[DataError]:
    if x.dtype.kind not in "iufb":
        return [
            problem(request, "010", "inputs must be numbers", got=f"{x.dtype}", hint="encode text as numbers first")
        ]
    if bad := not_finite(x):
        return [problem(request, "007", "inputs hold NaN or infinity", got=bad, hint="fill or leave out these rows")]
    return []


def _missing_texts(x: Inputs) -> tuple[str, ...]:
    """Say where text is missing: who learns from text cannot tell it from an empty one."""
    if not isinstance(x, Table) or x.kind == "files":
        return ()
    gaps = {name: x.column(name).null_count for name, kind in x.schema.items() if kind == "text"}
    return tuple(
        f"column `{name}` has no text in {count} of {len(x)} rows ({count / len(x):.1%}): it is read as an empty text"
        for name, count in gaps.items()
        if count
    )


def _metadata(request: SourceRequest, metadata: pd.DataFrame) -> list[DataError]:
    names = [str(column) for column in metadata.columns]
    found = []
    if RESERVED in names:
        hint = f"`{RESERVED}` means the target in `where`; give the column another name"
        found.append(problem(request, "017", f"a metadata column is called `{RESERVED}`", hint=hint))
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        found.append(problem(request, "017", "columns of the same name", got=", ".join(doubles)))
    for name, dtype in zip(names, metadata.dtypes, strict=True):
        if isinstance(dtype, np.dtype) and dtype.kind in "cV":
            hint = "give its parts as columns of numbers or text, or leave it out"
            found.append(problem(request, "045", f"metadata column `{name}` holds no single values", f"{dtype}", hint))
    if (named := request.text("id")) is not None and named not in names:
        found.append(missing_name(request, "110", "id column", named, names))
    if (named := request.text("time")) is not None and named not in names:
        found.append(missing_name(request, "150", "time column", named, names))
    group = request.text("group")
    if group is not None and group not in names:
        found.append(missing_name(request, "018", "group column", group, names))
    elif group is not None and not found and metadata[group].isna().any():
        row = int(np.flatnonzero(metadata[group].isna().to_numpy())[0])
        found.append(problem(request, "018", f"group column `{group}` has no value", got=f"row {row}"))
    return found
