"""The files that a foreign program reads: written once per dataset, beside it, by whichever trial comes first.

Arrays are npz; tables, texts and paths of files are Parquet, written a piece at a time.
"""

from __future__ import annotations

import errno
import json
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from autodc import fingerprint
from autodc.files import disk_problem, write_whole
from autodc.program import ABOUT, TARGET
from autodc.table import Inputs, Table
from autodc.trial.outputs import TrainerError
from autodc.trial.trainer import TrainPart
from autodc.values import written

Array = np.ndarray[Any, Any]
Format = Literal["npz", "parquet"]

PIECE_ROWS = 65_536
"""Rows of a table that are written at once."""


@final
@dataclass(frozen=True, slots=True)
class Written:
    """A file for the program."""

    path: Path
    format: Format


def part_file(part: TrainPart, out: Path) -> Written:
    """The file of a training part: inputs, `y` and the metadata columns. In `out` where its folder cannot be written.

    Raises TrainerError ADC-TRAIN-084 for an input column that is called as the targets are.
    """
    x, y, metadata = part.x, written(part.y), part.metadata
    kept, spare = part.folder / "part", out / f"train-{part.name}"
    if not isinstance(x, Table):
        return _once("npz", kept, spare, lambda file: np.savez(file, **_part_arrays(x, y, metadata)))  # type: ignore[arg-type]
    if TARGET in x.names:
        hint = "rename the column, or choose the inputs by options: {features: [...]}"
        problem = f"an input column is called {TARGET}, as the targets are in the files of a program"
        raise TrainerError("ADC-TRAIN-084", problem, part.name, TARGET, hint)
    return _once("parquet", _for_paths(kept, x), spare, lambda file: _write_part(file, x, y, metadata))


def inputs_file(name: str, x: Inputs, out: Path) -> Written:
    """The file of inputs to predict: these and nothing else. Beside the file that they map, else in `out`."""
    spare = out / f"predict-{name}"
    if isinstance(x, Table):
        kept = _for_paths(Path(x.file).with_name("inputs"), x) if x.file else spare
        return _once("parquet", kept, spare, lambda file: _write_parquet(file, x, ()))
    mapped = _file_of(x)
    kept = mapped.with_name("inputs") if mapped else spare
    return _once("npz", kept, spare, lambda file: np.savez(file, x=np.asarray(x)))


def _for_paths(kept: Path, x: Table) -> Path:
    """Files that name files are of the folder where these lie: whatever moves has others written."""
    if x.kind != "files":
        return kept
    where = {os.path.dirname(path) for path in x.texts()}
    return kept.with_name(f"{kept.name}-{fingerprint.of(sorted(where), kind='folders')[:12]}")


def plain(column: pd.Series[Any]) -> Array:
    """A metadata column as an array that needs no pickle: numbers and truth values as they are, all else as text."""
    array = np.asarray(column.to_numpy())
    if array.dtype.kind in "fiubUS":
        return array
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.array(
        ["" if missing else str(value) for value, missing in zip(column, column.isna(), strict=True)], dtype=np.str_
    )


def _part_arrays(x: Inputs, y: Array, metadata: pd.DataFrame) -> dict[str, Array]:
    columns = {str(name): plain(metadata[name]) for name in metadata.columns if str(name) not in ("x", TARGET)}
    return {"x": np.asarray(x), TARGET: np.asarray(y), **columns}


def _write_part(file: IO[bytes], x: Table, y: Array, metadata: pd.DataFrame) -> None:
    known = {*x.names, TARGET}
    others = [(str(n), pa.Array.from_pandas(metadata[n])) for n in metadata.columns if str(n) not in known]
    _write_parquet(file, x, [(TARGET, y), *others])


def _write_parquet(file: IO[bytes], x: Table, more: Sequence[tuple[str, Any]]) -> None:
    """Write inputs, and columns beside them, a piece at a time. more: name and values, Arrow's or an array."""
    names = [*x.names, *(name for name, _ in more)]
    about = {ABOUT: json.dumps({"inputs": x.kind, "columns": list(x.names)})}

    def piece(start: int) -> pa.Table:
        rows = slice(start, start + PIECE_ROWS)
        inputs = x[rows].arrow.select(x.names).columns
        return pa.Table.from_arrays([*inputs, *(_column(values[rows]) for _, values in more)], names, metadata=about)

    with pq.ParquetWriter(file, piece(len(x)).schema) as writer:
        for start in range(0, len(x), PIECE_ROWS):
            writer.write_table(piece(start))


def _column(values: Any) -> pa.Array:
    """Values as one column; of an array with more axes lists of a fixed length, at any depth."""
    if isinstance(values, pa.Array):
        return values
    column = pa.array(np.ascontiguousarray(values).reshape(-1))
    for size in reversed(values.shape[1:]):
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return column


def _once(form: Format, kept: Path, spare: Path, write: Callable[[IO[bytes]], object]) -> Written:
    """Write the file whole, unless it is there to its end; another writer's is the same."""
    for target in (kept.with_name(f"{kept.name}.{form}"), spare.with_name(f"{spare.name}.{form}")):
        try:
            if not _is_whole(target, form):
                write_whole(target, write)
        except PermissionError:
            continue
        except OSError as error:
            raise disk_problem(error, str(target)) from error
        return Written(target.resolve(), form)
    raise disk_problem(PermissionError(errno.EACCES, "permission denied"), str(spare))


def _is_whole(path: Path, form: Format) -> bool:
    if form == "npz":
        return zipfile.is_zipfile(path)
    try:
        return bool(pq.read_metadata(path).num_columns)
    except (OSError, pa.ArrowException):
        return False


def _file_of(x: Array) -> Path | None:
    """The npy file that an array maps from first byte to last, or None."""
    mapped: Any = x
    while not isinstance(mapped, np.memmap) and isinstance(getattr(mapped, "base", None), np.ndarray):
        mapped = mapped.base
    filename = getattr(mapped, "filename", None)
    if filename is None or not x.flags.c_contiguous:
        return None
    whole = mapped.offset + x.nbytes == os.path.getsize(filename) and x.nbytes == mapped.nbytes
    return Path(filename) if whole else None
