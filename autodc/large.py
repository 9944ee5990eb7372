"""Where things lie that can be made again, and rows that do not fit in memory."""

from __future__ import annotations

import errno
import math
import mmap
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from autodc.files import disk_told
from autodc.table import ColumnType, Inputs, Kind, Table

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]

IN_MEMORY = 256 << 20
"""Bytes up to which an array is kept in memory."""
CHUNK = 65_536
"""Rows that are copied at once."""
ROOM_LEFT = 64 << 20
"""Bytes that stay free on the disk."""


def cache_folder(what: str) -> Path:
    """Where things of one kind lie that can be made again: copies of remote files, decoded images."""
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "autodc" / what


def room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array to fill: in memory, or where it is large in a file that goes with the last who holds it.

    Raises SurroundingsError ADC-DISK-001 where the disk has no room for it.
    """
    size = math.prod(shape) * dtype.itemsize
    if size <= IN_MEMORY:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, buffer=_unnamed(size))


def filed(kind: Kind, types: Sequence[ColumnType], schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Table:
    """A table of batches that come one after the other, in a file that goes with the last who holds it.

    Raises SurroundingsError ADC-DISK-001 where the disk has no room for it.
    """
    import pyarrow as pa

    with _unnamed_file() as file:
        with pa.ipc.new_file(pa.PythonFile(file, mode="w"), schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    return Table(kind, pa.ipc.open_file(pa.py_buffer(mapped)).read_all(), tuple(types))


def taken(x: Inputs, rows: Array) -> Inputs:
    """The rows at these positions, in a file where they do not fit in memory."""
    if int(x.nbytes) * len(rows) <= IN_MEMORY * max(1, len(x)):
        return x[rows]
    pieces = (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))
    if isinstance(x, Table):
        batches = (batch for piece in pieces for batch in x[piece].arrow.combine_chunks().to_batches())
        return filed(x.kind, x.types, x.arrow.schema, batches)
    found, start = room((len(rows), *x.shape[1:]), x.dtype), 0
    for piece in pieces:
        found[start : start + len(piece)] = x[piece]
        start += len(piece)
    return found


@contextmanager
def _unnamed_file() -> Iterator[IO[bytes]]:
    folder = cache_folder("large")
    with disk_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            yield file


def _unnamed(size: int) -> mmap.mmap:
    """Memory-mapped bytes of a file without a name; the disk has set them aside, so that no write can fail later."""
    folder = cache_folder("large")
    with disk_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < size + ROOM_LEFT:
            told = f"{size / 1e9:,.3g} GB are needed for rows that do not fit in memory, {free / 1e9:,.3g} GB are free"
            raise OSError(errno.ENOSPC, told)
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, size)
            return mmap.mmap(file.fileno(), size)
