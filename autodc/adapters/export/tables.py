"""Rows as Arrow has them, and the tables of them: Parquet and CSV, written a piece at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from autodc.adapters.export.parts import Part
from autodc.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]

TARGET = "target"
"""What the column of targets is called where the study does not say."""
MODES = {(): "L", (3,): "RGB", (4,): "RGBA"}
"""What stands behind height and width of pictures → their mode."""
SMALLEST = 4
"""Fewer pixels a side are no picture."""


@final
class Tables:
    """One or two tables of the same columns, written a piece at a time."""

    def __init__(self, lines: Path | None, exact: Path | None) -> None:
        self._paths, self._open = (lines, exact), list[Any]()

    def __enter__(self) -> Tables:
        return self

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        from pyarrow import csv, parquet

        if not self._open:
            lines, exact = self._paths
            self._open += [] if lines is None else [csv.CSVWriter(str(lines), table.schema)]
            self._open += [] if exact is None else [parquet.ParquetWriter(exact, table.schema)]
        for one in self._open:
            one.write_table(table)

    def __exit__(self, *error: object) -> None:
        for one in self._open:
            one.close()


def to_parquet(path: Path, pieces: Iterator[dict[str, Any]]) -> dict[str, pa.DataType]:
    """Write pieces as groups of rows; return the types of the columns."""
    import pyarrow as pa

    columns: dict[str, pa.DataType] = {}
    with Tables(None, path) as tables:
        for piece in pieces:
            table = pa.table(piece)
            columns = dict(zip(table.schema.names, table.schema.types, strict=True))
            tables.write(table)
    return columns


def targets_of(part: Part, rows: slice, names: Sequence[str]) -> dict[str, pa.Array]:
    """The targets of some rows, by column."""
    y = part.y[rows]
    if named_apart(y, names):
        return {name: lists(y[:, at]) for at, name in enumerate(names)}
    return {names[0]: lists(y)}


def named_apart(y: Array, names: Sequence[str]) -> bool:
    """Whether each number of a target has a column of its own."""
    return y.ndim == 2 and len(names) == y.shape[1] and len(names) > 1


def lists(values: Array) -> pa.Array:
    """An array as Arrow has it: of more than one axis as lists of one length."""
    import pyarrow as pa

    values = np.ascontiguousarray(values)
    flat = values.reshape(-1)
    if values.dtype.kind == "S":
        found: Any = pa.array([one.decode("utf-8") for one in flat], pa.string())
    elif values.dtype.kind in "OU":
        found = pa.array(flat.tolist())
    else:
        found = pa.array(flat)
    for size in reversed(values.shape[1:]):
        found = pa.FixedSizeListArray.from_arrays(found, size)
    return found


def survive_csv(y: Sequence[Array], names: Sequence[str]) -> bool:
    """Whether targets are read from CSV as what they were: the label 007 is a number there."""
    if any(one.ndim > 1 for one in y):
        return all(named_apart(one, names) or mode_of(one) is not None for one in y)
    known = np.unique(np.concatenate(y)) if y[0].dtype.kind in "OUSb" else y[0][:1]
    text = io.StringIO()
    pd.DataFrame({TARGET: known}).to_csv(text, index=False)
    text.seek(0)
    back = pd.read_csv(text)[TARGET].tolist()
    return bool(back == known.tolist()) and all(type(a) is type(b) for a, b in zip(back, known.tolist(), strict=True))


def mode_of(x: Array | Table) -> str | None:
    """The mode of pictures that are written without loss; None of what is none."""
    if isinstance(x, Table) or x.dtype != np.uint8 or x.ndim not in (3, 4) or min(x.shape[1:3]) < SMALLEST:
        return None
    return MODES.get(x.shape[3:])
