"""What was measured is kept by content, so that it is measured once."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import pandas as pd

from autodc import fingerprint
from autodc.files import write_whole
from autodc.large import cache_folder, throw_away_unused

Array = np.ndarray[Any, Any]
Kept = TypeVar("Kept", pd.DataFrame, Array)


def kept_frame(parts: list[str], make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """The frame that these parts name: as it was kept, else made and kept.

    Where nothing can be kept, as on a full disk, it is made each time.
    """
    path = _path("attributes", parts, "parquet")
    return _kept(path, make, pd.read_parquet, lambda frame, file: frame.to_parquet(file, index=False))


def kept_array(parts: list[str], make: Callable[[], Array]) -> Array:
    """The same of an array."""
    return _kept(_path("embeddings", parts, "npy"), make, _read_array, _write_array)


def _path(what: str, parts: list[str], suffix: str) -> Path:
    return cache_folder(what) / f"{fingerprint.of(parts, kind=what)}.{suffix}"


def _kept(
    path: Path, make: Callable[[], Kept], read: Callable[[Path], Kept], write: Callable[[Kept, IO[bytes]], object]
) -> Kept:
    with suppress(OSError, ValueError):
        if path.exists():
            found = read(path)
            os.utime(path)
            return found
    made = make()
    with suppress(OSError, ValueError):
        path.parent.mkdir(parents=True, exist_ok=True)
        throw_away_unused(path.parent)
        write_whole(path, lambda file: write(made, file))
    return made


def _read_array(path: Path) -> Array:
    found: Array = np.load(path, allow_pickle=False)
    return found


def _write_array(array: Array, file: IO[bytes]) -> None:
    np.lib.format.write_array(file, array, allow_pickle=False)
