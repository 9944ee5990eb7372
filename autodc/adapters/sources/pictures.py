"""Rows whose inputs are images that lie in a table or an archive: as paths, as bytes, or as records of both."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from autodc.adapters.pictures.decode import Picture, decoded, refuse_no_picture
from autodc.adapters.pictures.many import each, stacked
from autodc.adapters.pictures.wish import Wish
from autodc.adapters.sources.files import refuse_foreign, regular_file
from autodc.adapters.sources.images import AS_IT_IS, in_row, wish_of
from autodc.adapters.sources.listing import cut, is_image, shown
from autodc.data.source import SourceRequest
from autodc.errors import DataError
from autodc.files import disk_told
from autodc.large import cache_folder
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

Place = Callable[[int], str]
"""Where a person finds a row."""


def image_inputs(request: SourceRequest, cells: Sequence[object], place: Place) -> tuple[Inputs, tuple[str, ...]]:
    """Images as one array where `size` or `mode` is wished for, else as files; and what a person should know of them.

    cells: a path (relative to the source), bytes, or a record `{bytes, path}` a row, or Arrow's scalars of these. Bytes
    that stay files are kept by their content in a folder that is theirs alone. Raises all that is wrong, ten at most.
    """
    wish = wish_of(request)
    if wish is None and request.kind != "image_to_image":
        found = each(len(cells), lambda row: _file(request, cells[row]), _told(request, cells, place))
        return Table.of_files([path for path, _ in found], [digest for _, digest in found]), ()
    return _decoded(request, cells, place, wish or AS_IT_IS)


def image_targets(request: SourceRequest, cells: Sequence[object], place: Place) -> Array:
    """Images that are targets, as one array."""
    return _decoded(request, cells, place, wish_of(request) or AS_IT_IS)[0]


def _decoded(
    request: SourceRequest, cells: Sequence[object], place: Place, wish: Wish
) -> tuple[Array, tuple[str, ...]]:
    frames: dict[int, int] = {}

    def load(row: int) -> Picture:
        return decoded(_content(request, cells[row])[0], wish)

    x = stacked(len(cells), load, _told(request, cells, place), frames=frames)
    return x, frame_notes({_content(request, cells[row])[1] or place(row): many for row, many in frames.items()})


def frame_notes(more: Mapping[str, int]) -> tuple[str, ...]:
    """Say of which files only the first of several pictures is read. more: name → how many it holds."""
    if not more:
        return ()
    some = ", ".join(f"{shown([name])}: {frames}" for name, frames in sorted(more.items())[:3])
    return (
        f"{len(more)} files hold more pictures than one ({some}), and only the first is read; for stacks write arrays: "
        "numpy.save(name.npy, values)",
    )


def content_of(request: SourceRequest) -> str:
    """The digest of what a file holds, once it looks like what its name says. Raises DataError, OSError."""
    path = Path(request.path)
    if not is_image(path.name):
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    content = path.read_bytes()
    refuse_foreign(request, content[:1024])
    refuse_no_picture(content)
    return hashlib.sha256(content).hexdigest()


def _told(request: SourceRequest, cells: Sequence[object], place: Place) -> Callable[[int, DataError], DataError]:
    def told(row: int, error: DataError) -> DataError:
        with contextlib.suppress(Exception):
            if isinstance(name := _plain(cells[row]), str):
                return in_row(request, f"{place(row)}, `{cut(name)}`", error)
        return in_row(request, place(row), error)

    return told


def _plain(cell: object) -> object:
    return cell.as_py() if hasattr(cell, "as_py") else cell


def _content(request: SourceRequest, cell: object) -> tuple[bytes, str]:
    """The bytes of an image, and its name where it has one."""
    value = _plain(cell)
    if isinstance(value, Mapping):
        held, name = value.get("bytes"), value.get("path")
        if held is not None:
            return bytes(held), str(name or "")
        value = name
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value), ""
    path = _beside(request, value)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError("ADC-DATA-002", "a file cannot be read", "", str(error)) from None
    refuse_foreign(replace(request, path=str(path)), content[:1024])
    return content, str(value)


def _beside(request: SourceRequest, name: object) -> Path:
    """The file of a path that is relative to the table that names it.

    Raises DataError ADC-DATA-014 for one elsewhere, unless it is an image and the table lies on this machine.
    """
    if not isinstance(name, str | os.PathLike) or not str(name):
        raise DataError("ADC-DATA-001", "a row has no image", "", "" if name is None else repr(name)[:60])
    folder = request.path if os.path.isdir(request.path) else os.path.dirname(request.path)
    path = os.path.abspath(os.path.join(folder, os.path.expanduser(str(name)))) if "\0" not in str(name) else str(name)
    leads_out = "\0" not in path and not path.startswith(os.path.abspath(folder) + os.sep)
    if leads_out and (request.url or not is_image(path)):
        hint = "tables on this machine may name images that lie elsewhere, others the files beside them alone"
        raise DataError("ADC-DATA-014", "a path leads out of the folder", "", repr(cut(name)), hint)
    return regular_file(replace(request, path=path), "a file is missing", f"paths are relative to {folder}")


def _file(request: SourceRequest, cell: object) -> tuple[str, str]:
    """An image as a file: its absolute path, and the digest of what it holds."""
    value = _plain(cell)
    if isinstance(value, Mapping) and value.get("bytes") is None:
        value = value.get("path")
    if isinstance(value, str | os.PathLike):
        path = _beside(request, value)
        try:
            return str(path), content_of(replace(request, path=str(path)))
        except OSError as error:
            raise DataError("ADC-DATA-002", "a file cannot be read", "", str(error)) from None
    content, _ = _content(request, value)
    refuse_no_picture(content)
    digest = hashlib.sha256(content).hexdigest()
    return str(_kept(content, digest)), digest


def _kept(content: bytes, digest: str) -> Path:
    """A file that holds these bytes, by their digest; whoever writes it first."""
    with Image.open(io.BytesIO(content)) as image:
        suffix = f".{(image.format or 'bin').casefold().replace('jpeg2000', 'jp2')}"
    path = cache_folder("files") / digest[:2] / f"{digest}{suffix}"
    with disk_told(path.parent):
        if not path.exists() or path.stat().st_size != len(content):
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f".{digest}-{secrets.token_hex(4)}")
            unfinished.write_bytes(content)
            unfinished.replace(path)
    return path
