"""The npz files a foreign program reads: written once per dataset, beside it, by whichever trial comes first."""

from __future__ import annotations

import errno
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autodc.files import disk_problem, write_whole
from autodc.trial.trainer import TrainPart

Array = np.ndarray[Any, Any]

PART, INPUTS = "part.npz", "inputs.npz"
TAKEN = ("x", "y")


def part_file(part: TrainPart, out: Path) -> Path:
    """The npz of a training part: `x`, `y` and the metadata columns. In `out` where its folder cannot be written."""
    return _once(part.folder / PART, out / f"train-{part.name}.npz", lambda: _part_arrays(part))


def inputs_file(name: str, x: Array, out: Path) -> Path:
    """The npz of inputs to predict: `x` and nothing else. Beside the file the array maps, else in `out`."""
    stored = _file_of(x)
    spare = out / f"predict-{name}.npz"
    return _once(stored.with_name(INPUTS) if stored else spare, spare, lambda: {"x": np.asarray(x)})


def _part_arrays(part: TrainPart) -> dict[str, Array]:
    columns = {str(name): plain(part.metadata[name]) for name in part.metadata.columns if str(name) not in TAKEN}
    return {"x": np.asarray(part.x), "y": np.asarray(part.y), **columns}


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


def _once(wanted: Path, spare: Path, arrays: Callable[[], Mapping[str, Any]]) -> Path:
    """Write the file whole, unless it is there to its end; another writer's is the same."""
    for target in (wanted, spare):
        try:
            if not zipfile.is_zipfile(target):
                write_whole(target, lambda file: np.savez(file, **arrays()))
        except PermissionError:
            continue
        except OSError as error:
            raise disk_problem(error, str(target)) from error
        return target.resolve()
    raise disk_problem(PermissionError(errno.EACCES, "permission denied"), str(spare))


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
