"""NumPy's own format, read with care: what the header claims is compared with the file before any memory is taken."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, final

import numpy as np

from autodc.data.problems import problem
from autodc.data.source import SourceRequest

Array = np.ndarray[Any, Any]

MAGIC = b"\x93NUMPY"
PICKLED = "pickles can run programs, so they are never read; save plain arrays (text: array.astype(str))"
CUT_SHORT = "it may be cut short; write it again"


@final
@dataclass(frozen=True, slots=True)
class Header:
    """What an array says of itself. Nothing of it is to be believed before `refuse_false_claims`."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    at: int
    is_fortran: bool = False

    @property
    def bytes(self) -> int:
        """What its values take, by what it says."""
        return math.prod(self.shape) * self.dtype.itemsize


def is_array(start: bytes) -> bool:
    """Whether a file begins as an array does."""
    return start.startswith(MAGIC)


def read_header(request: SourceRequest, stream: IO[bytes], inside: str) -> Header:
    """Read the header alone. inside: which array of the source, for messages. Raises DataError ADC-DATA-002, 003."""
    try:
        version = np.lib.format.read_magic(stream)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = reader(stream)
        at = stream.tell()
    except Exception as error:  # a header is a text of Python, and evaluating what is none may raise anything
        got = f"{inside}: {error or type(error).__name__}"
        raise problem(request, "002", "an array cannot be read", got, CUT_SHORT) from None
    if dtype.hasobject:
        raise problem(request, "003", "the file holds pickled objects", inside, PICKLED)
    if any(type(size) is not int or size < 0 for size in shape):
        raise problem(request, "002", "an array cannot be read", f"{inside}: it claims the shape {shape}", CUT_SHORT)
    return Header(shape, dtype, at, bool(is_fortran))


def read_array(request: SourceRequest, stream: IO[bytes], size: int, inside: str) -> Array:
    """Read one array of a stream of `size` bytes. Raises DataError ADC-DATA-002 where it claims another size, 003."""
    header = read_header(request, stream, inside)
    refuse_false_claims(request, header, size, inside)
    stream.seek(0)
    try:
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
    except MemoryError:
        raise problem(request, "049", "an array does not fit in memory", f"{inside}: {_size(header.bytes)}") from None
    except Exception as error:  # what a damaged file makes of NumPy's reader is told to whoever named it
        got = f"{inside}: {error or type(error).__name__}"
        raise problem(request, "002", "an array cannot be read", got, CUT_SHORT) from None


def array_pieces(request: SourceRequest, stream: IO[bytes], size: int, rows: int, inside: str) -> Iterator[Array]:
    """The same so many rows at a time; an array that lies column by column is read at once."""
    header = read_header(request, stream, inside)
    refuse_false_claims(request, header, size, inside)
    if header.is_fortran or len(header.shape) < 1 or not header.bytes:
        stream.seek(0)
        whole = read_array(request, stream, size, inside)
        yield from (whole[at : at + rows] for at in range(0, max(whole.shape[:1] or (1,)), rows) or (0,))
        return
    row = header.bytes // header.shape[0]
    for start in range(0, header.shape[0], rows):
        count = min(rows, header.shape[0] - start)
        content = stream.read(count * row)
        if len(content) < count * row:
            got = f"{inside}: it ends in row {start + len(content) // row} of {header.shape[0]}"
            raise problem(request, "002", "an array is not as large as it says", got, CUT_SHORT)
        yield np.frombuffer(content, dtype=header.dtype).reshape(count, *header.shape[1:])


def refuse_false_claims(request: SourceRequest, header: Header, size: int, inside: str) -> None:
    """Raise DataError ADC-DATA-002 where an array claims more values than `size` bytes hold."""
    if header.at + header.bytes > size:
        got = f"{inside}: it claims {header.shape} {header.dtype}, {_size(header.bytes)}; there are {_size(size)}"
        raise problem(request, "002", "an array is not as large as it says", got, CUT_SHORT)


def _size(count: int) -> str:
    return f"{count:,} bytes" if count < 10**6 else f"{count / 1e9:,.3g} GB"
