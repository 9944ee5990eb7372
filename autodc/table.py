"""Inputs that are no array: the columns of a table, text, or paths of files, in Arrow, in memory or memory-mapped."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Array = np.ndarray[Any, Any]

Kind = Literal["table", "text", "files"]
"""table: columns of numbers, truth values, categories, text, dates; text: one text a row; files: one file a row."""
ColumnType = Literal["integer", "number", "boolean", "category", "text", "date"]
COLUMN_TYPES: tuple[ColumnType, ...] = ("integer", "number", "boolean", "category", "text", "date")

TEXT, PATH, CONTENT = "text", "path", "content"
"""Names of the columns of text and of files; content: hexadecimal digest of the bytes of a file."""
_KIND, _TYPES = b"autodc.kind", b"autodc.types"
EXACT = 2**53
"""Up to here a float64 holds every whole number."""


@final
@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows of inputs. A missing value is Arrow's null, whatever the type of the column."""

    kind: Kind
    arrow: pa.Table
    """integer int64, number float64, boolean bool, category and text large_string, date timestamp[us]."""
    types: tuple[ColumnType, ...]
    """One for each column that is an input; what stands behind them is not one."""
    file: str | None = None
    """The file that these rows are, from the first to the last; None of rows in memory and of some rows of a file."""
    content: list[str] = field(default_factory=list, init=False, repr=False)
    """The digest of the rows, once somebody has worked it out (`data.hashing.content_of`)."""

    @classmethod
    def of(cls, kind: Kind, columns: Mapping[str, Any] | pd.DataFrame, types: Sequence[ColumnType]) -> Table:
        """Make a table of columns in memory; raises ArrowInvalid or ArrowTypeError for values of another type.

        columns: Arrow arrays, Series, arrays or lists. types: one a column, but for the content of files.
        """
        import pyarrow as pa

        stored = [*(arrow_type(one) for one in types), *([pa.large_string()] if kind == "files" else [])]
        pairs = zip(columns.items(), stored, strict=True)
        arrays = {str(name): _as_arrow(values, wanted) for (name, values), wanted in pairs}
        return cls(kind, pa.table(arrays), tuple(types))

    @classmethod
    def of_texts(cls, texts: Sequence[str] | Any) -> Table:
        """Make a table of kind text."""
        return cls.of("text", {TEXT: texts}, ("text",))

    @classmethod
    def of_files(cls, paths: Sequence[str], content: Sequence[str]) -> Table:
        """Make a table of kind files. paths: absolute; content: digests of the files' bytes."""
        return cls.of("files", {PATH: list(paths), CONTENT: list(content)}, ("text",))

    def beside(self, folder: str | os.PathLike[str]) -> Table:
        """The same, files below a folder by their path from there: they may move together."""
        if self.kind != "files":
            return self
        above = f"{os.path.abspath(folder)}{os.sep}"
        paths = [path.removeprefix(above) for path in self.texts()]
        return Table.of_files(paths, self.arrow.column(CONTENT).to_pylist())

    def placed(self, folder: str | os.PathLike[str]) -> Table:
        """The same, files that are told by their path from a folder by their whole path."""
        import pyarrow.compute as pc

        if self.kind != "files" or not len(self) or pc.all(pc.starts_with(self.arrow.column(PATH), os.sep)).as_py():
            return self
        paths = [os.path.abspath(os.path.join(folder, path)) for path in self.texts()]
        return Table.of_files(paths, self.arrow.column(CONTENT).to_pylist())

    @staticmethod
    def concat(tables: Sequence[Table]) -> Table:
        """The rows of several tables of the same columns, one after the other."""
        import pyarrow as pa

        first = tables[0]
        return Table(first.kind, pa.concat_tables([one.arrow for one in tables]), first.types)

    @staticmethod
    def open(path: str | os.PathLike[str]) -> Table:
        """Open a file that `write` wrote, memory-mapped. Raises OSError or ArrowException where it cannot be read."""
        import pyarrow as pa

        with pa.memory_map(os.fspath(path)) as file:
            arrow = pa.ipc.open_file(file).read_all()
        about = arrow.schema.metadata
        types = tuple(about[_TYPES].decode().split(","))
        return Table(about[_KIND].decode(), arrow.replace_schema_metadata(None), types, os.fspath(path))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write an Arrow file, a few megabytes at a time."""
        import pyarrow as pa

        about = {_KIND: self.kind.encode(), _TYPES: ",".join(self.types).encode()}
        schema = self.arrow.schema.with_metadata(about)
        with pa.OSFile(os.fspath(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for batch in self.arrow.to_batches(max_chunksize=_CHUNK):
                writer.write_batch(batch.replace_schema_metadata(about))

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __getitem__(self, rows: slice | Array | Sequence[int]) -> Table:
        """Some rows: a slice without a copy, positions or a mask with one."""
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                return Table(self.kind, self.arrow.slice(start, max(0, stop - start)), self.types)
            rows = np.arange(start, stop, step)
        index = np.asarray(rows)
        index = np.flatnonzero(index) if index.dtype == bool else index.astype(np.int64)
        return Table(self.kind, take(self.arrow, np.where(index < 0, index + len(self), index)), self.types)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Columns of numbers and truth values as one array, (n, columns); raises TypeError where there are others."""
        if self.kind != "table" or any(kind in ("category", "text", "date") for kind in self.types):
            raise TypeError("columns of categories, dates or text are no array; ask for frame(), or texts()")
        values = self.frame().to_numpy(dtype=None if "float" not in str(dtype) else dtype, na_value=np.nan)
        return values if dtype is None else values.astype(dtype)

    def __repr__(self) -> str:
        return f"Table({self.kind}, {len(self)} rows, {', '.join(self.names[:_SHOWN])})"

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are inputs."""
        return tuple(self.arrow.column_names[: len(self.types)])

    @property
    def schema(self) -> dict[str, ColumnType]:
        """Column → type, in order."""
        return dict(zip(self.names, self.types, strict=True))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self), len(self.types)

    @property
    def ndim(self) -> int:
        """Two axes."""
        return 2

    @property
    def nbytes(self) -> int:
        """Bytes of the values."""
        return int(self.arrow.nbytes)

    def column(self, name: str) -> pa.ChunkedArray:
        """One column."""
        return self.arrow[name]

    def select(self, names: Sequence[str]) -> Table:
        """The same rows with these columns, in this order."""
        schema = self.schema
        return Table(self.kind, self.arrow.select(list(names)), tuple(schema[name] for name in names))

    def frame(self) -> pd.DataFrame:
        """The inputs as pandas reads a CSV file: whole numbers as int64 (float64 beside missing ones), text as str."""
        import pandas as pd

        columns = {n: to_series(self.arrow[n], kind) for n, kind in zip(self.names, self.types, strict=True)}
        return pd.DataFrame(columns, index=pd.RangeIndex(len(self)), copy=False)

    def texts(self, name: str | None = None) -> list[str]:
        """The text of every row, or the path of every file; an empty text where it is missing. name: of a column."""
        return [value or "" for value in self.arrow[self.names[0] if name is None else name].to_pylist()]

    def for_estimator(self) -> pd.DataFrame | list[str]:
        """What an estimator of scikit-learn's kind is given: a frame, or texts or paths."""
        return self.frame() if self.kind == "table" else self.texts()


Inputs = Array | Table
"""Inputs of a dataset, shape (n, ...)."""

_CHUNK = 65_536
_SHOWN = 8


def arrow_type(kind: ColumnType) -> pa.DataType:
    """How a type of column lies in Arrow."""
    import pyarrow as pa

    types = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "date": pa.timestamp("us")}
    return types.get(kind, pa.large_string())


def to_series(column: pa.ChunkedArray, kind: ColumnType) -> pd.Series[Any]:
    """One column as pandas would have read it from a CSV file."""
    import pandas as pd
    import pyarrow.compute as pc

    if kind == "integer" and column.null_count:
        ends = pc.min_max(column).as_py()
        if ends["min"] is not None and (ends["min"] < -EXACT or ends["max"] > EXACT):
            exact: pd.Series[Any] = column.to_pandas(types_mapper={column.type: pd.Int64Dtype()}.get)
            return exact
    values: pd.Series[Any] = column.to_pandas()
    return values


def join(parts: Sequence[Inputs]) -> Inputs:
    """The rows of several inputs of one kind, one after the other."""
    if isinstance(parts[0], Table):
        return Table.concat([part for part in parts if isinstance(part, Table)])
    return np.concatenate([np.asarray(part) for part in parts])


def loaded(x: Inputs) -> Inputs:
    """Rows that were picked out of a file, as values of their own."""
    return x if isinstance(x, Table) else np.array(x)


def row_bytes(x: Inputs) -> int:
    """About how many bytes a row takes."""
    return max(1, int(x.nbytes) // max(1, len(x)))


def take(arrow: pa.Table, rows: Array) -> pa.Table:
    """The rows at these positions, chunk by chunk, so that of a large table little is read for few of them.

    Where most rows are asked for, one column after the other is made one chunk. Raises IndexError.
    """
    import pyarrow as pa

    count = arrow.num_rows
    if len(rows) and (rows.min() < 0 or rows.max() >= count):
        raise IndexError(f"rows from {rows.min()} to {rows.max()} of a table of {count}")
    if 2 * len(rows) >= count:
        return pa.table([_taken([(_whole(column), rows)], None) for column in arrow.columns], schema=arrow.schema)
    batches = arrow.to_batches()
    order = None if np.all(rows[1:] >= rows[:-1]) else np.argsort(rows, kind="stable")
    sought = rows if order is None else rows[order]
    starts = np.cumsum([0, *(batch.num_rows for batch in batches)])
    cuts = np.searchsorted(sought, starts)
    there = np.flatnonzero(np.diff(cuts))
    if not len(there):
        return arrow.slice(0, 0)
    inside = [sought[cuts[at] : cuts[at + 1]] - starts[at] for at in there]
    picked = [batches[at].columns for at in there]
    columns = [list(zip(chunks, inside, strict=True)) for chunks in zip(*picked, strict=True)]
    return pa.table([_taken(chunks, order) for chunks in columns], schema=arrow.schema)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """The chunks of a column as one; a single one where it lies."""
    import pyarrow as pa

    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _taken(chunks: Sequence[tuple[pa.Array, Array]], order: Array | None) -> pa.Array:
    """Values of one column. chunks: each with the rows to take of it; order: where each of these belongs."""
    import pyarrow as pa

    if _is_words(chunks[0][0].type):
        return _taken_words(chunks, order)
    found = [chunk.take(pa.array(inside)) for chunk, inside in chunks]
    whole = pa.concat_arrays(found) if len(found) > 1 else found[0]
    if order is None:
        return whole
    place = np.empty(len(whole), dtype=np.int64)
    place[order] = np.arange(len(whole))
    return whole.take(pa.array(place))


def _is_words(kind: pa.DataType) -> bool:
    """Whether values are eight bytes each, so that NumPy can take them: several times as fast as Arrow."""
    import pyarrow as pa

    return bool(pa.types.is_int64(kind) or pa.types.is_float64(kind) or pa.types.is_timestamp(kind))


def _taken_words(chunks: Sequence[tuple[pa.Array, Array]], order: Array | None) -> pa.Array:
    """The same of values of eight bytes."""
    import pyarrow as pa

    count = sum(len(inside) for _, inside in chunks)
    values, missing, start = np.empty(count, dtype=np.int64), None, 0
    for chunk, inside in chunks:
        to: Any = slice(start, start + len(inside))
        words = np.frombuffer(chunk.buffers()[1] or b"", dtype=np.int64, count=chunk.offset + len(chunk))[
            chunk.offset :
        ]
        if order is None:
            np.take(words, inside, out=values[to], mode="clip")  # within bounds: `take` has looked
        else:
            to = order[to]
            values[to] = words[inside]
        if chunk.null_count:
            missing = np.zeros(count, dtype=bool) if missing is None else missing
            missing[to] = chunk.is_null().to_numpy(zero_copy_only=False)[inside]
        start += len(inside)
    valid = None if missing is None else pa.array(~missing).buffers()[1]
    return pa.Array.from_buffers(chunks[0][0].type, count, [valid, pa.py_buffer(values)])


def _as_arrow(values: Any, wanted: pa.DataType) -> pa.ChunkedArray:
    import pyarrow as pa

    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values if values.type == wanted else values.cast(wanted)
    array: Any = pa.array(values, type=wanted, from_pandas=True)
    return array
