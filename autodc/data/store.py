"""Datasets on disk as memory-mapped files, content-addressed: written once, shared by every process of a node."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from autodc import fingerprint
from autodc.data.dataset import Dataset
from autodc.errors import SurroundingsError
from autodc.files import sync

Array = np.ndarray[Any, Any]

INPUTS, TARGETS, METADATA = "x.npy", "y.npy", "metadata.parquet"
READ_ONLY = 0o444
"""Nobody who trains may write into what others train on."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@final
class DataStore:
    """A folder of datasets; several processes may write the same dataset into it at once."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)

    def put(self, dataset: Dataset) -> Path:
        """Store inputs, targets (unless sealed) and metadata; return their folder, named by the content."""

        def write(folder: Path) -> None:
            _save(folder / INPUTS, dataset.x)
            if dataset.y is not None:
                _save(folder / TARGETS, dataset.y)
            dataset.metadata.to_parquet(folder / METADATA)
            sync(folder / METADATA)
            (folder / METADATA).chmod(READ_ONLY)

        return self._put(dataset.fingerprint, write)

    def folder(self, content: str) -> Path:
        """Where the dataset of this fingerprint lies, once it was stored."""
        return self._folder / content

    def put_inputs(self, dataset: Dataset) -> Path:
        """Store the inputs alone; return their folder. Nothing in it tells targets or metadata."""
        return self._put(f"x-{fingerprint.of_array(dataset.x)}", lambda folder: _save(folder / INPUTS, dataset.x))

    def restore(self, dataset: Dataset, inputs_only: bool = False) -> bool:
        """Store a dataset again where what `put`, or `put_inputs`, stored is gone or damaged; say whether it was."""
        name = f"x-{fingerprint.of_array(dataset.x)}" if inputs_only else dataset.fingerprint
        folder = self._folder / name
        if _is_whole(folder, dataset, inputs_only):
            return False
        shutil.rmtree(folder, ignore_errors=True)
        _metadata.cache_clear()
        _ = self.put_inputs(dataset) if inputs_only else self.put(dataset)
        return True

    def _put(self, name: str, write: Callable[[Path], None]) -> Path:
        """Write to a temporary name, sync, rename; the first of several writers wins and all hold the same.

        Raises SurroundingsError ADC-DISK-001 where the disk is full, ADC-DISK-011 where it cannot be written.
        """
        final_path = self._folder / name
        if final_path.is_dir():
            return final_path
        temporary = self._folder / f".{name}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
        try:
            temporary.mkdir(parents=True)
            write(temporary)
            sync(temporary)
            _rename(temporary, final_path)
            sync(self._folder)
        except OSError as error:
            raise disk_problem(error, str(self._folder)) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return final_path


def open_part(path: str | os.PathLike[str]) -> tuple[Array, Array | None, pd.DataFrame]:
    """Open a stored dataset: inputs and targets memory-mapped read-only, metadata read once per process.

    Targets are None and metadata has no columns where the folder holds inputs alone.
    Raises SurroundingsError ADC-DISK-012 where the folder is gone or damaged.
    """
    folder = Path(path)
    try:
        x: Array = np.load(folder / INPUTS, mmap_mode="r", allow_pickle=False)
        y: Array | None = None
        if (folder / TARGETS).exists():
            y = np.load(folder / TARGETS, mmap_mode="r", allow_pickle=False)
        metadata = _metadata(str(folder)).copy(deep=False)
    except (OSError, ValueError) as error:
        hint = "delete the folder and run the same command again; the sources are read anew"
        raise SurroundingsError(
            "ADC-DISK-012", "a stored dataset cannot be read", str(folder), str(error), hint
        ) from None
    return x, y, metadata if len(metadata.columns) else pd.DataFrame(index=range(len(x)))


def disk_problem(error: OSError, place: str) -> SurroundingsError:
    """What the disk did, as an error that says what to do."""
    if error.errno in NO_ROOM:
        hint = "make room and run the same command again; it goes on where it stopped"
        return SurroundingsError("ADC-DISK-001", "the disk is full", place, error.strerror or "", hint)
    hint = "check the folder's permissions, then run the same command again"
    return SurroundingsError("ADC-DISK-011", "the disk cannot be written", place, str(error), hint)


def _is_whole(folder: Path, dataset: Dataset, inputs_only: bool) -> bool:
    """Whether every file is there and as long as its header says; contents are not read."""
    try:
        x = np.load(folder / INPUTS, mmap_mode="r", allow_pickle=False)
        whole = x.shape == dataset.x.shape and x.dtype == dataset.x.dtype
        if inputs_only:
            return bool(whole)
        targets = dataset.y is None or len(np.load(folder / TARGETS, mmap_mode="r", allow_pickle=False)) == len(x)
        return bool(whole and targets and len(pd.read_parquet(folder / METADATA)) == len(x))
    except (OSError, ValueError):
        return False


@lru_cache(maxsize=4096)
def _metadata(folder: str) -> pd.DataFrame:
    path = Path(folder) / METADATA
    return pd.read_parquet(path) if path.exists() else pd.DataFrame()


def _save(path: Path, array: Array) -> None:
    """Write as numpy.save would; its own write forgets why a disk refused."""
    data = np.ascontiguousarray(array)
    with path.open("wb") as file:
        np.lib.format.write_array_header_2_0(file, np.lib.format.header_data_from_array_1_0(data))
        file.write(data.reshape(-1).view(np.uint8).data)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(READ_ONLY)


def _rename(temporary: Path, final_path: Path) -> None:
    try:
        temporary.rename(final_path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not final_path.is_dir():
            raise
