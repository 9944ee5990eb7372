"""A folder of images or arrays: with a manifest, or with one subfolder a class and perhaps a table about the files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, final

import numpy as np

from autodc.adapters.pictures.decode import Picture
from autodc.adapters.pictures.many import each, stacked
from autodc.adapters.pictures.wish import Wish
from autodc.adapters.sources.files import refuse_foreign, regular_file, start_of
from autodc.adapters.sources.images import AS_IT_IS, OPTIONS, in_row, read_image, wish_of
from autodc.adapters.sources.layouts import Named, named_files
from autodc.adapters.sources.listing import ARRAY, cut
from autodc.adapters.sources.npy import read_array
from autodc.adapters.sources.pictures import content_of, frame_notes
from autodc.adapters.sources.savedfile import is_saved, saved_request
from autodc.adapters.sources.table import TableSource
from autodc.data.dataset import Dataset
from autodc.data.problems import problem, refuse_unknown_options
from autodc.data.rows import checked
from autodc.data.source import RawRows, SourceRequest
from autodc.errors import DataError
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

OF_TABLES = ("metadata", "key", "separator", "decimal", "encoding")
"""How the table about the files is found and read."""


@final
class FolderSource:
    """One file a row: images by pillow, `.npy` arrays as they are.

    With `size` or `mode` images are decoded, and all rows are one array. Without, the inputs are the files themselves;
    where all of them are arrays, and in image_to_image, they are read. A path stays inside the folder by its own words;
    a link that lies there may lead anywhere, as those of data tools do.
    """

    def __init__(self, request: SourceRequest) -> None:
        self._request, self._folder = request, os.path.abspath(request.path)
        self._more_frames: dict[str, int] = {}

    def read(self, targets: bool) -> Dataset:
        """Read the files; without `targets` their column, and files it names, are not read."""
        request = self._request
        if is_saved(Path(request.path)):
            return TableSource(saved_request(request)).read(targets)
        refuse_unknown_options(request, (*OPTIONS, *OF_TABLES))
        wish = wish_of(request)
        named = named_files(request, targets)
        x = self._inputs(named, named.paths, wish)
        y = named.y
        if named.targets is not None:
            y = self._arrays(named, named.targets, wish or AS_IT_IS) if targets else None
        notes = (*named.notes, *frame_notes(self._more_frames))
        return checked(request, RawRows(x=x, y=y, metadata=named.metadata, notes=notes), targets=targets)

    def pieces(self, rows: int) -> Iterator[Dataset]:
        """The rows without targets, so many at a time. rows: of images; their names are listed at once."""
        request = self._request
        refuse_unknown_options(request, (*OPTIONS, *OF_TABLES))
        wish, named = wish_of(request), named_files(request, False)
        for start in range(0, max(len(named.paths), 1), rows):
            part = slice(start, start + rows)
            metadata = named.metadata.iloc[part].reset_index(drop=True)
            some = replace(named, paths=named.paths[part], metadata=metadata)
            raw = RawRows(x=self._inputs(some, some.paths, wish), y=None, metadata=metadata, notes=named.notes)
            yield checked(request, raw, targets=False)

    def _inputs(self, named: Named, paths: Sequence[object], wish: Wish | None) -> Inputs:
        arrays = all(str(path).casefold().endswith(ARRAY) for path in paths)
        if arrays and wish is not None:
            hint = "leave `size` and `mode` out"
            raise problem(self._request, "012", "`size` and `mode` are of images, and these are arrays", hint=hint)
        if not arrays and wish is None and self._request.kind != "image_to_image":
            content = self._each(named, paths, content_of)
            return Table.of_files([self._inside(paths[row]) for row in range(len(paths))], content)
        return self._arrays(named, paths, wish or AS_IT_IS)

    def _arrays(self, named: Named, paths: Sequence[object], wish: Wish) -> Array:
        load, frames = partial(self._loaded, wish=wish), dict[int, int]()
        array = stacked(
            len(paths),
            lambda row: self._opened(paths[row], load),
            lambda row, error: in_row(self._request, named.place(row, cut(paths[row])), error),
            frames=frames,
        )
        for row, many in frames.items():
            self._more_frames[os.path.relpath(self._inside(paths[row]), self._request.path)] = many
        return array

    def _each(self, named: Named, paths: Sequence[object], load: Callable[[SourceRequest], str]) -> list[str]:
        return each(
            len(paths),
            lambda row: self._opened(paths[row], load),
            lambda row, error: in_row(self._request, named.place(row, cut(paths[row])), error),
        )

    def _opened(self, name: object, load: Callable[[SourceRequest], Any]) -> Any:
        """Do something with the file of a name."""
        request = replace(self._request, path=self._inside(name))
        try:
            if not os.path.isfile(request.path):
                regular_file(request, "a file is missing")
            return load(request)
        except OSError as error:
            raise DataError("ADC-DATA-002", "a file cannot be read", "", str(error)) from None

    def _inside(self, name: object) -> str:
        if isinstance(name, int | np.integer) and not isinstance(name, bool):
            name = str(name)  # a Parquet manifest whose paths are numbers
        if not isinstance(name, str) or not name:
            raise DataError("ADC-DATA-001", "a row names no file")
        inside = name if "\0" in name else os.path.normpath(name)  # by its words alone: links are not resolved
        if os.path.isabs(name) or inside.split(os.sep)[0] == os.pardir:
            raise DataError("ADC-DATA-014", "a path leads out of the folder")
        return os.path.join(self._folder, inside)

    def _loaded(self, request: SourceRequest, wish: Wish) -> Array | Picture:
        if os.path.splitext(request.path)[1].casefold() != ARRAY:
            return read_image(request, wish)
        path = Path(request.path)
        refuse_foreign(request, start_of(path, 1024))
        with path.open("rb") as stream:
            array = read_array(request, stream, path.stat().st_size, "the array")
        return array.astype(array.dtype.newbyteorder("="), copy=False)
