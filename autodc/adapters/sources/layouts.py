"""Which files of a folder are rows, and what is known of each: by a manifest, or by subfolders and a table beside."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.sources.central import Central, central, central_path, duplicates, missing_rows
from autodc.adapters.sources.listing import Listing, listing, shown
from autodc.adapters.sources.target_columns import target_array, target_names, wished_targets
from autodc.data.problems import problem
from autodc.data.source import SourceRequest

Array = np.ndarray[Any, Any]

MANIFESTS = ("manifest.parquet", "manifest.csv")
"""Every row is a file."""
BESIDE = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
"""Every row is a file where they have targets; else the class is the subfolder."""
PATH = "path"
SPLITS = frozenset({"train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval"})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Files that are rows."""

    paths: Sequence[object]
    """As they are written, below the folder."""
    y: Array | None
    """Targets, None where they are files or not to be read."""
    targets: Sequence[object] | None = None
    """Paths of targets that are files."""
    metadata: pd.DataFrame
    notes: tuple[str, ...]
    numbered: bool
    """Whether a person finds a row by its number."""

    def place(self, row: int, path: str) -> str:
        """Where a file is named."""
        return f"row {row}, `{path}`" if self.numbered else f"`{path}`"


def named_files(request: SourceRequest, targets: bool) -> Named:
    """Find the rows of a folder. Raises DataError for what is missing or does not fit together."""
    root = Path(request.path)
    if manifest := next((root / name for name in MANIFESTS if (root / name).is_file()), None):
        return _by_manifest(request, central(request, manifest), targets)
    path = central_path(request)
    if path is None and (inside := next((root / name for name in BESIDE if (root / name).is_file()), None)):
        table = central(request, inside)
        return (_by_manifest if _has_target(request, table) else _by_folders)(request, table, targets)
    return _by_folders(request, None if path is None else central(request, path), targets)


def _has_target(request: SourceRequest, table: Central) -> bool:
    return all(name in table.names for name in wished_targets(request))


def _by_manifest(request: SourceRequest, manifest: Central, targets: bool) -> Named:
    about = manifest.request
    target = target_names(about, manifest.names)
    pictures = request.kind == "image_to_image"
    columns = [name for name in manifest.names if targets or name not in target]
    table = manifest.read(columns, target if pictures else ())
    if not len(table):
        raise problem(about, "009", "there are no rows")
    paths = [None if pd.isna(path) else path for path in table[manifest.key]]
    return Named(
        paths=paths,
        y=target_array(table, target) if targets and not pictures else None,
        targets=table[target[0]].tolist() if targets and pictures else None,
        metadata=table.drop(columns=target, errors="ignore"),
        notes=(*manifest.notes(), *duplicates(paths)),
        numbered=True,
    )


def _by_folders(request: SourceRequest, table: Central | None, targets: bool) -> Named:
    """Files by their place in the folder; the class is the first subfolder, where no table has a target."""
    found = listing(request, "" if table is None else table.request.path)
    if not found.files:
        got = f"files such as {shown(found.others)}" if found.others else "it is empty"
        raise problem(request, "009", "there are no images or arrays in the folder", got)
    files, notes = list(found.files), list(found.notes())
    by_table = table is not None and _has_target(request, table)
    if not by_table and request.labelled:
        _refuse_no_target(request, table)
        files, more = _with_class(request, found)
        notes += more
    files = _mixed(files) if request.labelled else files
    metadata, y, paths = pd.DataFrame({PATH: files}), None, None
    if table is not None:
        files, metadata, y, paths, told = _joined(request, table, files, by_table, targets)
        notes += told
    if not by_table and targets and request.labelled:
        y = np.asarray([file.split("/")[0] for file in files])
    return Named(paths=files, y=y, targets=paths, metadata=metadata, notes=tuple(notes), numbered=False)


def _mixed(files: list[str]) -> list[str]:
    """Files in an order that tells nothing of their folders, the same for the same names."""
    return sorted(files, key=lambda file: hashlib.blake2b(os.fsencode(file), digest_size=16).digest())


def _refuse_no_target(request: SourceRequest, table: Central | None) -> None:
    """Raise where targets cannot be the names of subfolders."""
    wish = request.options.get("target")
    if wish is not None and table is not None:
        target_names(table.request, table.names)  # raises
    hint = "name a table that has it: options: {metadata: table.csv, target: column}"
    if wish is not None:
        raise problem(request, "005", "nothing in the folder has the target column", f"`{wish}`", hint)
    if request.kind != "classification":
        raise problem(request, "005", f"the targets of {request.kind} are no subfolders", hint=hint)


def _with_class(request: SourceRequest, found: Listing) -> tuple[list[str], list[str]]:
    """The files in subfolders, whose first is the class."""
    files = [file for file in found.files if "/" in file]
    alone = tuple(file for file in found.files if "/" not in file)
    classes = {file.split("/")[0] for file in files}
    if not files:
        hint = "make one subfolder a class, or name a table: options: {metadata: table.csv, target: column}"
        got = f"{len(alone)} files lie in it directly, such as {shown(alone[:1])}"
        raise problem(request, "073", "the folder has neither a manifest nor subfolders of classes", got, hint)
    if {name.casefold() for name in classes} <= SPLITS and all(f.count("/") > 1 for f in files):
        name = sorted(classes)[0]
        hint = f"name one of them as the source: {os.path.join(os.path.basename(request.path), name)}"
        raise problem(request, "073", "the subfolders are splits, no classes", ", ".join(sorted(classes)), hint)
    notes = [f"{len(alone)} files lie beside the folders of classes and are not read ({shown(alone)})"] if alone else []
    return files, notes


def _joined(
    request: SourceRequest, table: Central, files: list[str], by_table: bool, targets: bool
) -> tuple[list[str], pd.DataFrame, Array | None, list[object] | None, tuple[str, ...]]:
    """Files with their rows of a table: files, metadata, targets, targets that are files, notes."""
    if PATH in table.names and table.key != PATH:
        hint = "it is what autodc calls the place of a file in its folder; give the column another name"
        raise problem(table.request, "017", f"a column is called `{PATH}` and does not name the files", hint=hint)
    target = target_names(table.request, table.names) if by_table else []
    pictures = request.kind == "image_to_image"
    columns = [name for name in table.names if targets or name not in target]
    frame = table.read(columns, target if pictures else ())
    rows = table.rows_of(Path(os.path.abspath(request.path)), files, frame[table.key].tolist())
    what = "they are left out" if by_table else "its columns are missing for them"
    notes = (*table.notes(), *missing_rows(table, files, rows, what))
    if by_table:
        files, rows = [file for file, row in zip(files, rows, strict=True) if row >= 0], rows[rows >= 0]
    frame = frame.reindex(rows).reset_index(drop=True)
    y = target_array(frame, target) if by_table and targets and not pictures else None
    paths = frame[target[0]].tolist() if by_table and targets and pictures else None
    metadata = frame.drop(columns=[*target, table.key, PATH], errors="ignore")
    metadata.insert(0, PATH, files)
    return files, metadata, y, paths, notes
