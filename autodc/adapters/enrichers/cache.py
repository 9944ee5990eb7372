"""What was measured is kept by content, so that it is measured once; of more than a few gigabytes the latest used."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
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

MOST_KEPT = 2 << 30
"""Bytes of attributes that are kept at most, and as many of embeddings: what was used last stays."""
LOOKS = 16
"""So often are a folder's files counted while as much is written as may be kept, and once in every process."""


def kept_frames(
    keys: Sequence[list[str]], make: Callable[[Sequence[int]], Iterable[tuple[int, pd.DataFrame]]]
) -> list[pd.DataFrame]:
    """The frames that these parts name: as they were kept, else made and kept.

    make: of the places of those that are not kept, each with its place as it is made. Where nothing can be kept, as on
    a full disk, they are made each time.
    """
    return _kept(
        [_path("attributes", parts, "parquet") for parts in keys],
        make,
        pd.read_parquet,
        lambda frame, file: frame.to_parquet(file, index=False),
    )


def kept_array(parts: list[str], make: Callable[[], Array]) -> Array:
    """The same of one array."""
    path = _path("embeddings", parts, "npy")
    return _kept([path], lambda places: ((place, make()) for place in places), _read_array, _write_array)[0]


def is_kept(parts: list[str]) -> bool:
    """Whether there is such an array."""
    return _path("embeddings", parts, "npy").exists()


def _path(what: str, parts: list[str], suffix: str) -> Path:
    return cache_folder(what) / f"{fingerprint.of(parts, kind=what)}.{suffix}"


def _kept(
    paths: Sequence[Path],
    make: Callable[[Sequence[int]], Iterable[tuple[int, Kept]]],
    read: Callable[[Path], Kept],
    write: Callable[[Kept, IO[bytes]], object],
) -> list[Kept]:
    found: dict[int, Kept] = {}
    for place, path in enumerate(paths):
        with suppress(OSError, ValueError):
            if path.exists():
                found[place] = read(path)
                os.utime(path)
    for place, made in make(missing) if (missing := [k for k in range(len(paths)) if k not in found]) else ():
        found[place] = made
        with suppress(OSError, ValueError):
            _keep(paths[place], made, write)
    return [found[place] for place in range(len(paths))]


_written: Counter[Path] = Counter()
"""Folder → bytes that this process has written there since its files were counted; looked at where there are any."""


def _keep(path: Path, made: Kept, write: Callable[[Kept, IO[bytes]], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent not in _written or _written[path.parent] > MOST_KEPT // LOOKS:
        _written[path.parent] = 0
        throw_away_unused(path.parent, MOST_KEPT)
    write_whole(path, lambda file: write(made, file))
    _written[path.parent] += path.stat().st_size


def _read_array(path: Path) -> Array:
    found: Array = np.load(path, allow_pickle=False)
    return found


def _write_array(array: Array, file: IO[bytes]) -> None:
    np.lib.format.write_array(file, array, allow_pickle=False)
