"""Where things lie that can be made again, and arrays that do not fit in memory."""

from __future__ import annotations

import errno
import math
import mmap
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from autodc.files import disk_told

Array = np.ndarray[Any, Any]

IN_MEMORY = 256 << 20
"""Bytes up to which an array is kept in memory."""
ROOM_LEFT = 64 << 20
"""Bytes that stay free on the disk."""


def cache_folder(what: str) -> Path:
    """Where things of one kind lie that can be made again: copies of remote files, decoded images."""
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "autodc" / what


def room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array to fill: in memory, or where it is large in a file that goes with the last who holds it.

    Raises SurroundingsError ADC-DISK-001 where the disk has no room for it.
    """
    size = math.prod(shape) * dtype.itemsize
    if size <= IN_MEMORY:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, buffer=_unnamed(size))


def _unnamed(size: int) -> mmap.mmap:
    """Memory-mapped bytes of a file without a name; the disk has set them aside, so that no write can fail later."""
    folder = cache_folder("large")
    with disk_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < size + ROOM_LEFT:
            told = f"{size / 1e9:,.3g} GB are needed for rows that do not fit in memory, {free / 1e9:,.3g} GB are free"
            raise OSError(errno.ENOSPC, told)
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, size)
            return mmap.mmap(file.fileno(), size)
