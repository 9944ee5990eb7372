"""Tar shards as webdataset writes them: files of one name but for its end are one row; nothing is unpacked."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.pictures.many import stacked
from autodc.adapters.sources.files import exists, regular_file
from autodc.adapters.sources.images import OPTIONS, in_row
from autodc.adapters.sources.jsonlfile import frame_of
from autodc.adapters.sources.listing import ARRAY, cut, image_suffixes, shown
from autodc.adapters.sources.npy import read_array
from autodc.adapters.sources.pictures import image_inputs
from autodc.adapters.sources.tarfiles import Member, content_of_member, members
from autodc.data.columns import as_array
from autodc.data.dataset import Dataset
from autodc.data.problems import missing_name, problem, refuse_unknown_options
from autodc.data.rows import checked
from autodc.data.source import RawRows, SourceRequest
from autodc.errors import DataError, raise_all
from autodc.table import Inputs

Array = np.ndarray[Any, Any]
Row = dict[str, Member]
"""End of the name → file."""

RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
MOST_SHARDS = 100_000
KEY = "__key__"
"""Column of metadata: what the names of a row's files have in common."""
OF_CLASS, OF_TEXT, OF_RECORD = "cls", "txt", "json"


@final
class ShardSource:
    """One or several tar files. The image of a row is its input, `.cls` or `.txt` the target, `.json` metadata.

    options: {image: end of the name, target: end of the name or key of the record}.
    """

    def __init__(self, request: SourceRequest) -> None:
        self._request = request

    def read(self, targets: bool) -> Dataset:
        """List the shards, then read what is wanted of each row; without `targets` theirs are not read."""
        request = self._request
        refuse_unknown_options(request, ("image", *OPTIONS))
        rows = dict(self._rows())
        if not rows:
            raise problem(request, "009", "there are no rows")
        names, files = list(rows), list(rows.values())
        images = self._images(names, files)
        records = self._records(names, files)
        target = self._target(files, records)
        x, notes = self._inputs(names, [row[end] for row, end in zip(files, images, strict=True)])
        y = self._targets(names, files, records, target) if targets else None
        places = [_place(names, row) for row in range(len(names))]
        metadata = frame_of(request, {KEY: names, **{k: v for k, v in records.items() if k != target}}, places)
        if target != OF_TEXT and all(OF_TEXT in row for row in files):
            metadata[OF_TEXT] = [_text(request, names[at], row[OF_TEXT]) for at, row in enumerate(files)]
        used = {*images, OF_RECORD, OF_TEXT, OF_CLASS, target}
        others = sorted({f".{end}" for row in files for end in row} - {f".{end}" for end in used})
        more = (f"files that are not read: {shown(others)}",) if others else ()
        return checked(request, RawRows(x=x, y=y, metadata=metadata, notes=(*notes, *more)), targets=targets)

    def _rows(self) -> Iterator[tuple[str, Row]]:
        """(name, files by the end of their names), shard by shard."""
        found: dict[str, Row] = {}
        for path in expanded(self._request):
            request = replace(self._request, path=path)
            for member in members(request):
                name, _, end = _split(member.name)
                if not end:
                    continue
                row = found.setdefault(name, {})
                if end in row:
                    got, hint = f"`{cut(member.name)}`", "give each a name of its own"
                    raise problem(request, "075", "two rows of the shards are called alike", got, hint)
                row[end] = member
        yield from found.items()

    def _images(self, names: Sequence[str], files: Sequence[Row]) -> list[str]:
        """The end of the name of every row's input: the one it is told, or the one that is an image or an array."""
        request, wish = self._request, self._request.text("image")
        if wish is not None:
            known = list(dict.fromkeys(end for row in files for end in row))
            if (wish := wish.removeprefix(".")) not in known:
                raise missing_name(request, "004", "image with the end", wish, known)
            self._refuse_gaps(names, files, wish)
            return [wish] * len(files)
        target, found = (request.text("target") or "").removeprefix("."), []
        for name, row in zip(names, files, strict=True):
            ends = [end for end in row if _is_input(end) and end != target]
            if len(ends) != 1:
                got = f"row `{cut(name)}` has {', '.join(f'.{end}' for end in row)}"
                hint = (
                    f"options: {{image: {ends[0]}}}" if ends else "an image is .jpg, .png and the like, an array .npy"
                )
                raise problem(request, "004", "rows do not have one image each", got, hint)
            found.append(ends[0])
        return found

    def _refuse_gaps(self, names: Sequence[str], files: Sequence[Row], end: str) -> None:
        gaps = [name for name, row in zip(names, files, strict=True) if end not in row]
        if gaps:
            got = f"{len(gaps)} of {len(names)} rows, such as {shown(gaps)}"
            hint = "write the shards again, or leave the rows out"
            raise problem(self._request, "075", f"rows have no file .{end}", got, hint)

    def _inputs(self, names: Sequence[str], files: Sequence[Member]) -> tuple[Inputs, tuple[str, ...]]:
        cells, place = _Contents(self._request, files), partial(_place, names)
        if not all(member.name.casefold().endswith(ARRAY) for member in files):
            return image_inputs(self._request, cells, place)

        def load(row: int) -> Array:
            content = cells[row]
            return read_array(self._request, io.BytesIO(content), len(content), "it")

        return stacked(len(files), load, lambda row, error: in_row(self._request, place(row), error)), ()

    def _records(self, names: Sequence[str], files: Sequence[Row]) -> dict[str, list[Any]]:
        """Key → a value a row, of the records beside the images."""
        found: dict[str, list[Any]] = {}
        problems: list[DataError] = []
        for at, row in enumerate(files):
            if OF_RECORD not in row:
                continue
            try:
                record = json.loads(content_of_member(self._request, row[OF_RECORD]))
                record = record if isinstance(record, dict) else {"value": record}
            except (ValueError, RecursionError) as error:
                problems.append(problem(self._request, "076", "a record is no JSON", f"{_place(names, at)}: {error}"))
                if len(problems) == 10:
                    break
                continue
            for key, value in record.items():
                found.setdefault(key, [None] * len(files))[at] = value
        raise_all(problems)
        return found

    def _target(self, files: Sequence[Row], records: dict[str, list[Any]]) -> str:
        """Where targets are: the end of names, or the key of the records."""
        request, wish = self._request, self._request.text("target")
        ends = {end for row in files for end in row}
        if wish is None:
            wish = next((end for end in (OF_CLASS, "target", "label", OF_TEXT) if end in ends or end in records), None)
        if not request.labelled and wish not in ends and wish not in records:
            return ""
        if wish is None:
            hint = "a target is a file .cls or .txt beside each image, or a key of its .json: options: {target: key}"
            raise problem(request, "005", "there are no targets in the shards", hint=hint)
        wish = wish.removeprefix(".") if wish.removeprefix(".") in ends else wish
        if wish not in ends and wish not in records:
            raise missing_name(request, "005", "target", wish, [*sorted(ends), *records])
        return wish

    def _targets(self, names: Sequence[str], files: Sequence[Row], records: dict[str, list[Any]], target: str) -> Array:
        request, place = self._request, partial(_place, names)
        if target in records:
            frame = frame_of(request, {target: records[target]}, [*map(place, range(len(names)))])
            return as_array(frame[target])
        self._refuse_gaps(names, files, target)
        if _is_input(target):
            y, _ = self._inputs(names, [row[target] for row in files])
            return np.asarray(y)
        texts = [_text(request, name, row[target]) for name, row in zip(names, files, strict=True)]
        numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce")
        return numbers.to_numpy() if target == OF_CLASS and numbers.notna().all() else np.asarray(texts)


@final
class _Contents(Sequence[bytes]):
    """Files of the shards, read when they are looked at."""

    def __init__(self, request: SourceRequest, files: Sequence[Member]) -> None:
        self._request, self._files = request, files

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, row: Any) -> Any:
        return content_of_member(self._request, self._files[row])


def _is_input(end: str) -> bool:
    return f".{end.rpartition('.')[2]}" in {*image_suffixes(), ARRAY}


def is_range(path: str) -> bool:
    """Whether a path stands for several shards."""
    return RANGE.search(path) is not None and path.casefold().endswith((".tar", ".tar.gz", ".tgz"))


def expanded(request: SourceRequest) -> list[str]:
    """The paths that `name-{000..003}.tar` stands for, or the path itself. Raises those that are not there."""
    found = RANGE.search(request.path)
    if found is None:
        return [request.path]
    first, last = int(found[1]), int(found[2])
    if not 0 <= last - first < MOST_SHARDS:
        raise problem(request, "075", "this is no range of shards", found[0], "a range is {000..003}")
    before, after, width = request.path[: found.start()], request.path[found.end() :], len(found[1])
    paths = [f"{before}{number:0{width}d}{after}" for number in range(first, last + 1)]
    lost = [path for path in paths if not exists(replace(request, path=path))]
    if lost:
        got = f"{len(lost)} of {len(paths)}, such as {shown([os.path.basename(path) for path in lost])}"
        raise problem(request, "001", "shards are missing", got)
    for path in paths:
        regular_file(replace(request, path=path))
    return paths


def _split(name: str) -> tuple[str, str, str]:
    """Folder and name up to the first point, and what follows it."""
    path = PurePosixPath(name)
    stem, point, end = path.name.partition(".")
    hidden = not stem
    return (str(path.parent / stem).removeprefix("./"), point, "" if hidden else end.casefold())


def _place(names: Sequence[str], row: int) -> str:
    return f"row `{cut(names[row])}`"


def _text(request: SourceRequest, name: str, member: Member) -> str:
    try:
        return content_of_member(request, member).decode().strip()
    except UnicodeDecodeError as error:
        raise problem(request, "002", "a file is not UTF-8", f"`{cut(name)}`: {error.reason}") from None
