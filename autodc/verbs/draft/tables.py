"""A table of the user's: its targets, inputs, groups and times, and the rows that can be used."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import JsonValue

from autodc.adapters.sources.inputs import choose
from autodc.adapters.sources.kinds import column_type
from autodc.adapters.sources.savedfile import is_saved, saved_request
from autodc.adapters.sources.tablefile import read_names, read_table
from autodc.errors import InputError
from autodc.studyfile.study import TaskKind
from autodc.table import Table
from autodc.verbs.draft.columns import group_column, time_column, why_left_out
from autodc.verbs.draft.pictures import image_column
from autodc.verbs.draft.rows import FROM, TARGET, Rows, listed, read_as, request_of
from autodc.verbs.draft.task_kind import kind_of, target_columns

Array = np.ndarray[Any, Any]

FEW_INPUTS = 3
"""Text beside fewer other inputs than this is what there is to learn from."""
IN_THE_STUDY = ("size", "mode")
"""Options that are left to the study: here images are told apart by their files."""


def of_table(source: str, asked: Sequence[str], scratch: Path) -> Rows:
    """Read a table on this machine. scratch: see `read_rows`."""
    request = request_of(source)
    told = saved_request(request).options if is_saved(source) else {}
    names = read_names(request)
    target = target_columns(names, asked or [str(one) for one in listed(told.get("target"))], FROM)
    kind, known = _targets(source, target)
    frame = read_table(request, names)[known].reset_index(drop=True)
    image = image_column(frame, source, told.get("image"))
    read_from = source if known.all() else _without(frame, source, image, scratch)
    others = frame.drop(columns=list(target))
    group = group_column(others, target)
    options: dict[str, JsonValue] = {"target": list(target) if len(target) > 1 else target[0], **(image or {})}
    options |= {"group": group} if group else {}
    time = None if group else time_column(others, target)
    rows = _with_images(read_from, kind, options) if image else _with_columns(read_from, kind, options, others, time)
    lost = int((~known).sum())
    return replace(rows, target=target, time=time, lost=lost, cleaned=lost > 0, is_table=True)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write Parquet; columns of values of several types as text."""
    import pyarrow as pa

    try:
        table.to_parquet(path, index=False)
    except (pa.ArrowException, TypeError, ValueError):
        mixed = {
            name: table[name].map(str, na_action="ignore") for name in table.columns if table[name].dtype == object
        }
        table.assign(**mixed).to_parquet(path, index=False)


def with_whole_paths(table: pd.DataFrame, image: str | None, source: str) -> pd.DataFrame:
    """The same where images are named by paths that do not depend on where the table lies."""
    if image is None or not table[image].map(lambda cell: isinstance(cell, str)).any():
        return table
    folder = os.path.dirname(source)
    whole = table[image].map(lambda cell: os.path.join(folder, cell) if isinstance(cell, str) else cell)
    return table.assign(**{image: whole})


def _targets(source: str, target: Sequence[str]) -> tuple[TaskKind, Array]:
    """The kind of task, and a mask of the rows whose targets are all there."""
    targets = read_table(request_of(source), list(target))
    if not len(targets):
        raise InputError("ADC-INIT-005", "there are no rows", FROM, os.path.basename(source))
    known = targets.notna().all(axis=1).to_numpy(dtype=bool)
    if not known.any():
        raise InputError("ADC-INIT-004", f"target `{', '.join(target)}` has no value in any row", TARGET)
    return kind_of(targets[known], TARGET), known


def _without(frame: pd.DataFrame, source: str, image: Mapping[str, JsonValue] | None, scratch: Path) -> str:
    """A copy without the rows that have no target."""
    copy = scratch / "rows.parquet"
    write_table(with_whole_paths(frame, str(image["image"]) if image else None, source), copy)
    return str(copy)


def _with_images(source: str, kind: TaskKind, options: Mapping[str, JsonValue]) -> Rows:
    data = read_as(source, kind, {key: value for key, value in options.items() if key not in IN_THE_STUDY})
    return Rows(source=source, kind=kind, form="images", data=data, target=(), options=options)


def _with_columns(
    source: str, kind: TaskKind, options: dict[str, JsonValue], others: pd.DataFrame, time: str | None
) -> Rows:
    group = options.get("group")
    choice = choose(others, (None if group is None else str(group),), ())
    left = [name for name in others.columns if name not in (*choice.features, group)]
    aside = {name: why_left_out(name, others[name]) for name in left}
    if not choice.features:
        got = ", ".join(f"{name} ({why})" for name, why in aside.items()) or "the target alone"
        raise InputError("ADC-INIT-006", "there is no column to learn from", FROM, got)
    if text := _free_text(others[[name for name in choice.features if name != time]]):
        options = {**options, "text": text}
        data = read_as(source, kind, options)
        return Rows(source=source, kind=kind, form="text", data=data, target=(), options=options)
    own: dict[str, JsonValue] = {"metadata": list[JsonValue](aside)} if aside else {}
    data = read_as(source, kind, {**options, **own})
    rows = Rows(source=source, kind=kind, form="table", data=data, target=(), options=options, aside=aside)
    return rows if isinstance(data.x, Table) else replace(rows, form="vectors" if data.x.ndim == 2 else "images")


def _free_text(features: pd.DataFrame) -> str | None:
    """The column of text that is what there is to learn from, if there is one."""
    texts = [str(name) for name in features.columns if column_type(features[name]) == "text"]
    if not texts or len(features.columns) - len(texts) >= FEW_INPUTS:
        return None
    return max(texts, key=lambda name: float(features[name].astype(str).str.len().mean()))
