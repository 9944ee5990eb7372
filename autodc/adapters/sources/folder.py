"""A folder of images or arrays with a manifest: `manifest.csv` or `manifest.parquet` with a column `path`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.adapters.sources.files import refuse_foreign, regular_file, start_of
from autodc.adapters.sources.images import read_image
from autodc.adapters.sources.npy import read_array
from autodc.adapters.sources.table import DEFAULT_TARGET, read_names, read_table, table_notes
from autodc.data.columns import as_array
from autodc.data.dataset import Dataset
from autodc.data.problems import missing_name, problem, refuse_unknown_options
from autodc.data.rows import checked
from autodc.data.source import RawRows, SourceRequest
from autodc.errors import AutodcError, DataError, raise_all

Array = np.ndarray[Any, Any]

MANIFESTS = ("manifest.parquet", "manifest.csv")
PATH = "path"
MAX_PROBLEMS = 10
LONGEST = 120


@final
class FolderSource:
    """One file a row: images by pillow as (height, width) or (height, width, channels), `.npy` arrays as they are.

    All other columns of the manifest are metadata. In image_to_image the target column holds paths as well. A path
    stays inside the folder by its own words; a link that lies there may lead anywhere, as those of data tools do.
    """

    def __init__(self, request: SourceRequest) -> None:
        self._request = request
        self._root = Path(request.path)
        self._more_frames: dict[str, int] = {}

    def read(self, targets: bool) -> Dataset:
        """Read the manifest and its files; without `targets` their column, and files it names, are not read."""
        request = self._request
        refuse_unknown_options(request, ())
        manifest = next((self._root / name for name in MANIFESTS if (self._root / name).is_file()), None)
        if manifest is None:
            raise problem(request, "001", f"the folder has no {' or '.join(MANIFESTS)}")
        request = replace(request, path=str(manifest))
        names = read_names(request)
        target = request.text("target", DEFAULT_TARGET) or DEFAULT_TARGET
        if PATH not in names:
            raise missing_name(request, "004", "column", PATH, names)
        if target not in names:
            raise missing_name(request, "005", "target column", target, names)
        pictures = request.kind == "image_to_image"
        columns = [name for name in names if targets or name != target]
        table = read_table(request, columns, text=(PATH, target) if pictures else (PATH,))
        if not len(table):
            raise problem(request, "009", "there are no rows")
        x = self._stacked(table[PATH].tolist())
        y = None
        if targets:
            y = self._stacked(table[target].tolist()) if pictures else as_array(table[target])
        notes = (*table_notes(request, names), *self._frame_notes())
        raw = RawRows(x=x, y=y, metadata=table.drop(columns=target, errors="ignore"), notes=notes)
        return checked(request, raw, targets=targets)

    def _frame_notes(self) -> tuple[str, ...]:
        """Say of which files only the first of several pictures is read."""
        if not self._more_frames:
            return ()
        shown = ", ".join(f"`{_cut(name)}`: {frames}" for name, frames in list(self._more_frames.items())[:3])
        return (
            f"{len(self._more_frames)} files hold more pictures than one ({shown}), and only the first is read; for "
            "stacks write arrays: numpy.save(name.npy, values)",
        )

    def _stacked(self, paths: list[object]) -> Array:
        """Load all files into one array. Raises all that is wrong with them, ten at most."""
        arrays: list[Array] = []
        problems: list[AutodcError] = []
        for row, path in enumerate(paths):
            try:
                array = self._loaded(row, path)
            except DataError as error:
                problems.append(error)
                if len(problems) == MAX_PROBLEMS:
                    break
                continue
            if arrays and (array.shape, array.dtype) != (arrays[0].shape, arrays[0].dtype):
                got = f"row {row}, `{path}`: {array.shape} {array.dtype}; before: {arrays[0].shape} {arrays[0].dtype}"
                hint = "make all files of one size and mode (an image is turned as its camera noted)"
                problems.append(problem(self._request, "019", "files of different shape or type", got, hint))
                break
            arrays.append(array)
        raise_all(problems)
        return np.stack(arrays)

    def _loaded(self, row: int, name: object) -> Array:
        where = f"row {row}, `{_cut(name)}`"
        if isinstance(name, int | np.integer) and not isinstance(name, bool):
            name = str(name)  # a Parquet manifest whose paths are numbers
        if not isinstance(name, str) or not name:
            raise problem(self._request, "001", "a row names no file", where)
        inside = name if "\0" in name else os.path.normpath(name)  # by its words alone: links are not resolved
        if os.path.isabs(name) or inside.split(os.sep)[0] == os.pardir:
            raise problem(self._request, "014", "a path leads out of the folder", where)
        request = replace(self._request, path=str(self._root / inside))
        try:
            path = regular_file(request, "a file is missing")
            refuse_foreign(request, start_of(path, 1024))
            if path.suffix.casefold() != ".npy":
                image, frames = read_image(request)
                if frames > 1:
                    self._more_frames[name] = frames
                return image
            with path.open("rb") as stream:
                array = read_array(request, stream, path.stat().st_size, "it")
            return array.astype(array.dtype.newbyteorder("="), copy=False)
        except OSError as error:
            raise problem(self._request, "002", "a file cannot be read", f"{where}: {error}") from None
        except DataError as error:
            number = error.code.rpartition("-")[2]
            text = error.problem.rpartition(" (")[0]
            got = f"{where}: {error.got}" if error.got else where
            raise problem(self._request, number, text, got, error.hint) from None


def _cut(name: object) -> str:
    text = str(name).replace("\0", "\\0")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
