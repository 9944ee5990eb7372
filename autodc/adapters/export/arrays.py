"""Arrays of many datasets in one .npz, written a piece at a time."""

from __future__ import annotations

import functools
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autodc.adapters.export.parts import LINEAGE, Beside, Part
from autodc.large import pieces_of
from autodc.table import row_bytes

Array = np.ndarray[Any, Any]

NONE = -1
"""The number of what has none: the parent's row of one that was made of none."""


def write_arrays(path: Path, parts: Sequence[Part], beside: Beside) -> None:
    """Write `x`, `y` and every column beside them; texts that are missing are empty. Raises OSError."""
    rows, y = sum(map(len, parts)), parts[0].y

    def inputs() -> Iterator[Array]:
        return (np.asarray(part.data.x[some]) for part, some in pieces(parts))

    def targets() -> Iterator[Array]:
        return (part.y[some] for part, some in pieces(parts))

    def column(name: str) -> Iterator[Array]:
        return (_as_numpy(name, beside.column(part, some, name)) for part, some in pieces(parts))

    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        _member(archive, "x", _x_type(parts), (rows, *parts[0].data.x.shape[1:]), inputs())
        _member(archive, "y", _type_of([part.y for part in parts]), (rows, *y.shape[1:]), targets())
        for name in beside.schema.names:
            dtype = functools.reduce(np.promote_types, (one.dtype for one in column(name)))
            _member(archive, name, dtype, (rows,), column(name))


def pieces(parts: Sequence[Part]) -> Iterator[tuple[Part, slice]]:
    """All rows, a few megabytes at a time."""
    for part in parts:
        for rows in pieces_of(len(part), row_bytes(part.data.x)):
            yield part, rows


def _member(
    archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], some: Iterator[Array]
) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_2_0(member, header)
        for piece in some:
            member.write(np.ascontiguousarray(piece, dtype).tobytes())


def _x_type(parts: Sequence[Part]) -> np.dtype[Any]:
    return np.result_type(*(np.asarray(part.data.x[:0]).dtype for part in parts))


def _type_of(arrays: Sequence[Array]) -> np.dtype[Any]:
    if any(one.dtype.kind == "O" for one in arrays):
        return np.result_type(*(np.asarray(one.tolist()).dtype for one in arrays))
    return np.result_type(*(one.dtype for one in arrays))


def _as_numpy(name: str, values: Any) -> Array:
    """A column without a gap: missing numbers are NaN, of lineage −1, missing texts are empty."""
    import pyarrow as pa

    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        if name in LINEAGE:
            return np.asarray(values.fill_null(NONE).to_numpy(zero_copy_only=False))
        gaps = bool(values.null_count)
        return np.asarray((values.cast(pa.float64()) if gaps else values).to_numpy(zero_copy_only=False))
    if pa.types.is_floating(kind) or pa.types.is_timestamp(kind):
        return np.asarray(values.to_numpy(zero_copy_only=False))
    texts = ["" if one is None else str(one) for one in values.to_pylist()]
    return np.array(texts, dtype=str) if texts else np.zeros(0, dtype="U1")
