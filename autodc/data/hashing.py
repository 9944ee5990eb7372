"""Rows told apart by a hash of their inputs, and inputs as a whole by their content."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from autodc import fingerprint
from autodc.data.columns import as_array, numpy_type
from autodc.large import BESIDE, IN_MEMORY, distinct_values, pieces_of, room
from autodc.table import CONTENT, Inputs, Table, row_bytes

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Some = TypeVar("Some", bound=Inputs)

BATCH = 4096
BATCH_BYTES = 8 << 20
"""Rows are looked at so many, or so many bytes, at a time."""


def row_hashes(x: Inputs) -> Array:
    """Hash every row of inputs, shape (n, ...), to 64 bits: uint64, shape (n,). Zero has one sign.

    Of twenty million rows and twenty million others two that differ have the same hash once in fifty thousand studies.
    """
    hashes = room((len(x),), np.dtype(np.uint64), BESIDE)
    for start, rows in batches(x):
        if isinstance(rows, Table):
            flat = _words(rows)
        else:
            data = rows + np.zeros((), rows.dtype) if rows.dtype.kind == "f" else rows
            flat = np.ascontiguousarray(data).reshape(len(data), -1)
        size, content = flat.shape[1] * flat.itemsize, flat.reshape(-1).view(np.uint8).data
        cuts = range(0, len(content), size)
        digests = b"".join([hashlib.blake2b(content[at : at + size], digest_size=16).digest()[:8] for at in cuts])
        hashes[start : start + len(flat)] = np.frombuffer(digests, dtype=">u8")
    return hashes


def row_marks(inputs: Array, y: Array | None) -> Array:
    """Hash every row's inputs together with its target to 64 bits: uint64, shape (n,).

    inputs: `row_hashes` of them; y: targets as the user knows them, shape (n, ...), None where there are none.
    """
    if y is None:
        return inputs
    told = np.asarray(y)
    is_text = told.dtype.kind in "OU"
    target = pd.util.hash_array(told.astype(object).ravel()) if is_text and told.ndim == 1 else row_hashes(told)
    return np.asarray(inputs * _ODD ^ target)


_ODD = np.uint64(0x9E3779B97F4A7C15)


def numbered(parts: Sequence[Array]) -> list[Array]:
    """Turn row hashes of several sets into ints: the same number for the same inputs."""
    _, same = np.unique(np.concatenate(parts), return_inverse=True)
    return np.split(same.ravel(), np.cumsum([len(one) for one in parts])[:-1])


def among(values: Array, known: Array) -> Mask:
    """Mark the values, shape (n,), that are known: a piece at a time, so that millions of either need little memory."""
    if len(known) > len(values):
        distinct, back = np.unique(values, return_inverse=True)
        seen = np.zeros(len(distinct), dtype=bool)
        for piece in pieces_of(len(known)):
            place, equal = places_among(known[piece], distinct)
            seen[place[equal]] = True
        return np.asarray(seen[back.ravel()])
    distinct, found = distinct_values(known), np.zeros(len(values), dtype=bool)
    for piece in pieces_of(len(values)):
        found[piece] = places_among(values[piece], distinct)[1]
    return found


def places_among(values: Array, distinct: Array) -> tuple[Array, Mask]:
    """Where values stand among distinct ones that rise, and which do."""
    if not len(distinct):
        return np.zeros(len(values), dtype=np.int64), np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(distinct, values), len(distinct) - 1)
    return place, distinct[place] == values


def batches(rows: Some) -> Iterator[tuple[int, Some]]:
    """Rows a few megabytes at a time, each with its first position."""
    size = max(1, min(BATCH, BATCH_BYTES // row_bytes(rows)))
    for start in range(0, len(rows), size):
        yield start, rows[start : start + size]  # type: ignore[misc]


def content_of(x: Inputs) -> str:
    """Fingerprint inputs by kind, names, types and content, however they lie in memory."""
    if not isinstance(x, Table):
        return _content_of_array(x)
    if not x.content:
        x.content.append(_content_of(x))
    return x.content[0]


_known: dict[int, tuple[weakref.ref[Array], str]] = {}
"""Identity of a large array that is still there → its digest: gigabytes take half a minute each time."""


def _content_of_array(x: Array) -> str:
    """The digest of an array, of a large one worked out once: nobody writes into the inputs of a dataset."""
    if x.nbytes <= IN_MEMORY:
        return fingerprint.of_array(x)
    known = _known.get(id(x))
    if known is None or known[0]() is not x:
        place = id(x)
        known = weakref.ref(x, lambda gone: _known.pop(place, None)), fingerprint.of_array(x)
        _known[place] = known
    return known[1]


def _content_of(x: Table) -> str:
    columns = [CONTENT] if x.kind == "files" else list(x.names)
    parts = [
        (f"{at}", fingerprint.of([name, _column_digest(x.column(name))], kind="column"))
        for at, name in enumerate(columns)
    ]
    about = fingerprint.of([x.kind, list(x.types)], kind="table")
    return fingerprint.of_parts("table", [("about", about), *parts])


def column_digest(values: pd.Series[Any]) -> str:
    """Fingerprint a column of metadata, the same whether it lies in memory or in a file of Arrow's."""
    if not isinstance(values.dtype, pd.ArrowDtype):
        return fingerprint.of_array(as_array(values))
    column: Any = values.array.__arrow_array__()
    pieces = (column[rows] for rows in pieces_of(len(column)))
    dtype = numpy_type(column)
    if dtype is None:
        texts = (np.array([str(value) for value in piece.to_pylist()], dtype=object) for piece in pieces)
        return fingerprint.of_pieces(np.dtype(object), (len(column),), texts)
    return fingerprint.of_pieces(dtype, (len(column),), (piece.to_pandas().to_numpy(dtype) for piece in pieces))


def _words(rows: Table) -> Array:
    """The values of every row side by side, shape (n, bytes): 17 bytes a column, the last for what is missing."""
    columns = [CONTENT] if rows.kind == "files" else list(rows.names)
    words = np.zeros((len(rows), 17 * len(columns)), dtype=np.uint8)
    for at, name in enumerate(columns):
        values, missing = _values(rows.column(name))
        words[:, 17 * at : 17 * at + values.shape[1]] = values
        words[missing, 17 * at : 17 * at + 16] = 0
        words[:, 17 * at + 16] = missing
    return words


def _values(column: pa.ChunkedArray) -> tuple[Array, Array]:
    """The values of a column as bytes of one width, and which are missing."""
    import pyarrow as pa

    array = column.combine_chunks()
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    missing = array.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_large_string(array.type):
        coded = array.dictionary_encode()
        known = [
            hashlib.blake2b(str(value).encode("utf-8", "surrogatepass"), digest_size=16).digest()
            for value in coded.dictionary.to_pylist()
        ]
        table = np.frombuffer(b"".join(known) or bytes(16), dtype=np.uint8).reshape(-1, 16)
        return table[coded.indices.fill_null(0).to_numpy(zero_copy_only=False)], missing
    return _fixed(array), missing


def _fixed(array: pa.Array) -> Array:
    """Values of 8 bytes each; missing ones are 0, zero has one sign."""
    import pyarrow as pa

    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    array = array.fill_null(False if pa.types.is_boolean(array.type) else 0)
    values = array.to_numpy(zero_copy_only=False)
    values = values.astype(np.int64) if values.dtype == bool else values + np.zeros((), values.dtype)
    return np.ascontiguousarray(values).view(np.uint8).reshape(-1, 8)


def _column_digest(column: pa.ChunkedArray) -> str:
    """Digest of the values of a column, whatever chunks it lies in."""
    import pyarrow as pa

    values, sizes, gaps = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    for chunk in column.chunks:
        for rows in pieces_of(len(chunk)):
            part = chunk[rows]
            gaps.update(part.is_null().to_numpy(zero_copy_only=False).tobytes())
            if pa.types.is_large_string(part.type):
                part = part.fill_null("")
                _, ends, texts = part.buffers()
                ends = np.frombuffer(ends, dtype=np.int64, count=part.offset + len(part) + 1)[part.offset :]
                if ends[-1] > ends[0]:
                    values.update(memoryview(texts)[ends[0] : ends[-1]])
                sizes.update(np.diff(ends).tobytes())
            else:
                values.update(_fixed(part).tobytes())
    return f"{values.hexdigest()}{sizes.hexdigest()}{gaps.hexdigest()}"
