"""IDX files, plain or gzipped: images in one file, labels in another."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast, final

import numpy as np

from autodc.adapters.sources.files import regular_file
from autodc.adapters.sources.unpacked import UNPACK, Meter
from autodc.data.dataset import Dataset
from autodc.data.problems import problem, refuse_unknown_options
from autodc.data.rows import checked
from autodc.data.source import RawRows, SourceRequest

Array = np.ndarray[Any, Any]

OPTIONS = ("targets", "rows")
TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP_MAGIC = b"\x1f\x8b"
MOST_PACKED = 1032
"""How many bytes one byte of a gzip file may stand for."""
MOST_AXES = 32


@final
class IdxSource:
    """An IDX file. options: {targets: labels file, beside the images or absolute; rows: [first, behind the last]}."""

    def __init__(self, request: SourceRequest) -> None:
        self._request = request

    def read(self, targets: bool) -> Dataset:
        """Read the images; without `targets` only the size of the labels file is read."""
        request = self._request
        refuse_unknown_options(request, OPTIONS)
        labels = request.text("targets")
        if labels is None and not request.labelled:
            first, last = self._rows(idx_shape(request)[0])
            return checked(request, RawRows(x=read_idx(request, first, last), y=None), targets=False)
        if labels is None:
            hint = "name the labels file: options: {targets: train-labels-idx1-ubyte.gz}"
            raise problem(request, "005", "no file of targets is named", hint=hint)
        label_request = replace(request, path=str(Path(request.path).parent / Path(labels).expanduser()))
        regular_file(label_request, "the file of targets does not exist")
        count, of_labels = idx_shape(request)[0], idx_shape(label_request)[0]
        if count != of_labels:
            raise problem(label_request, "006", "inputs and targets differ in rows", f"{count} and {of_labels}")
        first, last = self._rows(count)
        y = read_idx(label_request, first, last) if targets else None
        return checked(request, RawRows(x=read_idx(request, first, last), y=y), targets=targets)

    def _rows(self, count: int) -> tuple[int, int]:
        value = self._request.options.get("rows")
        if value is None:
            return 0, count
        if isinstance(value, list) and len(value) == 2 and all(type(end) is int for end in value):
            first, last = (int(str(end)) for end in value)
            if 0 <= first < last <= count:
                return first, last
        hint = f"the file has {count} rows: rows: [0, {count}]"
        raise problem(self._request, "012", "`rows` is [first, behind the last]", repr(value), hint)


def idx_shape(request: SourceRequest) -> tuple[int, ...]:
    """The shape an IDX file declares. Raises DataError ADC-DATA-002."""
    with _opened(request) as file:
        return _header(request, file)[1]


def read_idx(request: SourceRequest, first: int, last: int) -> Array:
    """Read rows `first` to `last` of an IDX file. Raises DataError ADC-DATA-002 where it is no IDX or is cut short."""
    with _opened(request) as file:
        dtype, shape = _header(request, file)
        row = math.prod(shape[1:]) * dtype.itemsize
        _refuse_false_claims(request, file, shape, row)
        _bytes(request, file, first * row)
        data = _bytes(request, file, (last - first) * row)
        more = _bytes(request, file, 1) if last == shape[0] else b""
    if more or len(data) != (last - first) * row:
        got = "more bytes" if more else f"{len(data)} bytes where {(last - first) * row} belong"
        raise problem(request, "002", "the file is not as long as it says", got, f"it declares {shape}")
    array = np.frombuffer(data, dtype=dtype).reshape(last - first, *shape[1:])
    return array.astype(dtype.newbyteorder("="), copy=False)


def _refuse_false_claims(request: SourceRequest, file: IO[bytes], shape: tuple[int, ...], row: int) -> None:
    """A header may claim any size, and memory is taken by what it claims."""
    most = Path(request.path).stat().st_size * (MOST_PACKED if isinstance(file, gzip.GzipFile) else 1)
    if len(shape) > MOST_AXES or shape[0] * row > most:
        got = f"it declares {shape if len(shape) <= MOST_AXES else f'{len(shape)} axes'}"
        raise problem(request, "002", "the file is not as long as it says", got)
    if isinstance(file, gzip.GzipFile):
        Meter(request, UNPACK).add(shape[0] * row)


@contextmanager
def _opened(request: SourceRequest) -> Iterator[IO[bytes]]:
    """Open the file, through gzip where it begins like one, whatever its name."""
    path = regular_file(request)
    with ExitStack() as stack:
        try:
            file: IO[bytes] = stack.enter_context(path.open("rb"))
        except OSError as error:
            raise problem(request, "002", "the file cannot be read", str(error)) from None
        zipped = _bytes(request, file, 2) == GZIP_MAGIC
        file.seek(0)
        yield cast(IO[bytes], stack.enter_context(gzip.GzipFile(fileobj=file))) if zipped else file


def _header(request: SourceRequest, file: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = _bytes(request, file, 4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in TYPES or not magic[3]:
        raise problem(request, "002", "the file is no IDX file", f"it begins with {magic!r}")
    sizes = _bytes(request, file, 4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise problem(request, "002", "the file is cut short")
    return np.dtype(TYPES[magic[2]]), tuple(np.frombuffer(sizes, dtype=">u4").tolist())


def _bytes(request: SourceRequest, file: IO[bytes], count: int) -> bytes:
    try:
        return file.read(count)
    except MemoryError:
        raise problem(request, "049", "the file does not fit in memory", f"{count:,} bytes at once") from None
    except (OSError, EOFError, zlib.error) as error:
        hint = "it may be cut short"
        raise problem(request, "002", "the file cannot be read", str(error), hint) from None
