"""The files that rows are written to: Parquet, pictures with a manifest, files with a manifest, or an .npz."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np
import pandas as pd
from pydantic import JsonValue

from autodc.adapters.export.arrays import pieces, write_arrays
from autodc.adapters.export.parts import Beside, Part
from autodc.large import IN_MEMORY
from autodc.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]
Kind = Literal["table", "vectors", "arrays", "images", "files"]

DATA, ARRAYS, ROWS = "data.parquet", "data.npz", "rows.parquet"
MANIFEST, EXACT = "manifest.csv", "manifest.parquet"
IMAGES, TARGETS, FILES = "images", "targets", "files"
PATH, TARGET, VECTOR = "path", "target", "x"
MODES = {(): "L", (3,): "RGB", (4,): "RGBA"}
"""What stands behind height and width of pictures → their mode."""
SMALLEST = 4
"""Fewer pixels a side are no picture."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How rows lie in the folder."""

    kind: Kind
    files: tuple[str, ...]
    """The files that hold or name the rows, the first with a line a row."""
    source: str
    """What a study file names as `source`, below the folder; empty: the folder itself."""
    options: Mapping[str, JsonValue]
    """With which a study reads it."""
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    """inputs, targets: columns; none where they are arrays of an .npz."""
    columns: Mapping[str, pa.DataType]
    """Of the first file."""
    pictures: str = ""
    """The folder of pictures or files that the first one names."""


def written(folder: Path, parts: Sequence[Part], options: Mapping[str, JsonValue]) -> Layout:
    """Write all rows into a folder, a piece at a time. options: of the base. Raises OSError as the system does."""
    x, y = parts[0].data.x, parts[0].y
    wish = options.get("target") or TARGET
    targets = tuple(str(name) for name in wish) if isinstance(wish, list) else (str(wish),)
    kept = {key: str(options[key]) for key in ("group", "time", "id") if options.get(key)}
    if isinstance(x, Table):
        return (_write_files if x.kind == "files" else _write_table)(folder, parts, targets, kept)
    pictures = _mode(x) is not None and (y.ndim == 1 or _mode(y) is not None)
    if pictures:
        return _write_files(folder, parts, targets, kept)
    vectors = x.ndim == 2 and x.dtype.itemsize > (x.dtype.kind == "f") * 2 and y.ndim <= 2
    if vectors and sum(int(part.data.x.nbytes) for part in parts) <= IN_MEMORY:
        return _write_table(folder, parts, targets, kept)
    return _write_arrays(folder, parts, targets, kept)


def _write_table(folder: Path, parts: Sequence[Part], targets: tuple[str, ...], kept: Mapping[str, str]) -> Layout:
    """Parquet: a column an input, or the inputs as one column of lists."""
    x = parts[0].data.x
    inputs = x.names if isinstance(x, Table) else (VECTOR,)
    beside = Beside(parts, (*inputs, *targets), {} if isinstance(x, Table) else {VECTOR: f"source_{VECTOR}"})
    rows = (
        {**_inputs(part, rows), **_targets(part, rows, targets), **beside.columns(part, rows)}
        for part, rows in pieces(parts)
    )
    columns = _to_parquet(folder / DATA, rows)
    options: dict[str, JsonValue] = {}
    if isinstance(x, Table) and x.kind == "text":
        options["text"] = inputs[0]
    else:
        options["features"] = list(inputs)
    if isinstance(x, Table) and x.kind == "table":
        named: dict[str, JsonValue] = {
            n: kind for n, kind in x.schema.items() if kind in ("category", "text", "boolean")
        }
        options |= {"types": named} if named else {}
    return Layout(
        kind="table" if isinstance(x, Table) else "vectors",
        files=(DATA,),
        source=DATA,
        options={**options, **_target(targets), **_still(kept, beside)},
        inputs=inputs,
        targets=targets,
        columns=columns,
    )


def _write_arrays(folder: Path, parts: Sequence[Part], targets: tuple[str, ...], kept: Mapping[str, str]) -> Layout:
    """An .npz, and beside it a table of all that is known of its rows."""
    beside = Beside(parts, ("x", "y"), {name: f"source_{name}" for name in ("x", "y")})
    single = parts[0].y.ndim == 1
    write_arrays(folder / ARRAYS, parts, beside)
    rows = (
        {**(_targets(part, rows, targets) if single else {}), **beside.columns(part, rows)}
        for part, rows in pieces(parts)
    )
    columns = _to_parquet(folder / ROWS, rows)
    return Layout(
        kind="arrays",
        files=(ROWS, ARRAYS),
        source=ARRAYS,
        options=_still(kept, beside),
        inputs=(),
        targets=targets if single else (),
        columns=columns,
    )


def _write_files(folder: Path, parts: Sequence[Part], targets: tuple[str, ...], kept: Mapping[str, str]) -> Layout:
    """A file a row and a manifest; where labels would not come back from CSV as they are, also one in Parquet."""
    import pyarrow as pa

    x, y = parts[0].data.x, parts[0].y
    into = FILES if isinstance(x, Table) else IMAGES
    beside = Beside(parts, (PATH, *targets), {PATH: f"source_{PATH}"})
    is_exact = _survive_csv([part.y for part in parts], targets)
    manifest = None if is_exact else folder / EXACT
    columns: dict[str, pa.DataType] = {}
    has_lists = y.ndim > 1 and not _named_apart(y, targets) and _mode(y) is None
    with _Tables(None if has_lists else folder / MANIFEST, manifest) as tables:
        for part, rows in pieces(parts):
            (folder / into / part.name).mkdir(parents=True, exist_ok=True)
            paths = [_put(folder, into, part.name, part.data.x, at) for at in range(rows.start, rows.stop)]
            if _mode(y) is not None:
                (folder / TARGETS / part.name).mkdir(parents=True, exist_ok=True)
                answers = [_put(folder, TARGETS, part.name, part.y, at) for at in range(rows.start, rows.stop)]
                of_targets = {targets[0]: pa.array(answers, pa.string())}
            else:
                of_targets = _targets(part, rows, targets)
            table = pa.table({PATH: pa.array(paths, pa.string()), **of_targets, **beside.columns(part, rows)})
            columns = dict(zip(table.schema.names, table.schema.types, strict=True))
            tables.write(table)
    mode: dict[str, JsonValue] = {} if isinstance(x, Table) else {"mode": _mode(x)}
    files = tuple(name for name in (MANIFEST, EXACT) if (folder / name).exists())
    return Layout(
        kind="files" if isinstance(x, Table) else "images",
        files=files,
        source="",
        options={**mode, **_target(targets), **_still(kept, beside)},
        inputs=(PATH,),
        targets=targets,
        columns=columns,
        pictures=into,
    )


@final
class _Tables:
    """One or two tables of the same columns, written a piece at a time."""

    def __init__(self, lines: Path | None, exact: Path | None) -> None:
        self._paths, self._open = (lines, exact), list[Any]()

    def __enter__(self) -> _Tables:
        return self

    def write(self, table: pa.Table) -> None:
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


def _to_parquet(path: Path, pieces: Iterator[dict[str, Any]]) -> dict[str, pa.DataType]:
    """Write pieces as groups of rows; return the types of the columns."""
    import pyarrow as pa

    columns: dict[str, pa.DataType] = {}
    with _Tables(None, path) as tables:
        for piece in pieces:
            table = pa.table(piece)
            columns = dict(zip(table.schema.names, table.schema.types, strict=True))
            tables.write(table)
    return columns


def _inputs(part: Part, rows: slice) -> dict[str, Any]:
    x = part.data.x[rows]
    return {name: x.column(name) for name in x.names} if isinstance(x, Table) else {VECTOR: _lists(x)}


def _targets(part: Part, rows: slice, names: Sequence[str]) -> dict[str, pa.Array]:
    y = part.y[rows]
    if _named_apart(y, names):
        return {name: _lists(y[:, at]) for at, name in enumerate(names)}
    return {names[0]: _lists(y)}


def _named_apart(y: Array, names: Sequence[str]) -> bool:
    """Whether each number of a target has a column of its own."""
    return y.ndim == 2 and len(names) == y.shape[1] and len(names) > 1


def _lists(values: Array) -> pa.Array:
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


def _put(folder: Path, into: str, name: str, x: Any, row: int) -> str:
    """Write one picture, or copy one file; return its path below the folder."""
    if isinstance(x, Table):
        of = x[row : row + 1].texts()[0]
        path = f"{into}/{name}/{row:07d}{Path(of).suffix}"
        shutil.copyfile(of, folder / path)
        return path
    from PIL import Image

    path = f"{into}/{name}/{row:07d}.png"
    Image.fromarray(np.ascontiguousarray(x[row])).save(folder / path, compress_level=1)
    return path


def _mode(x: Array | Table) -> str | None:
    """The mode of pictures that are written without loss; None of what is none."""
    if isinstance(x, Table) or x.dtype != np.uint8 or x.ndim not in (3, 4) or min(x.shape[1:3]) < SMALLEST:
        return None
    return MODES.get(x.shape[3:])


def _survive_csv(y: Sequence[Array], names: Sequence[str]) -> bool:
    """Whether targets are read from CSV as what they were: the label 007 is a number there."""
    if any(one.ndim > 1 for one in y):
        return all(_named_apart(one, names) or _mode(one) is not None for one in y)
    known = np.unique(np.concatenate(y)) if y[0].dtype.kind in "OUSb" else y[0][:1]
    text = io.StringIO()
    pd.DataFrame({TARGET: known}).to_csv(text, index=False)
    text.seek(0)
    back = pd.read_csv(text)[TARGET].tolist()
    return bool(back == known.tolist()) and all(type(a) is type(b) for a, b in zip(back, known.tolist(), strict=True))


def _target(names: Sequence[str]) -> dict[str, JsonValue]:
    if len(names) > 1:
        return {"target": list(names)}
    return {} if names[0] == TARGET else {"target": names[0]}


def _still(kept: Mapping[str, str], beside: Beside) -> dict[str, JsonValue]:
    """The options that name columns of metadata, as these are called now."""
    return {key: beside.renamed.get(name, name) for key, name in kept.items() if name in beside.renamed}
