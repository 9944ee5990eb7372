"""A folder of images or arrays with a manifest: `manifest.csv` or `manifest.parquet` with a column `path`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np
from PIL import Image, UnidentifiedImageError

from autodc.adapters.sources.table import DEFAULT_TARGET, read_names, read_table
from autodc.data.dataset import Dataset
from autodc.data.rows import checked, missing_name, problem, refuse_unknown_options
from autodc.data.source import RawRows, SourceRequest
from autodc.errors import AutodcError, DataError, raise_all

Array = np.ndarray[Any, Any]

MANIFESTS = ("manifest.parquet", "manifest.csv")
PATH = "path"
COLOURS = {"1": "L", "P": "RGB", "PA": "RGBA", "LA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB", "LAB": "RGB", "HSV": "RGB"}
MAX_PROBLEMS = 10


@final
class FolderSource:
    """One file a row: images by pillow as (height, width) or (height, width, channels), `.npy` arrays as they are.

    All other columns of the manifest are metadata. In image_to_image the target column holds paths as well.
    """

    def __init__(self, request: SourceRequest) -> None:
        self._request = request
        self._root = Path(request.path).resolve()

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
        table = read_table(request, [name for name in names if targets or name != target])
        if not len(table):
            raise problem(request, "009", "there are no rows")
        x = self._stacked(table[PATH].tolist())
        y = None
        if targets:
            pictures = request.kind == "image_to_image"
            y = self._stacked(table[target].tolist()) if pictures else table[target].to_numpy()
        raw = RawRows(x=x, y=y, metadata=table.drop(columns=target, errors="ignore"))
        return checked(request, raw, targets=targets)

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
                hint = "make all files of one size and mode"
                problems.append(problem(self._request, "006", "files of different shape or type", got, hint))
                break
            arrays.append(array)
        raise_all(problems)
        return np.stack(arrays)

    def _loaded(self, row: int, name: object) -> Array:
        where = f"row {row}, `{name}`"
        if not isinstance(name, str) or not name:
            raise problem(self._request, "001", "a row names no file", where)
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            raise problem(self._request, "014", "a path leads out of the folder", where)
        if not path.is_file():
            raise problem(self._request, "001", "a file is missing", where)
        try:
            if path.suffix.casefold() == ".npy":
                array: Array = np.load(path, allow_pickle=False)
                return array
            with Image.open(path) as image:
                return np.asarray(image.convert(COLOURS[image.mode]) if image.mode in COLOURS else image)
        except (
            UnidentifiedImageError,
            Image.DecompressionBombError,
            OSError,
            ValueError,
            EOFError,
            SyntaxError,
        ) as error:
            number, text = (
                ("003", "a file holds pickled objects") if "pickle" in str(error) else ("002", "a file cannot be read")
            )
            raise problem(self._request, number, text, f"{where}: {error}") from None
