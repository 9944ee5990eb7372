"""What a generator gives as inputs, as the base has them: its shape, types and columns; anything else is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autodc.table import Inputs, Table
from autodc.trial.call import CallError

Array = np.ndarray[Any, Any]


def as_inputs(x: Any, like: Inputs, place: str, out: Path | None = None) -> Inputs:
    """Inputs that were made as the base has them. out: where pictures that are arrays go, where inputs are files.

    Raises CallError ADC-PROP-018, 019.
    """
    if not isinstance(like, Table):
        return _array(x, like, place)
    if isinstance(x, Table):
        x = x.for_estimator()
    if like.kind == "table":
        return _columns(x, like, place)
    items = list(x)
    if like.kind == "text":
        if odd := [type(one).__name__ for one in items if not isinstance(one, str)]:
            raise _other(place, f"a {odd[0]} among texts", "give a list of texts")
        return Table.of_texts(items)
    return _files(items, place, out)


def _array(x: Any, like: Array, place: str) -> Array:
    try:
        found = np.asarray(x)
    except ValueError as error:
        raise _other(place, str(error), f"rows of shape {like.shape[1:]}") from None
    if found.shape[1:] != like.shape[1:] or found.dtype.kind not in "fiub":
        raise _other(place, f"{found.dtype} of shape {found.shape[1:]} a row", f"{like.dtype} of {like.shape[1:]}")
    kind = like.dtype.kind
    if kind == "f":
        bad = ~np.isfinite(found.astype(np.float64)).reshape(len(found), -1).all(axis=1)
        if bad.any() and np.isfinite(np.asarray(like[: len(found)])).all():
            got = f"{int(bad.sum())} of {len(found)} rows (row {int(np.flatnonzero(bad)[0])})"
            problem = "a generator gives inputs that are NaN or infinite where the base has none"
            raise CallError("ADC-PROP-019", problem, place, got, "give finite numbers")
        return found.astype(like.dtype)
    ends = (0, 1) if kind == "b" else (np.iinfo(like.dtype).min, np.iinfo(like.dtype).max)
    whole = found.dtype.kind in "iub" or bool(np.all(found == np.round(found)))
    if not whole or found.min(initial=ends[1]) < ends[0] or found.max(initial=ends[0]) > ends[1]:
        got = f"{found.dtype} from {found.min(initial=0):g} to {found.max(initial=0):g}"
        raise _other(place, got, f"whole numbers from {ends[0]} to {ends[1]}, as the base ({like.dtype}) has them")
    return found.astype(like.dtype)


def _columns(x: Any, like: Table, place: str) -> Table:
    import pyarrow as pa

    frame = x if isinstance(x, pd.DataFrame) else None
    if frame is None and isinstance(x, Mapping):
        frame = pd.DataFrame(dict(x))
    if frame is None and (array := np.asarray(x)).ndim == 2 and array.shape[1] == len(like.names):
        frame = pd.DataFrame(array, columns=list(like.names))
    if frame is None or (missing := [name for name in like.names if name not in frame.columns]):
        got = "no columns" if frame is None else f"no column {', '.join(missing)}"
        raise _other(place, got, f"give a DataFrame with the columns {', '.join(like.names)}")
    if extra := [str(name) for name in frame.columns if name not in like.names]:
        raise _other(place, f"columns {', '.join(extra)}", "what is no input of the base goes into the metadata")
    try:
        found = Table.of("table", frame[list(like.names)].reset_index(drop=True), like.types)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        types = ", ".join(f"{name} {kind}" for name, kind in like.schema.items())
        raise _other(place, str(error).splitlines()[0], f"columns of these types: {types}") from None
    gaps = [n for n in like.names if found.column(n).null_count and not like.column(n).null_count]
    if gaps:
        problem = "a generator gives inputs that are NaN or infinite where the base has none"
        raise CallError(
            "ADC-PROP-019", problem, place, f"missing values in {', '.join(gaps)}", "give every row a value"
        )
    return found


def _files(items: Sequence[Any], place: str, out: Path | None) -> Table:
    from PIL import Image

    paths, digests = [], []
    for one in items:
        if isinstance(one, str | Path):
            path = Path(one).absolute()
            if not path.is_file():
                raise _other(place, f"{one}, which is no file", "give paths of files, or pictures as arrays of bytes")
        else:
            pixels = np.asarray(one)
            if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or out is None:
                got = f"a picture of {pixels.dtype} and shape {pixels.shape}"
                raise _other(place, got, "give uint8 of (height, width) or (height, width, 3)")
            name = hashlib.sha256(pixels.tobytes() + repr(pixels.shape).encode()).hexdigest()[:32]
            path = (out / f"{name}.png").absolute()
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.ascontiguousarray(pixels.squeeze())).save(path)
        paths.append(str(path))
        digests.append(hashlib.sha256(path.read_bytes()).hexdigest())
    return Table.of_files(paths, digests)


def _other(place: str, got: str, hint: str) -> CallError:
    return CallError("ADC-PROP-018", "a generator gives other inputs than the base has", place, got, hint)
