"""What was measured is kept by content, so that it is measured once."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autodc import fingerprint
from autodc.files import write_whole
from autodc.large import cache_folder

Array = np.ndarray[Any, Any]

KEPT_DAYS = 14.0
"""What nobody has used for so long is thrown away when something new is kept."""


def kept_frame(parts: list[str], make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """The frame that these parts name: as it was kept, else made and kept.

    Where nothing can be kept, as on a full disk, it is made each time.
    """
    path = _path("attributes", parts, "parquet")
    with contextlib.suppress(OSError, ValueError):
        if path.exists():
            found = pd.read_parquet(path)
            os.utime(path)
            return found
    frame = make()
    _keep(path, lambda file: frame.to_parquet(file, index=False))
    return frame


def kept_array(parts: list[str], make: Callable[[], Array]) -> Array:
    """The same of an array."""
    path = _path("embeddings", parts, "npy")
    with contextlib.suppress(OSError, ValueError):
        if path.exists():
            found: Array = np.load(path, allow_pickle=False)
            os.utime(path)
            return found
    array = make()
    _keep(path, lambda file: np.lib.format.write_array(file, array, allow_pickle=False))
    return array


def _path(what: str, parts: list[str], suffix: str) -> Path:
    return cache_folder(what) / f"{fingerprint.of(parts, kind=what)}.{suffix}"


def _keep(path: Path, write: Callable[[Any], object]) -> None:
    with contextlib.suppress(OSError, ValueError):
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.iterdir():
            with contextlib.suppress(OSError):
                if time.time() - old.stat().st_mtime > KEPT_DAYS * 86400:
                    old.unlink()
        write_whole(path, write)
