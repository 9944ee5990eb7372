"""Parquet larger than memory: looked at in a sample, read in pieces, kept as a memory-mapped file of columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autodc.adapters.sources.files import regular_file
from autodc.adapters.sources.kinds import typed
from autodc.adapters.sources.parquetfile import read_parquet, unreadable
from autodc.data.columns import from_arrow, where_they_lie
from autodc.data.source import SourceRequest
from autodc.large import CHUNK, IN_MEMORY, filed
from autodc.table import ColumnType, Table, arrow_type

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]

GROUPS, SAMPLED = 8, 16_384
"""A sample is the first rows of so many groups of rows, so many of each."""


def is_large(request: SourceRequest) -> bool:
    """Whether a Parquet file holds more than is kept in memory."""
    about = _opened(request).metadata
    size = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
    return bool(size > IN_MEMORY)


def sampled(request: SourceRequest, names: Sequence[str]) -> pd.DataFrame:
    """Some rows from all over the file."""
    import pyarrow as pa

    file = _opened(request)
    count = file.metadata.num_row_groups
    wanted = sorted({int(at) for at in np.linspace(0, count - 1, GROUPS)})
    parts = []
    for group in wanted:
        first = next(file.iter_batches(SAMPLED, row_groups=[group], columns=list(names)), None)
        parts += [] if first is None else [pa.table(first)]
    table = pa.concat_tables(parts) if parts else file.schema_arrow.empty_table()
    return pd.DataFrame({name: from_arrow(table[name]) for name in names})


def is_still(request: SourceRequest, name: str) -> bool:
    """Whether a column is the same in every row of the file."""
    import pyarrow.compute as pc

    seen: set[Any] = set()
    for batch in _opened(request).iter_batches(CHUNK, columns=[name]):
        seen.update(pc.unique(batch.column(0)).to_pylist()[:2])
        if len(seen) > 1:
            return False
    return True


def read_pieces(
    request: SourceRequest, schema: Mapping[str, ColumnType], others: Sequence[str]
) -> tuple[Table, dict[str, pd.Series[Any]]]:
    """The columns of a schema in its types, as inputs; all of these and others as pandas sees them where they lie.

    Others that Arrow does not hold as single values are read whole. Raises DataError ADC-DATA-091 for the first piece
    that does not fit.
    """
    import pyarrow as pa

    about = _opened(request).schema_arrow
    plain = {name: kind for name in others if (kind := _plain_type(about.field(name).type)) is not None}
    stored = pa.schema([*((name, arrow_type(kind)) for name, kind in schema.items()), *plain.items()])

    def pieces() -> Iterator[pa.RecordBatch]:
        start = 0
        for batch in _opened(request).iter_batches(CHUNK, columns=stored.names):
            columns = [_typed(request, name, batch.column(name), kind, start) for name, kind in schema.items()]
            columns += [_as_plain(batch.column(name), kind) for name, kind in plain.items()]
            yield pa.record_batch(columns, schema=stored)
            start += batch.num_rows

    try:
        columns = filed(stored, pieces())
    except pa.ArrowException as error:
        raise unreadable(request, error) from None
    odd = read_parquet(request, [name for name in others if name not in plain])
    x = Table("table", columns.select(list(schema)), tuple(schema.values()))
    return x, {**where_they_lie(columns), **odd}


def _plain_type(own: pa.DataType) -> pa.DataType | None:
    """How a column that is no input lies in the file of columns; None where it holds no single values Arrow knows."""
    import pyarrow as pa

    if pa.types.is_dictionary(own):
        own = own.value_type
    if pa.types.is_string(own) or pa.types.is_large_string(own):
        return arrow_type("text")
    is_exact = pa.types.is_decimal128(own) or pa.types.is_date(own) or pa.types.is_time(own)
    is_plain = pa.types.is_integer(own) or pa.types.is_floating(own) or pa.types.is_boolean(own)
    return own if is_exact or is_plain or pa.types.is_timestamp(own) else None


def _as_plain(column: pa.Array, kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    column = (column.dictionary_decode() if pa.types.is_dictionary(column.type) else column).cast(kind)
    return _without_nan(column) if pa.types.is_floating(kind) else column


def _without_nan(column: pa.Array) -> pa.Array:
    """Numbers with NaN as missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def _typed(request: SourceRequest, name: str, column: pa.Array, kind: ColumnType, start: int) -> pa.Array:
    """One column of a piece. Types that hold each other's values are cast; the others are looked at value by value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted, own = arrow_type(kind), column.type
    if pa.types.is_dictionary(own):
        column, own = column.dictionary_decode(), column.type.value_type
    if kind == "number" and pa.types.is_floating(own):
        column = _without_nan(column.cast(wanted))
        if not pc.any(pc.is_inf(column)).as_py():
            return column
    elif _holds(own, kind):
        return column.cast(wanted)
    values = from_arrow(pa.chunked_array([column]))
    values.index = pd.RangeIndex(start, start + len(values))
    return typed(request, name, values, kind)


def _holds(own: pa.DataType, kind: ColumnType) -> bool:
    """Whether the type of a column of inputs holds every value of a type in the file."""
    import pyarrow as pa

    is_text = pa.types.is_string(own) or pa.types.is_large_string(own)
    is_small = pa.types.is_integer(own) and own != pa.uint64()
    holds: dict[str, bool] = {
        "integer": is_small,
        "number": is_small and own.bit_width <= 32,
        "boolean": pa.types.is_boolean(own),
        "category": is_text,
        "text": is_text,
        "date": pa.types.is_date(own) or (pa.types.is_timestamp(own) and own.tz is None and own.unit != "ns"),
    }
    return bool(holds[kind])


def _opened(request: SourceRequest) -> Any:
    from pyarrow import ArrowException, parquet

    try:
        return parquet.ParquetFile(regular_file(request), memory_map=True)  # else pyarrow keeps what it has read
    except (OSError, ArrowException) as error:
        raise unreadable(request, error) from None
