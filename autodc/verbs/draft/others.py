"""A folder, arrays, a URL or a function of the user's: what its rows are and the options they are read by."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import JsonValue

from autodc.adapters.sources.central import READABLE
from autodc.adapters.sources.layouts import BESIDE, MANIFESTS
from autodc.adapters.sources.listing import is_image
from autodc.adapters.sources.savedfile import is_saved
from autodc.adapters.sources.tablefile import read_names
from autodc.adapters.sources.target_columns import DEFAULT_TARGET
from autodc.data.dataset import Dataset
from autodc.errors import DataError, InputError
from autodc.studyfile.study import TaskKind
from autodc.table import Table
from autodc.verbs.draft.columns import group_column, time_column
from autodc.verbs.draft.learner import Form
from autodc.verbs.draft.pictures import picture_shape
from autodc.verbs.draft.rows import FROM, Rows, listed, read_as, request_of
from autodc.verbs.draft.task_kind import DISTINCT, USUAL, names_classes

Array = np.ndarray[Any, Any]

KINDS: tuple[TaskKind, ...] = ("classification", "regression", "image_to_image")
UNFIT = "ADC-DATA-011"
"""Targets are none of this kind of task."""
KNOWN = 0.5
"""A table is about the files of a folder if it knows so large a share of them."""
MOST_TABLES = 20


def of_other(source: str, asked: Sequence[str]) -> Rows:
    """Read a source as the first kind of task that its targets fit."""
    options: dict[str, JsonValue] = {} if not asked else {"target": list(asked) if len(asked) > 1 else asked[0]}
    if not asked:
        table = _table_about(source)
        options = {"metadata": table} if table else _target_inside(source)
    first: DataError | None = None
    for kind in KINDS:
        try:
            data = read_as(source, kind, options)
            assert data.y is not None
            if (better := _better(kind, data.y)) is not None:
                data, kind = read_as(source, better, options), better
        except DataError as error:
            if first is None and error.code != UNFIT:
                raise
            first = first or error
            continue
        return _described(source, kind, options, data)
    assert first is not None
    raise first


def _better(kind: TaskKind, y: Array) -> TaskKind | None:
    """What targets that could be classes rather are. Raises InputError ADC-INIT-004 where there is nothing to learn."""
    if kind != "classification":
        return None
    distinct = np.unique(y)
    if len(distinct) < 2:
        got = f"{distinct[0]!r} alone"
        raise InputError("ADC-INIT-004", "the target is the same in every row", FROM, got, "there is nothing to learn")
    if y.dtype.kind in "iu":
        return None if names_classes(y.astype(np.float64)) else "regression"
    if len(distinct) <= max(2, DISTINCT * len(y)):
        return None
    if all(is_image(str(value)) for value in distinct):
        return "image_to_image"
    got = f"{len(distinct)} different values in {len(y)} rows, such as {str(distinct[0])!r}"
    hint = "classes come again; name another column with --target"
    raise InputError("ADC-INIT-004", "the target is another in nearly every row", FROM, got, hint)


def _described(source: str, kind: TaskKind, options: dict[str, JsonValue], data: Dataset) -> Rows:
    target = tuple(str(name) for name in listed(options.get("target")))
    if data.metadata.shape[1] and (group := group_column(data.metadata, (*target, "path"))):
        options = {**options, "group": group}
        data = read_as(source, kind, options)
    form: Form = "table"
    if not isinstance(data.x, Table):
        form = "vectors" if data.x.ndim == 2 else "images"
    elif data.x.kind == "text":
        form = "text"
    elif data.x.kind == "files":
        shape = picture_shape(data.x.texts())
        form = "files" if shape is None else "images"
        options = options if shape is None else {**options, **shape}
    time = None if options.get("group") else time_column(data.metadata, target)
    return Rows(source=source, kind=kind, form=form, data=data, target=target, options=options, time=time)


def _target_inside(source: str) -> dict[str, JsonValue]:
    """The option that names the targets in the table inside a folder, where they are not called `target`."""
    inside = next((path for name in (*MANIFESTS, *BESIDE) if os.path.isfile(path := os.path.join(source, name))), None)
    if inside is None:
        return {}
    names = read_names(request_of(inside))
    found = [name for name in names if name.casefold() in USUAL]
    return {"target": found[-1]} if found and DEFAULT_TARGET not in names else {}


def _table_about(source: str) -> str | None:
    """The table beside a folder of classes that knows more of its files, absolute; None where there is none."""
    if not os.path.isdir(source) or is_saved(source) or any(entry.is_file() for entry in os.scandir(source)):
        return None
    above = os.path.dirname(source)
    for folder in dict.fromkeys((above, os.path.dirname(above))):
        for path in sorted(entry.path for entry in os.scandir(folder) if entry.is_file())[:MOST_TABLES]:
            if not path.casefold().endswith(READABLE):
                continue
            with contextlib.suppress(InputError):
                known = read_as(source, "classification", {"metadata": path}).metadata.drop(columns="path")
                if known.shape[1] and known.notna().any(axis=1).mean() >= KNOWN:
                    return path
    return None
