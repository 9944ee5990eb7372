"""What a compressed file may come to: a small one that would fill memory or disk is refused before it does."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, final

from autodc.data.problems import problem
from autodc.data.source import SourceRequest

if TYPE_CHECKING:
    import pyarrow as pa

LEAST = 512 << 20
"""Bytes that any compressed file may come to."""
TIMES = 200
"""It may come to so many times its own size too. Zeros reach 1,032 in gzip and zip, rows of data seldom 50."""
BLOCK = 1 << 20
FETCH, UNPACK, UNZIP = "fetch and unpack it first", "gunzip it first", "unzip it first"
PLAIN_ARRAYS = "write it without compression: numpy.savez(path, **arrays)"
PLAIN_STREAM = "write it by save_to_disk, which compresses nothing"
PLAIN_COLUMNS = "write it plainly: frame.to_parquet(path, compression=None, use_dictionary=False)"


@final
class Meter:
    """Counts what comes out of a compressed file. mend: what to do where it really holds so much."""

    def __init__(self, request: SourceRequest, mend: str, path: str | os.PathLike[str] | None = None) -> None:
        self._request, self._mend = request, mend
        self._size = os.stat(request.path if path is None else path).st_size
        self._most = max(LEAST, TIMES * self._size)
        self._came = 0

    def add(self, count: int) -> None:
        """Count so many bytes more. Raises DataError ADC-DATA-079 where it is too much by now."""
        self._came += count
        if self._came > self._most:
            got = f"{self._size:,} bytes come to more than {self._most:,}"
            hint = (
                f"{LEAST >> 20} MB, or {TIMES} times its size, is the most; where it really holds so much, {self._mend}"
            )
            raise problem(self._request, "079", "a compressed file comes to far more than its size", got, hint)


def metered(batches: Iterable[pa.RecordBatch], meter: Meter) -> list[pa.RecordBatch]:
    """Read the batches until they are too much. Raises as `Meter.add` does."""
    kept: list[pa.RecordBatch] = []
    for batch in batches:
        meter.add(batch.nbytes)
        kept.append(batch)
    return kept


def copy_unpacked(packed: IO[bytes] | gzip.GzipFile, file: IO[bytes] | None, meter: Meter) -> None:
    """Read to the end, into another file where there is one. Raises as `Meter.add` does, before that is written."""
    while block := packed.read(BLOCK):
        meter.add(len(block))
        if file is not None:
            file.write(block)


def refuse_expanding_gzip(request: SourceRequest, path: Path) -> None:
    """Raise DataError ADC-DATA-079 where a gzipped file comes to too much; it is read through once per process.

    Its own words on that cannot be believed. Raises what gzip does where it is damaged.
    """
    about = path.stat()
    if (path, about.st_ino, about.st_size, about.st_mtime_ns) not in _fine():
        with gzip.open(path) as packed:
            copy_unpacked(packed, None, Meter(request, UNPACK, path))
        _fine().add((path, about.st_ino, about.st_size, about.st_mtime_ns))


@lru_cache(maxsize=1)
def _fine() -> set[tuple[Path, int, int, int]]:
    """Files that were read through."""
    return set()
