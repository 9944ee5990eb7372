"""Parts of a source as files of their own: tables as Parquet, arrays as `.npz`, files as a manifest that names them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import JsonValue

from autodc.adapters.sources.tablefile import read_names, read_table
from autodc.data.dataset import Dataset
from autodc.errors import InputError
from autodc.large import cache_folder
from autodc.table import Table
from autodc.verbs.draft.rows import FROM, LABEL, Rows, request_of
from autodc.verbs.draft.tables import with_whole_paths, write_table

Array = np.ndarray[Any, Any]

LINK = "files"
"""In the folder of a part leads to the user's files."""
IMAGE = "image"
"""What the column of images is called that come out of an archive."""


def write_parts(rows: Rows, parts: Mapping[str, Array], folder: Path) -> tuple[dict[str, str], dict[str, JsonValue]]:
    """Write each part below a folder; return part → its name there, and the options they are read by."""
    folder.mkdir(exist_ok=True)
    x, options = rows.data.x, dict(rows.options)
    if isinstance(x, Table) and x.kind == "files" and not rows.is_table and _is_cached(x):
        target, table = _columns(rows.data, rows.target)
        held = _named_unlike(IMAGE, table)
        own = {part: table.iloc[at].assign(**{held: _bytes(x[at])}) for part, at in parts.items()}
        names = {part: _parquet(one, folder / f"{part}.parquet") for part, one in own.items()}
        return names, {**options, "target": target, "image": held}
    if isinstance(x, Table) and x.kind == "files" and not rows.is_table:
        target, table = _columns(rows.data, rows.target)
        root = _root(rows, x)
        table.insert(0, "path", [f"{LINK}/{os.path.relpath(path, root)}" for path in x.texts()])
        names = {part: _manifest(table.iloc[own], folder / part, root) for part, own in parts.items()}
        return names, {**{key: value for key, value in options.items() if key != "metadata"}, "target": target}
    if isinstance(x, Table):
        target = options.get("target") or LABEL
        table = _whole_table(rows) if rows.is_table else _with_inputs(rows)
        return {part: _parquet(table.iloc[own], folder / f"{part}.parquet") for part, own in parts.items()}, {
            **options,
            "target": target,
        }
    kept: dict[str, JsonValue] = {key: value for key, value in options.items() if key == "group"}
    return {part: _arrays(rows.data, own, folder / f"{part}.npz") for part, own in parts.items()}, kept


def _is_cached(x: Table) -> bool:
    """Whether the files are copies of ours, of what lies in an archive: they are not there for ever."""
    return Path(x[:1].texts()[0]).is_relative_to(cache_folder("files"))


def _named_unlike(name: str, table: pd.DataFrame) -> str:
    return name if name not in table else f"{name}_{len(table.columns)}"


def _bytes(x: Any) -> list[bytes]:
    return [Path(path).read_bytes() for path in x.texts()]


def _whole_table(rows: Rows) -> pd.DataFrame:
    request, image = request_of(rows.source), rows.options.get("image")
    table = read_table(request, read_names(request))
    return with_whole_paths(table, None if image is None else str(image), rows.source)


def _with_inputs(rows: Rows) -> pd.DataFrame:
    """Metadata, targets and inputs of what is no file of a table."""
    data = rows.data
    assert isinstance(data.x, Table)
    _, table = _columns(data, rows.target)
    for name in data.x.names:
        if name not in table:
            table[name] = data.x.column(name).to_pandas()
    return table


def _columns(data: Dataset, target: tuple[str, ...]) -> tuple[JsonValue, pd.DataFrame]:
    """The names of the targets, and metadata and targets as one table."""
    table, y = data.metadata.drop(columns="path", errors="ignore"), data.y
    assert y is not None
    if y.ndim > 2:
        hint = "put files called validation and test beside it"
        raise InputError("ADC-INIT-005", "images made of images cannot be cut here", FROM, "", hint)
    names = list(target) or [LABEL if LABEL not in table else "class"]
    names = names if y.ndim == 1 or len(names) == y.shape[1] else [f"{names[0]}_{i}" for i in range(y.shape[1])]
    for i, name in enumerate(names):
        table = table.assign(**{name: y if y.ndim == 1 else y[:, i]})
    return names[0] if y.ndim == 1 else list(names), table


def _root(rows: Rows, x: Table) -> str:
    paths = x.texts()
    inside = all(path.startswith(rows.source + os.sep) for path in paths)
    return rows.source if inside else os.path.commonpath([os.path.dirname(path) for path in paths])


def _manifest(table: pd.DataFrame, folder: Path, root: str) -> str:
    folder.mkdir()
    table.to_csv(folder / "manifest.csv", index=False)
    (folder / LINK).symlink_to(os.path.realpath(root))
    return folder.name


def _parquet(table: pd.DataFrame, path: Path) -> str:
    write_table(table, path)
    return path.name


def _arrays(data: Dataset, own: Array, path: Path) -> str:
    columns = {str(name): _plain(data.metadata[name].iloc[own]) for name in data.metadata.columns}
    assert data.y is not None
    np.savez(path, **{**columns, "x": np.asarray(data.x[own]), "y": data.y[own]})  # type: ignore[arg-type]
    return path.name


def _plain(column: pd.Series[Any]) -> Array:
    """A column as an array that is no array of objects."""
    values = column.to_numpy()
    if values.dtype.kind in "biufU":
        return np.asarray(values)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)  # with missing ones
    return np.array(["" if missing else str(one) for one, missing in zip(column, column.isna(), strict=True)])
