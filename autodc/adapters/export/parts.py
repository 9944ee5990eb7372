"""The datasets that are written out, and the columns beside inputs and targets: metadata, and where a row is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from autodc.data.dataset import Dataset
from autodc.errors import InputError
from autodc.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]

MARK, FORMER = "autodc_", "former_"
"""How columns of lineage begin, and what is put before those of an export that was trained on."""
TEXTS, NUMBERS = ("dataset", "parent", "finding", "by"), ("row", "parent_row", "round")
LINEAGE = tuple(MARK + name for name in ("dataset", "weight", "row", "parent", "parent_row", "finding", "round", "by"))
"""The columns that every export has, in this order."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """One dataset of the mixture."""

    data: Dataset
    y: Array
    """Targets as the user writes them."""
    weight: float
    by: str
    round: int
    finding: str | None
    parents: tuple[str, ...] = ()
    parent: Array | None = None
    """Shape (n,): which of `parents` a row was made of, -1 none; None where no row was made."""
    position: Array | None = None
    """Shape (n,): the row of that parent."""

    def __len__(self) -> int:
        return len(self.data)

    @property
    def name(self) -> str:
        """Of the dataset."""
        return self.data.name

    def lineage(self, rows: slice) -> dict[str, pa.Array]:
        """Where these rows come from, by column of LINEAGE."""
        import pyarrow as pa

        places = np.arange(rows.start, rows.stop)
        whose, which = np.full(len(places), -1), np.full(len(places), -1)
        if self.parent is not None and self.position is not None:
            whose, which = self.parent[rows], self.position[rows]
        names = np.array([*self.parents, None], dtype=object)[whose]
        found = {
            "dataset": pa.repeat(pa.scalar(self.name, pa.string()), len(places)),
            "weight": pa.repeat(pa.scalar(float(self.weight), pa.float64()), len(places)),
            "row": pa.array(places, pa.int64()),
            "parent": pa.array(names, pa.string()),
            "parent_row": pa.array(which, pa.int64(), mask=whose < 0),
            "finding": pa.repeat(pa.scalar(self.finding, pa.string()), len(places)),
            "round": pa.repeat(pa.scalar(self.round, pa.int64()), len(places)),
            "by": pa.repeat(pa.scalar(self.by, pa.string()), len(places)),
        }
        return {MARK + name: values for name, values in found.items()}


@final
class Beside:
    """The metadata of all parts in one set of columns, and their lineage behind them."""

    def __init__(self, parts: Sequence[Part], taken: Sequence[str], renamed: Mapping[str, str]) -> None:
        """Settle names and types. taken: names of inputs and targets; renamed: metadata column → its name in the file.

        Raises InputError ADC-PROP-066 where an input or a target is called as a column of lineage.
        """
        import pyarrow as pa

        if both := [name for name in taken if name in LINEAGE]:
            hint = "give it another name in the source; an earlier export is read with the options its README names"
            problem = "an input or target is called as what the export adds"
            raise InputError("ADC-PROP-066", problem, "data.base", ", ".join(both), hint)
        self._names: dict[str, str] = {}
        """Name in the file → name in the metadata."""
        types: dict[str, pa.DataType] = {}
        for part in parts:
            for name, dtype in part.data.metadata.dtypes.items():
                to = _named(str(name), renamed)
                if str(name) in _inputs(part) or to in taken or to.startswith(FORMER + FORMER):
                    continue
                self._names[to] = str(name)
                kind = _kind(dtype)
                types[to] = _common(types[to], kind) if to in types else kind
        floats = {MARK + "weight": pa.float64()}
        mine = {n: pa.string() if n.removeprefix(MARK) in TEXTS else floats.get(n, pa.int64()) for n in LINEAGE}
        self.schema = pa.schema(list({**types, **mine}.items()))
        self.renamed = {of: to for to, of in self._names.items()}

    def columns(self, part: Part, rows: slice) -> dict[str, Any]:
        """Arrow arrays of some rows of a part, by name, in the order of `schema`."""
        return {name: self._metadata(part, rows, name) for name in self._names} | part.lineage(rows)

    def column(self, part: Part, rows: slice, name: str) -> pa.Array:
        """One of `columns`, without the others."""
        return self._metadata(part, rows, name) if name in self._names else part.lineage(rows)[name]

    def _metadata(self, part: Part, rows: slice, name: str) -> pa.Array:
        """Metadata as a column of the file; gaps where the part has none of that name."""
        import pyarrow as pa

        metadata, of, wanted = part.data.metadata, self._names[name], self.schema.field(name).type
        return _values(metadata[of].iloc[rows], wanted) if of in metadata else pa.nulls(rows.stop - rows.start, wanted)


def _inputs(part: Part) -> tuple[str, ...]:
    """Columns of the metadata that are inputs too."""
    x = part.data.x
    return x.names if isinstance(x, Table) and x.kind != "files" else ()


def _named(name: str, renamed: Mapping[str, str]) -> str:
    name = renamed.get(name, name)
    return FORMER + name if name.startswith((MARK, FORMER + MARK)) else name


def _kind(dtype: Any) -> pa.DataType:
    """How a column of metadata is written; what is of no plain type as text."""
    import pyarrow as pa

    if isinstance(dtype, pd.ArrowDtype):
        kind = dtype.pyarrow_dtype
        if pa.types.is_integer(kind) and not pa.types.is_uint64(kind):
            return pa.int64()
        plain = pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_date(kind)
        return kind if plain or pa.types.is_timestamp(kind) or pa.types.is_decimal(kind) else pa.string()
    if pd.api.types.is_bool_dtype(dtype):
        return pa.bool_()
    if pd.api.types.is_integer_dtype(dtype) and str(dtype).casefold() != "uint64":
        return pa.int64()
    if pd.api.types.is_float_dtype(dtype):
        return pa.float64()
    if isinstance(dtype, np.dtype) and dtype.kind == "M":
        return pa.timestamp("us")
    return pa.string()


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if one == other:
        return one
    numbers = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in (one, other))
    return pa.float64() if numbers else pa.string()


def _values(column: pd.Series[Any], wanted: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_string(wanted):
        return pa.array([None if pd.isna(one) else str(one) for one in column], wanted)
    values: Any = pa.array(column, from_pandas=True)
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return values if values.type == wanted else values.cast(wanted)
