"""Columns of metadata as pandas keeps them without losing a digit: decimals, dates, big numbers and missing values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autodc.large import BESIDE, room

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]

TYPED = frozenset(
    {"boolean", "date", "datetime", "datetime64", "decimal", "floating", "integer", "mixed-integer-float", "time"}
)
"""What pandas calls object columns that are of one type but for missing values."""
LONGEST = 64
"""Characters of a class label, at most, where there are very many of them."""
NO_VALUES = "no_values"
"""Key in `metadata.attrs`: column → what it holds where that is no single value a row, so that `where` refuses it."""


def from_arrow(column: pa.ChunkedArray) -> pd.Series[Any]:
    """A column of a table, in NumPy's types where these hold every value, in Arrow's where they do not."""
    import pyarrow as pa  # slow to import, and arrays need it not

    kind = column.type
    exact = pa.types.is_decimal(kind) or pa.types.is_date(kind) or pa.types.is_time(kind)
    if pa.types.is_decimal256(kind) and kind.precision > 38:
        column = _narrowed(column)
    if exact or (column.null_count and (pa.types.is_boolean(kind) or pa.types.is_integer(kind))):
        return pd.Series(pd.arrays.ArrowExtensionArray(column))
    values: pd.Series[Any] = column.to_pandas()
    return values


def numpy_type(column: pa.ChunkedArray) -> np.dtype[Any] | None:
    """The type of NumPy's that holds every value of a column; None where there is none."""
    import pyarrow as pa

    kind = column.type
    holds = pa.types.is_floating(kind) or pa.types.is_timestamp(kind) or pa.types.is_duration(kind)
    if holds or (not column.null_count and (pa.types.is_integer(kind) or pa.types.is_boolean(kind))):
        found = kind.to_pandas_dtype()
        return np.dtype(found) if not isinstance(found, pd.DatetimeTZDtype) else None
    return None


def arrow_names(metadata: pd.DataFrame) -> list[str]:
    """The columns that lie in Arrow."""
    return [str(name) for name, dtype in metadata.dtypes.items() if isinstance(dtype, pd.ArrowDtype)]


def where_they_lie(columns: pa.Table) -> dict[str, pd.Series[Any]]:
    """Columns as pandas sees them without a copy."""
    return {name: pd.Series(pd.arrays.ArrowExtensionArray(columns[name])) for name in columns.column_names}


def array_of(values: pd.Series[Any]) -> Array | None:
    """A column that lies in Arrow as an array, which may lie in a file; None where NumPy has no type for its values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column: pa.ChunkedArray = values.array.__arrow_array__()
    is_text, dtype = pa.types.is_large_string(column.type), numpy_type(column)
    if is_text and not column.null_count:
        longest = max((pc.max(pc.utf8_length(chunk)).as_py() or 0 for chunk in column.chunks), default=0)
        dtype = np.dtype(f"U{max(1, longest)}") if longest <= LONGEST else None
    if dtype is None:
        return None
    found, start = room((len(column),), dtype, BESIDE), 0
    for chunk in column.chunks:
        if is_text:
            coded = chunk.dictionary_encode()
            known = np.array(coded.dictionary.to_pylist(), dtype=dtype)
            part = known[coded.indices.to_numpy()] if len(known) else known
        else:
            part = chunk.to_pandas().to_numpy(dtype)
        found[start : start + len(chunk)] = part
        start += len(chunk)
    return found


def from_objects(values: pd.Series[Any]) -> pd.Series[Any] | None:
    """The same for a column of Python objects; None where they are text, of several types, or no single values."""
    import pyarrow as pa

    if pd.api.types.infer_dtype(values, skipna=True) not in TYPED:
        return None
    try:
        return from_arrow(pa.chunked_array([pa.array(values, from_pandas=True)]))
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return None


def decoded(values: pd.Series[Any]) -> pd.Series[Any]:
    """A categorical column as the values it stands for."""
    import pyarrow as pa

    try:
        coded: Any = pa.array(values, from_pandas=True)
        return from_arrow(pa.chunked_array([coded.dictionary_decode()]))
    except (pa.ArrowException, TypeError, ValueError):
        return pd.Series(np.asarray(values, dtype=object))


def as_array(values: pd.Series[Any]) -> Array:
    """A column as an array that tells every value apart; missing ones of Arrow's types are None."""
    if isinstance(values.dtype, pd.ArrowDtype):
        pairs = zip(values, values.isna(), strict=True)
        return np.array([None if missing else value for value, missing in pairs], dtype=object)
    return np.asarray(values.to_numpy())


def _narrowed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Decimals of more digits than SQL engines know, in fewer where they fit."""
    import pyarrow as pa

    try:
        return column.cast(pa.decimal128(38, column.type.scale))
    except (pa.ArrowException, ValueError):
        return column


def plain(metadata: pd.DataFrame) -> pd.DataFrame:
    """Columns of numbers, booleans, times or text only, so that every store and engine can hold them."""
    columns, no_values = {}, {}
    for name in metadata.columns:
        values = metadata[name].reset_index(drop=True)
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = decoded(values)
        if isinstance(values.dtype, np.dtype) and not values.dtype.isnative:
            values = pd.Series(native(values.to_numpy()))
        if values.dtype == np.longdouble:
            values = values.astype(np.float64)
        if values.dtype in (np.object_, np.bytes_) or isinstance(values.dtype, pd.StringDtype):
            values, what = _of_objects(values)
            if what:
                no_values[str(name)] = what
        columns[str(name)] = values
    plain = pd.DataFrame(columns, index=pd.RangeIndex(len(metadata)))
    if no_values:
        plain.attrs[NO_VALUES] = no_values
    return plain


def _of_objects(values: pd.Series[Any]) -> tuple[pd.Series[Any], str]:
    """Objects of one type in that type, all others as text; and what they are where that is no single value a row."""
    what = ""
    if not isinstance(values.dtype, pd.StringDtype):
        if (typed := from_objects(values)) is not None:
            return typed, ""
        kinds = {type(value) for value in values}
        if any(issubclass(kind, list | tuple | set | frozenset | np.ndarray) for kind in kinds):
            what = "lists"
        elif any(issubclass(kind, Mapping) for kind in kinds):
            what = "records"
        elif any(issubclass(kind, bytes) for kind in kinds):
            try:
                values = values.map(lambda value: value.decode() if isinstance(value, bytes) else value)
            except UnicodeDecodeError:
                what = "binary values"
                values = values.map(
                    lambda value: value.decode("utf-8", "replace") if isinstance(value, bytes) else value
                )
    text = [None if pd.api.types.is_scalar(value) and pd.isna(value) else str(value) for value in values]
    return pd.Series(text, dtype="object"), what


def native(values: Array) -> Array:
    """Contiguous, in the byte order of this machine."""
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
