"""Where things lie that can be made again, and rows that do not fit in memory."""

from __future__ import annotations

import errno
import math
import mmap
import os
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from autodc.files import disk_told
from autodc.table import Inputs, Table, join, take

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]

IN_MEMORY = 256 << 20
"""Bytes up to which an array is kept in memory, and up to which all of them together are."""
COUNTED = 1 << 20
"""Smaller arrays are not counted."""
BESIDE = 32 << 20
"""The same of what is worked out beside the inputs, such as a hash of every row: there are several of these."""
CHUNK, CHUNK_BYTES = 65_536, 16 << 20
"""Rows that are copied at once, and bytes of them."""
RUNS = 4096
"""Rows of a table that are left as so many stretches at most stay where they lie."""
ROOM_LEFT = 64 << 20
"""Bytes that stay free on the disk."""
KEPT_DAYS = 14.0
"""What nobody has used for so long is thrown away when something new is kept beside it."""


def cache_folder(what: str) -> Path:
    """Where things of one kind lie that can be made again: copies of remote files, decoded images."""
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "autodc" / what


def throw_away_unused(folder: Path, most: float = math.inf) -> None:
    """Remove the files of a cache folder that nobody has used for KEPT_DAYS.

    most: bytes that may stay; of more those go that nobody has used for longest.
    """
    found = []
    for path in folder.iterdir():
        with suppress(OSError):
            about = path.stat()
            if time.time() - about.st_mtime > KEPT_DAYS * 86400:
                path.unlink()
            else:
                found.append((about.st_mtime, about.st_size, path))
    left = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if left <= most:
            break
        with suppress(OSError):
            path.unlink()
            left -= size


def room(shape: tuple[int, ...], dtype: np.dtype[Any], most: int | None = None, *, shared: bool = False) -> Array:
    """An array to fill: in memory, or where it is large in a file that goes with the last who holds it.

    most: bytes that may be in memory, IN_MEMORY where it is left out; shared: with processes that are forked from this
    one, which fill it too. Raises SurroundingsError ADC-DISK-001 where the
    disk has no room for it.
    """
    size = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or (size <= (IN_MEMORY if most is None else most) and _held.add(size)):
        on_loan = shared and size and not dtype.hasobject
        array = np.ndarray(shape, dtype, buffer=mmap.mmap(-1, size)) if on_loan else np.empty(shape, dtype)
        if size >= COUNTED and not dtype.hasobject:
            weakref.finalize(array, _held.add, -size)
        return array
    return np.ndarray(shape, dtype, buffer=_unnamed(size))


class _Held:
    """Bytes of the arrays that `room` has put in memory and that are still there."""

    def __init__(self) -> None:
        self._bytes, self._lock = 0, threading.RLock()  # an array may go while the lock is held

    def add(self, size: int) -> bool:
        """Count them, unless they are too many with the others; whether they were counted."""
        if 0 <= size < COUNTED:
            return True
        with self._lock:
            if size > 0 and self._bytes + size > IN_MEMORY:
                return False
            self._bytes += size
            return True


_held = _Held()


def filed(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """Columns of batches that come one after the other, in a file that goes with the last who holds it.

    Raises SurroundingsError ADC-DISK-001 where the disk has no room for it.
    """
    import pyarrow as pa

    with _unnamed_file() as file:
        with pa.ipc.new_file(pa.PythonFile(file, mode="w"), schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    return pa.ipc.open_file(pa.py_buffer(mapped)).read_all()


def taken(x: Inputs, rows: Array) -> Inputs:
    """The rows at these positions, in a file where they do not fit in memory."""
    if not isinstance(x, Table):
        return taken_values(x, rows, IN_MEMORY)
    is_large = int(x.nbytes) * len(rows) > IN_MEMORY * max(1, len(x))
    return Table(x.kind, taken_columns(x.arrow, rows), x.types) if is_large else x[rows]


def taken_values(values: Array, rows: Array, most: int | None = None) -> Array:
    """The same of an array. most: bytes that may be in memory, BESIDE where it is left out."""
    most = BESIDE if most is None else most
    if values.nbytes * len(rows) < COUNTED * max(1, len(values)):
        return np.asarray(values[rows])
    found = room((len(rows), *values.shape[1:]), values.dtype, most)
    for piece in pieces_of(len(rows), values.nbytes // max(1, len(values))):
        found[piece] = values[rows[piece]]
    return found


def taken_columns(columns: pa.Table, rows: Array) -> pa.Table:
    """The rows at these positions: where they lie if they are few stretches, else in a file of their own."""
    import pyarrow as pa

    ends = _ends(rows)
    if len(rows) and len(ends) < RUNS:
        stretches = zip([0, *ends], [*ends, len(rows)], strict=True)
        return pa.concat_tables([columns.slice(int(rows[start]), int(end - start)) for start, end in stretches])
    pieces = (take(columns, rows[piece]).combine_chunks().to_batches() for piece in pieces_of(len(rows)))
    return filed(columns.schema, (batch for some in pieces for batch in some))


def joined(parts: Sequence[Inputs]) -> Inputs:
    """The rows of several inputs of one kind, one after the other; of arrays in a file where they are large."""
    first = parts[0]
    if isinstance(first, Table) or sum(one.nbytes for one in parts) <= IN_MEMORY:
        return join(parts)
    dtype = np.result_type(*(one.dtype for one in parts if not isinstance(one, Table)))
    whole, start = room((sum(map(len, parts)), *first.shape[1:]), dtype), 0
    for one in parts:
        whole[start : start + len(one)] = one
        start += len(one)
    return whole


def positions(marked: Array) -> Array:
    """Where a mask is true, rising; of very many rows in a file."""
    found, start = room((int(np.count_nonzero(marked)),), np.dtype(np.int64), BESIDE), 0
    for piece in pieces_of(len(marked)):
        here = np.flatnonzero(marked[piece])
        found[start : start + len(here)] = here + piece.start
        start += len(here)
    return found


def distinct_values(values: Array) -> Array:
    """The distinct values, rising, as `np.unique` has them, by sorting.

    numpy 2.4 hashes where nothing else is asked for: .36 s for 300,000 whole numbers, where sorting takes .007 s.
    """
    return np.unique(values, return_counts=True)[0]


def evenly(rows: Array | int, most: int) -> Array:
    """So many of these rows at most, evenly among them; rows: positions, or how many there are."""
    count = rows if isinstance(rows, int) else len(rows)
    places = np.arange(count) if count <= most else np.linspace(0, count - 1, most).astype(int)
    return places if isinstance(rows, int) else rows[places]


def some_places(rows: int, most: int, piece: int) -> Iterator[Array]:
    """The positions of so many of these rows at most, evenly, a piece at a time."""
    places = evenly(rows, most)
    return (places[start : start + piece] for start in range(0, len(places), piece))


def pieces_of(rows: int, size: int = 1) -> Iterator[slice]:
    """The rows of something long, CHUNK at a time, or as many as CHUNK_BYTES hold. size: bytes of a row."""
    many = max(1, min(CHUNK, CHUNK_BYTES // max(1, size)))
    return (slice(start, min(start + many, rows)) for start in range(0, rows, many))


def _ends(rows: Array) -> Array:
    """Where a stretch of positions that follow one another has ended, a piece at a time."""
    return np.concatenate(
        [
            np.flatnonzero(np.diff(rows[piece.start : piece.stop + 1]) != 1) + piece.start + 1
            for piece in pieces_of(len(rows))
        ]
        or [np.zeros(0, dtype=np.int64)]
    )


@contextmanager
def _unnamed_file() -> Iterator[IO[bytes]]:
    folder = cache_folder("large")
    with disk_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            yield file


def _unnamed(size: int) -> mmap.mmap:
    """Memory-mapped bytes of a file without a name; the disk has set them aside, so that no write can fail later."""
    with _unnamed_file() as file:
        free = shutil.disk_usage(cache_folder("large")).free
        if free < size + ROOM_LEFT:
            told = f"{size / 1e9:,.3g} GB are needed for rows that do not fit in memory, {free / 1e9:,.3g} GB are free"
            raise OSError(errno.ENOSPC, told)
        os.posix_fallocate(file.fileno(), 0, size)
        return mmap.mmap(file.fileno(), size)
