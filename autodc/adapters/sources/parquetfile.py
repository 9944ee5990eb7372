"""Parquet, column by column, in types that lose nothing."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, final

import pandas as pd

from autodc.adapters.sources.files import refuse_foreign, regular_file, start_of
from autodc.adapters.sources.unpacked import PLAIN_COLUMNS, Meter, metered
from autodc.data.columns import from_arrow
from autodc.data.problems import problem, refuse_doubles
from autodc.data.source import SourceRequest
from autodc.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

INDEX = "__index_level_"
"""How pandas calls an index without a name of its own."""
GROUPS_HELD = 3
"""Groups of rows of which a column is kept in memory."""
COUNTED, COUNTED_PLAIN = 1024, 65_536
"""Rows that are read before what they come to is counted; fewer where a long text may stand for each of them."""
WIDTH = 8
"""Bytes of a value, about."""


def is_parquet(request: SourceRequest) -> bool:
    """Whether a table is Parquet, by its name."""
    return request.path.casefold().endswith(".parquet")


def parquet_names(request: SourceRequest) -> list[str]:
    """The names of the columns.

    Raises DataError ADC-DATA-002 where it cannot be read, 017 for doubles, 079 where it says that it comes to too much.
    """
    _refuse_expanding(request)
    names = [str(name) for name in _schema(request).names]
    refuse_doubles(request, names)
    return [name for name in names if not name.startswith(INDEX)]


def parquet_index(request: SourceRequest) -> list[str]:
    """The columns that the file itself calls its index."""
    return [name for name in _told_by_pandas(request, "index_columns") if isinstance(name, str)]


def read_parquet(request: SourceRequest, names: Sequence[str]) -> pd.DataFrame:
    """Read these columns and no others."""
    from pyarrow import ArrowException, parquet

    path = regular_file(request)
    coded = _categories(request)
    try:
        table = _counted(request, parquet.ParquetFile(path), names)
        columns = {name: from_arrow(table[name]) for name in names}
        columns.update({name: columns[name].astype("category") for name in names if name in coded})
    except (OSError, ArrowException, MemoryError, ValueError, KeyError) as error:
        raise unreadable(request, error) from None
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def parquet_pieces(request: SourceRequest, names: Sequence[str], rows: int) -> Iterator[pd.DataFrame]:
    """The same as `read_parquet`, so many rows at a time."""
    from pyarrow import ArrowException, Table, parquet

    try:
        file = parquet.ParquetFile(regular_file(request), memory_map=True)
        for batch in file.iter_batches(rows, columns=list(names)):
            table = Table.from_batches([batch])
            columns = {name: from_arrow(table[name]) for name in names}
            yield pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))
    except (OSError, ArrowException, MemoryError, ValueError, KeyError) as error:
        raise unreadable(request, error) from None


def _categories(request: SourceRequest) -> set[str]:
    """The columns that were categories in pandas, which Parquet keeps for text alone."""
    about = [one for one in _told_by_pandas(request, "columns") if isinstance(one, dict)]
    return {str(one.get("name")) for one in about if one.get("pandas_type") == "categorical"}


def _told_by_pandas(request: SourceRequest, key: str) -> list[Any]:
    """A list of what pandas noted in the file; nothing where that cannot be read: it is no part of the table."""
    schema = _schema(request)
    try:
        found = (schema.pandas_metadata or {}).get(key)
    except (ValueError, AttributeError, RecursionError):
        return []
    return found if isinstance(found, list) else []


@final
class ParquetCells(Sequence[object]):
    """One column, read a group of rows at a time when a value is looked at; several threads may look."""

    def __init__(self, request: SourceRequest, name: str) -> None:
        from pyarrow import ArrowException, parquet

        self._request, self._name = request, name
        path = regular_file(request)
        try:
            self._file = parquet.ParquetFile(path, memory_map=True)
            about = self._file.metadata
            sizes = [about.row_group(at).num_rows for at in range(about.num_row_groups)]
        except (OSError, ArrowException, ValueError) as error:
            raise unreadable(request, error) from None
        self._starts = [0, *itertools.accumulate(sizes)]
        self._held: dict[int, Any] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, row: Any) -> Any:
        group = bisect.bisect_right(self._starts, row) - 1
        with self._lock:
            if group not in self._held:
                while len(self._held) >= GROUPS_HELD:
                    del self._held[min(self._held)]
                self._held[group] = self._read(group)
            column = self._held[group]
        return column[row - self._starts[group]]

    def _read(self, group: int) -> Any:
        from pyarrow import ArrowException

        try:
            return _counted(self._request, self._file, [self._name], [group])[self._name]
        except (OSError, ArrowException, MemoryError, ValueError, KeyError) as error:
            raise unreadable(self._request, error) from None


def _refuse_expanding(request: SourceRequest) -> None:
    """A column that is the same in all rows takes no room in the file, and all of it in memory."""
    from pyarrow import ArrowException, parquet

    try:
        about = parquet.read_metadata(regular_file(request))
        groups = [about.row_group(at) for at in range(about.num_row_groups)]
        sizes = [max(g.total_byte_size, WIDTH * g.num_rows * about.num_columns) for g in groups]
    except (OSError, ArrowException, ValueError) as error:
        raise unreadable(request, error) from None
    Meter(request, PLAIN_COLUMNS).add(sum(sizes))


def _counted(request: SourceRequest, file: Any, names: Sequence[str], groups: list[int] | None = None) -> pa.Table:
    """Columns in this order, read until they are too much."""
    import pyarrow as pa

    plain = all(pa.types.is_primitive(file.schema_arrow.field(name).type) for name in names)
    read = file.iter_batches(COUNTED_PLAIN if plain else COUNTED, row_groups=groups, columns=list(names))
    batches = metered(read, Meter(request, PLAIN_COLUMNS))
    return pa.Table.from_batches(batches, None if batches else file.schema_arrow).select(list(names))


def _schema(request: SourceRequest) -> pa.Schema:
    from pyarrow import ArrowException, parquet

    path = regular_file(request)
    try:
        return parquet.read_schema(path)
    except (OSError, ArrowException, ValueError) as error:
        raise unreadable(request, error) from None


def unreadable(request: SourceRequest, error: Exception) -> DataError:
    """What is wrong with a file that is no Parquet, or not whole."""
    refuse_foreign(request, start_of(regular_file(request), 1024))
    return problem(request, "002", "the table cannot be read", str(error))
