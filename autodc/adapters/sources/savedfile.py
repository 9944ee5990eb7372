"""A folder that Hugging Face `datasets` wrote with `save_to_disk`: Arrow streams, memory-mapped, and what they hold."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import JsonValue

from autodc.adapters.sources.files import regular_file
from autodc.adapters.sources.unpacked import PLAIN_STREAM, Meter, metered
from autodc.data.columns import from_arrow
from autodc.data.problems import did_you_mean, problem
from autodc.data.source import SourceRequest

if TYPE_CHECKING:
    import pyarrow as pa

SPLITS, INFO, STATE = "dataset_dict.json", "dataset_info.json", "state.json"
LABELS = ("label", "labels", "target")
"""Columns of classes that are the target, where nobody says."""


def is_saved(path: str | os.PathLike[str]) -> bool:
    """Whether a folder was written by `save_to_disk`."""
    folder = Path(path)
    return (folder / SPLITS).is_file() or ((folder / INFO).is_file() and (folder / STATE).is_file())


def saved_splits(request: SourceRequest) -> list[str]:
    """The splits of a folder; none where it is one dataset, or nothing that was saved.

    Raises DataError ADC-DATA-002 where the file that names them cannot be read.
    """
    path = Path(request.path) / SPLITS
    return [str(name) for name in _json(request, path).get("splits", [])] if path.is_file() else []


def saved_request(request: SourceRequest) -> SourceRequest:
    """The request for one split, its column of targets and of images named where the folder itself tells.

    Raises DataError ADC-DATA-074 where there are several splits and none is named.
    """
    options = dict(request.options)
    wish = options.pop("split", None)
    root = Path(request.path)
    if (root / SPLITS).is_file():
        splits = saved_splits(request)
        wish = splits[0] if wish is None and len(splits) == 1 else wish
        if wish is None or str(wish) not in splits:
            what = "the folder holds several splits" if wish is None else f"there is no split `{wish}`"
            near = "" if wish is None else did_you_mean(str(wish), splits)
            hint = near or f"options: {{split: {splits[0] if splits else 'train'}}}"
            raise problem(request, "074", what, ", ".join(splits), hint)
        request = replace(request, path=str(root / str(wish)))
        if not is_saved(request.path):
            raise problem(request, "001", "a split is not there", hint=f"it has no {INFO} and {STATE}")
    elif wish is not None:
        raise problem(request, "074", "the folder holds no splits", f"split: {wish}", "leave `split` out")
    features = _features(request)
    return replace(request, options={**_defaults(features, options), **options})


def saved_names(request: SourceRequest) -> list[str]:
    """The columns. Raises DataError ADC-DATA-001, 002 where a file is missing or damaged."""
    return [str(name) for name in _table(request).column_names]


def read_saved(request: SourceRequest, names: Sequence[str]) -> pd.DataFrame:
    """Read these columns and no others; classes by their names."""
    table, features = _table(request), _features(request)
    columns = {name: _labelled(table[name], features.get(name)) for name in names}
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def saved_cells(request: SourceRequest, name: str) -> pa.ChunkedArray:
    """One column, memory-mapped."""
    return _table(request)[name]


def _defaults(features: Mapping[str, Any], options: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    kinds = {name: feature.get("_type") for name, feature in features.items() if isinstance(feature, dict)}
    images = [name for name, kind in kinds.items() if kind == "Image"]
    classes = [name for name, kind in kinds.items() if kind == "ClassLabel"]
    found: dict[str, JsonValue] = {}
    if len(images) == 1 and not {"image", "text", "features"} & options.keys():
        found["image"] = images[0]
    likely = classes if len(classes) == 1 else [name for name in LABELS if name in features]
    if likely and "target" not in features:
        found["target"] = likely[0]
    return found


def _features(request: SourceRequest) -> dict[str, Any]:
    found = _json(request, Path(request.path) / INFO).get("features") or {}
    return found if isinstance(found, dict) else {}


def _labelled(column: pa.ChunkedArray, feature: object) -> pd.Series[Any]:
    values = from_arrow(column)
    if not isinstance(feature, dict) or feature.get("_type") != "ClassLabel" or not feature.get("names"):
        return values
    names = [str(name) for name in feature["names"]]
    codes = pd.to_numeric(values, errors="coerce").fillna(-1).to_numpy().astype(np.int64)
    known = (codes >= 0) & (codes < len(names))
    named = np.array([*names, None], dtype=object)[np.where(known, codes, len(names))]
    return pd.Series(named, dtype=object)


def _table(request: SourceRequest) -> pa.Table:
    import pyarrow as pa

    folder = Path(request.path)
    state = _json(request, folder / STATE)
    try:
        files = [str(one["filename"]) for one in state["_data_files"]]
        picked = [str(one["filename"]) for one in state.get("_indices_data_files") or ()]
    except (KeyError, TypeError) as error:
        raise problem(request, "002", f"{STATE} does not name the files", repr(error)) from None
    tables = [_stream(request, folder, name) for name in files]
    if not tables:
        raise problem(request, "009", "there are no rows")
    try:
        table = pa.concat_tables(tables)
        if picked:
            rows = pa.concat_tables([_stream(request, folder, name) for name in picked]).column(0)
            table = table.take(rows.cast(pa.int64()))
    except (pa.ArrowException, OSError) as error:
        raise problem(request, "002", "the files of the folder do not fit together", str(error)) from None
    return table


def _stream(request: SourceRequest, folder: Path, name: str) -> pa.Table:
    import pyarrow as pa

    if os.path.basename(name) != name:
        raise problem(request, "014", "a path leads out of the folder", repr(name[:120]))
    path = regular_file(replace(request, path=str(folder / name)), "a file is missing")
    try:
        reader = pa.ipc.open_stream(pa.memory_map(str(path)))
        return pa.Table.from_batches(metered(reader, Meter(request, PLAIN_STREAM, path)), reader.schema)
    except (pa.ArrowException, OSError) as error:
        raise problem(replace(request, path=str(path)), "002", "a file cannot be read", str(error)) from None


def _json(request: SourceRequest, path: Path) -> dict[str, Any]:
    regular_file(replace(request, path=str(path)), "a file is missing")
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise problem(replace(request, path=str(path)), "002", "a file cannot be read", str(error)) from None
    if not isinstance(found, dict):
        raise problem(replace(request, path=str(path)), "002", "a file cannot be read", "it holds no object")
    return found
