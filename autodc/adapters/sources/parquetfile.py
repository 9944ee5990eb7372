"""Parquet, column by column, in types that lose nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from autodc.adapters.sources.files import refuse_foreign, regular_file, start_of
from autodc.data.columns import from_arrow
from autodc.data.problems import problem
from autodc.data.source import SourceRequest
from autodc.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

INDEX = "__index_level_"
"""How pandas calls an index without a name of its own."""


def parquet_names(request: SourceRequest) -> list[str]:
    """The names of the columns. Raises DataError ADC-DATA-002 where it cannot be read, 017 for doubles."""
    names = [str(name) for name in _schema(request).names]
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        raise problem(request, "017", "columns of the same name", ", ".join(doubles), "give each a name of its own")
    return [name for name in names if not name.startswith(INDEX)]


def parquet_index(request: SourceRequest) -> list[str]:
    """The columns that the file itself calls its index."""
    about = _schema(request).pandas_metadata or {}
    return [name for name in about.get("index_columns", []) if isinstance(name, str)]


def read_parquet(request: SourceRequest, names: Sequence[str]) -> pd.DataFrame:
    """Read these columns and no others."""
    from pyarrow import ArrowException, parquet

    path = regular_file(request)
    try:
        table = parquet.ParquetFile(path).read(columns=list(names)).select(list(names))
        columns = {name: from_arrow(table[name]) for name in names}
    except (OSError, ArrowException, MemoryError) as error:
        raise _unreadable(request, error) from None
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def _schema(request: SourceRequest) -> pa.Schema:
    from pyarrow import ArrowException, parquet

    path = regular_file(request)
    try:
        return parquet.read_schema(path)
    except (OSError, ArrowException) as error:
        raise _unreadable(request, error) from None


def _unreadable(request: SourceRequest, error: Exception) -> DataError:
    refuse_foreign(request, start_of(regular_file(request), 1024))
    return problem(request, "002", "the table cannot be read", str(error))
