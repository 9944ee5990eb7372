"""A table about files: one row a file, named by a path or the last parts of one, joined onto the files of a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.sources.files import regular_file
from autodc.adapters.sources.listing import cut, shown
from autodc.adapters.sources.tablefile import read_names, read_table, table_notes
from autodc.data.problems import did_you_mean, listed, missing_name, problem
from autodc.data.source import SourceRequest

Array = np.ndarray[Any, Any]

KEYS = ("path", "file_name", "file", "filename", "image", "image_path")
"""Columns that name files, by what tools call them, where `options: {key: column}` does not say."""
READABLE = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".csv.gz", ".jsonl.gz")


@final
@dataclass(frozen=True, slots=True)
class Central:
    """A table about files."""

    request: SourceRequest
    """With the path of the table."""
    names: list[str]
    key: str
    """The column that names the files."""

    def read(self, columns: Sequence[str], text: Sequence[str] = ()) -> pd.DataFrame:
        """These columns; names of files, and what else is `text`, as text."""
        return read_table(self.request, list(columns), (self.key, *text))

    def notes(self) -> tuple[str, ...]:
        """What a person should know of how it is written."""
        return table_notes(self.request, self.names)

    def rows_of(self, root: Path, files: Sequence[str], keys: Sequence[object]) -> Array:
        """The row of every file, shape (files,), −1 where it has none.

        A row names a file by the last parts of its path, as many as it likes, with or without the end of the name; of
        several rows the one that says most counts. Raises DataError ADC-DATA-072 where that is not one file to one row.
        """
        rows, twice = dict[str, int](), dict[str, int]()
        for row, key in enumerate(keys):
            known = "" if key is None or key != key else _normal(key)
            if known and rows.setdefault(known, row) != row:
                twice[known] = row
        depths = sorted({name.count("/") for name in rows}, reverse=True)
        found = np.full(len(files), -1)
        for at, file in enumerate(files):
            parts = _normal(os.path.join(root, file)).split("/")
            name = next((n for depth in depths for n in _ends(parts, depth) if n in rows), None)
            if name is None:
                continue
            if name in twice:
                got = f"`{cut(name)}` in rows {rows[name]} and {twice[name]} of column `{self.key}`"
                raise self._problem("two rows are about one file", got, "leave one of them out")
            found[at] = rows[name]
        self._refuse_no_match(files, keys, found)
        return found

    def _refuse_no_match(self, files: Sequence[str], keys: Sequence[object], found: Array) -> None:
        known = found[found >= 0]
        if files and not len(known):
            held = shown([str(key) for key in keys[:2]])
            got = f"files such as {shown(list(files[:1]))}; column `{self.key}` holds {held}"
            hint = "name files by their path below the folder, or name another column: options: {key: column}"
            raise self._problem("no file of the folder has a row", got, hint)
        rows, counts = np.unique(known, return_counts=True)
        if (counts > 1).any():
            row = int(rows[counts > 1][0])
            both = [files[int(at)] for at in np.flatnonzero(found == row)]
            got = f"row {row}, `{cut(keys[row])}`: {shown(both)}"
            raise self._problem("a row is about several files", got, "name files by their path below the folder")

    def _problem(self, text: str, got: str, hint: str) -> Exception:
        return problem(self.request, "072", text, got, hint)


def central(request: SourceRequest, path: Path) -> Central:
    """Look at a table about files. Raises DataError ADC-DATA-001, 002, 004."""
    request = replace(request, path=str(path), url="")
    names = read_names(request)
    wish = request.text("key")
    if wish is not None and wish not in names:
        raise missing_name(request, "004", "key column", wish, names)
    key = wish or next((name for name in KEYS if name in names), None)
    if key is None:
        hint = did_you_mean("file", names) or "name the column that does: options: {key: column}"
        got = f"columns {', '.join(names[:12])}; none is called {', '.join(KEYS)}"
        raise problem(request, "004", "no column names the files", got, hint)
    return Central(request, names, key)


def central_path(request: SourceRequest) -> Path | None:
    """The table that `options: {metadata: file}` names: relative to the study file, else to the folder itself."""
    wish = request.options.get("metadata")
    if wish is None:
        return None
    if not isinstance(wish, str) or not wish.casefold().endswith(READABLE):
        hint = f"metadata: a table about the files, {', '.join(READABLE)}; its column `path` or `file` names them"
        raise problem(request, "012", "`metadata` of a folder is a table", repr(wish), hint)
    places = [os.path.join(folder, os.path.expanduser(wish)) for folder in (request.folder, request.path) if folder]
    path = next((place for place in places if os.path.exists(place)), places[0])
    return regular_file(replace(request, path=path), hint="`metadata` is relative to the study file")


def missing_rows(table: Central, files: Sequence[str], found: Array, what: str) -> tuple[str, ...]:
    """Say which files have no row. what: what becomes of them."""
    lost = [files[int(at)] for at in np.flatnonzero(found < 0)]
    if not lost:
        return ()
    name = os.path.basename(table.request.path)
    return (f"{len(lost)} of {len(files)} files have no row in {name} ({shown(lost)}); {what}",)


def duplicates(paths: Sequence[object]) -> tuple[str, ...]:
    """Say which files several rows of a manifest name."""
    names = pd.Series([str(path) for path in paths])
    rows = np.flatnonzero(names.duplicated(keep=False))
    if not len(rows):
        return ()
    return (f"{len(rows)} rows name files that other rows name too (row {listed(rows)})",)


def _normal(key: object) -> str:
    return "/".join(part for part in str(key).replace("\\", "/").split("/") if part not in ("", "."))


def _ends(parts: list[str], depth: int) -> tuple[str, ...]:
    """The last parts of a path, with and without the end of the name."""
    if depth >= len(parts):
        return ()
    end = "/".join(parts[-1 - depth :])
    return end, os.path.splitext(end)[0]
