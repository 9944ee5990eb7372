"""The files that rows are written to: Parquet, pictures with a manifest, files with a manifest, or an .npz."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np
from pydantic import JsonValue

from autodc.adapters.export.arrays import pieces, write_arrays
from autodc.adapters.export.parts import Beside, Part
from autodc.adapters.export.tables import (
    TARGET,
    Tables,
    lists,
    mode_of,
    named_apart,
    survive_csv,
    targets_of,
    to_parquet,
)
from autodc.large import IN_MEMORY
from autodc.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]
LayoutKind = Literal["table", "vectors", "arrays", "images", "files"]

DATA, ARRAYS, ROWS = "data.parquet", "data.npz", "rows.parquet"
MANIFEST, EXACT = "manifest.csv", "manifest.parquet"
IMAGES, TARGETS, FILES = "images", "targets", "files"
PATH, VECTOR = "path", "x"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How rows lie in the folder."""

    kind: LayoutKind
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
    pictures = mode_of(x) is not None and (y.ndim == 1 or mode_of(y) is not None)
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
        {**_inputs(part, rows), **targets_of(part, rows, targets), **beside.columns(part, rows)}
        for part, rows in pieces(parts)
    )
    columns = to_parquet(folder / DATA, rows)
    options: dict[str, JsonValue] = {}
    if isinstance(x, Table) and x.kind == "text":
        options["text"] = inputs[0]
    else:
        options["features"] = list(inputs)
    if isinstance(x, Table) and x.kind == "table":
        doubtful = {name: kind for name, kind in x.schema.items() if _is_doubtful(name, kind, parts)}
        options |= {"types": dict(doubtful)} if doubtful else {}
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
        {**(targets_of(part, rows, targets) if single else {}), **beside.columns(part, rows)}
        for part, rows in pieces(parts)
    )
    columns = to_parquet(folder / ROWS, rows)
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
    is_exact = survive_csv([part.y for part in parts], targets)
    manifest = None if is_exact else folder / EXACT
    columns: dict[str, pa.DataType] = {}
    has_lists = y.ndim > 1 and not named_apart(y, targets) and mode_of(y) is None
    with Tables(None if has_lists else folder / MANIFEST, manifest) as tables:
        for part, rows in pieces(parts):
            (folder / into / part.name).mkdir(parents=True, exist_ok=True)
            paths = [_put(folder, into, part.name, part.data.x, at) for at in range(rows.start, rows.stop)]
            if mode_of(y) is not None:
                (folder / TARGETS / part.name).mkdir(parents=True, exist_ok=True)
                answers = [_put(folder, TARGETS, part.name, part.y, at) for at in range(rows.start, rows.stop)]
                of_targets = {targets[0]: pa.array(answers, pa.string())}
            else:
                of_targets = targets_of(part, rows, targets)
            table = pa.table({PATH: pa.array(paths, pa.string()), **of_targets, **beside.columns(part, rows)})
            columns = dict(zip(table.schema.names, table.schema.types, strict=True))
            tables.write(table)
    mode: dict[str, JsonValue] = {} if isinstance(x, Table) else {"mode": mode_of(x)}
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


def _inputs(part: Part, rows: slice) -> dict[str, Any]:
    x = part.data.x[rows]
    return {name: x.column(name) for name in x.names} if isinstance(x, Table) else {VECTOR: lists(x)}


def _is_doubtful(name: str, kind: str, parts: Sequence[Part]) -> bool:
    """Whether a column might be read as one of another type: words are names or text, whole numbers may be decimal."""
    if kind != "number":
        return kind in ("category", "text", "boolean")
    for part, rows in pieces(parts):
        x = part.data.x
        values = x.column(name)[rows].to_numpy() if isinstance(x, Table) else np.zeros(0)
        known = values[np.isfinite(values)]
        if not np.array_equal(known, np.round(known)):
            return False
    return True


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


def _target(names: Sequence[str]) -> dict[str, JsonValue]:
    if len(names) > 1:
        return {"target": list(names)}
    return {} if names[0] == TARGET else {"target": names[0]}


def _still(kept: Mapping[str, str], beside: Beside) -> dict[str, JsonValue]:
    """The options that name columns of metadata, as these are called now."""
    return {key: beside.renamed.get(name, name) for key, name in kept.items() if name in beside.renamed}
