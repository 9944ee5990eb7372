"""Image files decoded for a training, once: what was decoded is kept by the content of the files, size and mode."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import numpy as np
from filelock import FileLock

from autodc import fingerprint
from autodc.adapters.pictures.decode import decoded, head
from autodc.adapters.pictures.many import quiet, stacked
from autodc.adapters.pictures.wish import Wish
from autodc.errors import AutodcError, DataError
from autodc.files import write_whole
from autodc.large import cache_folder, throw_away_unused
from autodc.table import CONTENT, PATH, Table

Array = np.ndarray[Any, Any]

VERSION = 1
"""Of how images are decoded: another one is another picture."""


def unlike(files: Table, wish: Wish) -> str:
    """Two files that this wish leaves unlike, by their heads, in words; empty where there are none."""
    first: tuple[str, object] | None = None
    with quiet():
        for path in files.texts():
            if (found := head(path)) is None:
                continue
            sides, mode = found
            kept = (None if wish.sides else sides, None if wish.mode else mode)
            if first is not None and first[1] != kept:
                return f"{first[0]} and {path}: {_shown(head(first[0]))} and {_shown(found)}"
            first = first or (path, kept)
    return ""


def _shown(found: tuple[tuple[int, int], str] | None) -> str:
    return f"{found[0][0]} × {found[0][1]} {found[1]}" if found else ""


def decoded_files(files: Table, wish: Wish, threads: int | None = None) -> Array:
    """Decode files. Raises DataError for what cannot be read, has changed, or is unlike the others; ten at most."""
    paths, contents = files.column(PATH).to_pylist(), files.column(CONTENT).to_pylist()

    def load(row: int) -> Array:
        try:
            with open(paths[row], "rb", buffering=0) as file:
                content = file.read()
        except OSError as error:
            raise DataError("ADC-DATA-002", "a file cannot be read", "", error.strerror or str(error)) from None
        if hashlib.sha256(content).hexdigest() != contents[row]:
            hint = "the study began with another; restore it, or begin anew in another --out"
            raise DataError("ADC-DATA-078", "a file has changed since it was read", "", "", hint)
        return decoded(content, wish).values

    def told(row: int, error: DataError) -> AutodcError:
        got = f"{paths[row]}: {error.got}" if error.got else str(paths[row])
        return DataError(error.code, error.problem, "inputs", got, error.hint)

    return stacked(len(files), load, told, threads)


def kept_files(files: Table, wish: Wish, threads: int | None = None) -> Array:
    """The same, memory-mapped from what an earlier training has decoded; the first of several decodes, all others wait.

    Where nothing can be kept, as on a full disk, it is decoded for this training alone.
    """
    content = files.column(CONTENT).to_pylist()
    name = fingerprint.of([VERSION, wish.model_dump(mode="json"), content], kind="decoded")
    path = cache_folder("decoded") / f"{name}.npy"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if not path.exists():
                array = decoded_files(files, wish, threads)
                throw_away_unused(path.parent)
                write_whole(path, lambda file: np.lib.format.write_array(file, array, allow_pickle=False))
        os.utime(path)
        kept: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return decoded_files(files, wish, threads)
    return kept
