"""Streams: rows without targets, of any source, read a piece at a time and as often as need be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, final

from pydantic import JsonValue

from autodc.adapters.sources.dispatch import BUILT_IN, FUNCTION, read_source, suffix_of
from autodc.adapters.sources.files import exists, nearby, regular_file
from autodc.adapters.sources.folder import FolderSource
from autodc.adapters.sources.jsonlfile import SUFFIXES
from autodc.adapters.sources.layouts import BESIDE, MANIFESTS
from autodc.adapters.sources.npz import NpzSource
from autodc.adapters.sources.savedfile import is_saved
from autodc.adapters.sources.shards import ShardSource, is_range
from autodc.adapters.sources.stream_tables import OF_TABLES, table_pieces
from autodc.adapters.sources.table import TableSource
from autodc.adapters.sources.urls import is_remote, normal
from autodc.data.agreement import agreed
from autodc.data.dataset import Dataset
from autodc.data.source import SourceRequest
from autodc.errors import DataError, raise_all
from autodc.masking import masked
from autodc.studyfile.study import SourceSpec, TaskKind
from autodc.table import Table, row_bytes

STREAM, NO_ROWS = "stream", "ADC-DATA-009"
PLACE = "--stream"
BYTES, MOST = 32 << 20, 65_536
"""A piece is so many bytes of inputs, or so many rows."""
BATCHES = (".npz", ".parquet", ".csv", ".tsv", *SUFFIXES)
"""Files of which several in a folder are a stream, in the order of their names."""
PASSED_ON: Mapping[str, tuple[str, ...]] = {"table": OF_TABLES, "folder": ("size", "mode"), "npz": ()}
"""Options of the base that a stream of this kind is read with too, beside its target."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """Rows of a stream that follow each other."""

    file: str
    """The file or folder they are in; of an address without its secrets."""
    first: int
    """Position in the stream of the first."""
    data: Dataset
    """Inputs as the base's, and metadata; no targets."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stream:
    """Rows of production."""

    spec: SourceSpec
    folder: str
    """Relative paths are below it."""
    kind: TaskKind
    base: Dataset
    """What the inputs agree with."""
    base_options: Mapping[str, JsonValue]

    @property
    def options(self) -> dict[str, JsonValue]:
        """What a single source is read with."""
        return self._options(self._kind_of(self.spec.source))

    def pieces(self) -> Iterator[Piece]:
        """Read the stream from its beginning. Raises DataError (or Problems) for all that is wrong with it.

        A file without rows is no fault where others have some: there are hours in which nothing comes.
        """
        first, empty = 0, None
        for file, some in self._files():
            try:
                for data in self._fitting(file, some):
                    yield Piece(file=file, first=first, data=data)
                    first += len(data)
            except DataError as error:
                if error.code != NO_ROWS:
                    raise
                empty = empty or error
        if empty is not None and not first:
            raise empty

    def _fitting(self, file: str, some: Callable[[int], Iterator[Dataset]]) -> Iterator[Dataset]:
        for data in some(max(1, min(MOST, BYTES // row_bytes(self.base.x)))):
            fit, misfits = agreed(data, self.base, f"{PLACE} ({file})")
            raise_all(misfits)
            yield fit

    def _files(self) -> Iterator[tuple[str, Callable[[int], Iterator[Dataset]]]]:
        source = self.spec.source
        path = os.path.join(self.folder, os.path.expanduser(source))
        if FUNCTION.match(source) or is_remote(source) or is_range(path):
            yield masked(source), partial(self._whole, source)
            return
        request = self._request(path, "table")
        if not exists(request):
            regular_file(request, "there is no such file or folder", nearby(path))
        for each in _batches(Path(path)):
            yield os.path.relpath(each, self.folder) if each != Path(path) else source, self._reader(each)

    def _reader(self, path: Path) -> Callable[[int], Iterator[Dataset]]:
        if path.is_dir() and not is_saved(path):
            return FolderSource(self._request(path, "folder")).pieces
        name = path.name.casefold()
        if name.endswith(".npz"):
            return NpzSource(self._request(path, "npz")).pieces
        if name.endswith((".parquet", *SUFFIXES)):
            return partial(table_pieces, self._request(path, "table"), self.base)
        return partial(self._whole, str(path))

    def _whole(self, source: str, rows: int) -> Iterator[Dataset]:
        """Of files that are read at once."""
        data = read_source(
            SourceSpec(source=source, options=self._options(self._kind_of(source))),
            folder=self.folder,
            name=STREAM,
            place=PLACE,
            kind=self.kind,
            targets=False,
            schema=_schema(self.base),
            labelled=False,
        )
        if len(data) <= rows:
            yield data
            return
        for start in range(0, len(data), rows):
            yield data.take(range(start, min(start + rows, len(data))))

    def _kind_of(self, source: str) -> str:
        """Of options, as `PASSED_ON` has them: by what reads the source."""
        if FUNCTION.match(source):
            return "npz"
        if is_remote(source):
            request = replace(self._request("", "npz"), path=normal(source, self.folder))
        else:
            request = self._request(os.path.join(self.folder, os.path.expanduser(source)), "npz")
        if not is_remote(source) and (is_range(str(request.path)) or Path(request.path).is_dir()):
            return "folder"
        read_by = BUILT_IN.get(suffix_of(request))
        return "table" if read_by is TableSource else "folder" if read_by is ShardSource else "npz"

    def _request(self, path: os.PathLike[str] | str, kind: str) -> SourceRequest:
        return SourceRequest(
            name=STREAM,
            path=os.path.abspath(path),
            place=PLACE,
            kind=self.kind,
            options=self._options(kind),
            schema=_schema(self.base),
            folder=self.folder,
            labelled=False,
        )

    def _options(self, kind: str) -> dict[str, JsonValue]:
        """What the stream is read with: what it says itself, and what the base says where that fits."""
        passed = {key: value for key, value in self.base_options.items() if key in PASSED_ON[kind]}
        if _schema(self.base) is not None:
            passed.pop("features", None)
        if kind == "table" and "image" not in passed:  # the base has pictures, and they are no column
            passed = {key: value for key, value in passed.items() if key not in ("size", "mode")}
        target = {"target": self.base_options["target"]} if "target" in self.base_options else {}
        return {**target, **passed, **self.spec.options}


def options_like(path: Path, base: Dataset, base_options: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The options with which a file or folder of rows like the base's is read, where nothing says otherwise.

    Raises DataError 013 where its kind is unknown.
    """
    like = Stream(spec=SourceSpec(source=str(path)), folder="", kind="custom", base=base, base_options=base_options)
    return like.options


def _schema(base: Dataset) -> Any:
    return base.x.schema if base.features and isinstance(base.x, Table) else None


def _batches(path: Path) -> list[Path]:
    """The files of a folder that holds nothing but tables or arrays of a stream, in order; else the path alone."""
    if not path.is_dir() or is_saved(path) or any((path / name).exists() for name in (*MANIFESTS, *BESIDE)):
        return [path]
    files = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith((".", "_")))
    tables = [p for p in files if p.name.casefold().endswith(BATCHES)]
    return tables if tables and len(tables) == len(files) else [path]
