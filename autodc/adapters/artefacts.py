"""The store of what a study makes and trains on, named by content: arrays in a file, datasets in memory-mapped folders.

Everything is there whole or not at all, and is verified when it is read: arrays each time, the files of a folder once
per process. Several processes may write the same content at once.
"""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, final

import numpy as np
import pandas as pd

from autodc import fingerprint
from autodc.adapters.journal_file import JOURNAL
from autodc.data.columns import where_they_lie
from autodc.data.dataset import Dataset
from autodc.data.hashing import content_of
from autodc.errors import ArtefactLost, SurroundingsError
from autodc.files import (
    DIGESTS,
    READ_ONLY,
    damage,
    disk_told,
    fill_whole,
    stamps,
    take_away,
    tidy_left_over,
    write_whole,
)
from autodc.large import CHUNK, taken
from autodc.table import Inputs, Table
from autodc.trial import order

Array = np.ndarray[Any, Any]

INPUTS, COLUMNS, TARGETS, METADATA = "x.npy", "x.arrow", "y.npy", "metadata.parquet"
JOINED = "datasets"
"""Below the folder of a study: what joined while it ran, which nothing else holds."""
MAPPED = "metadata.arrow"
"""The same as METADATA, where that is large."""
IN_PARQUET = 4 << 20
"""Bytes of metadata up to which they are read from Parquet, into the memory of every training."""


def address_of(arrays: Mapping[str, Array]) -> str:
    """The content address of named arrays; their order does not matter."""
    return fingerprint.of_parts("arrays", [(name, fingerprint.of_array(array)) for name, array in arrays.items()])


@final
class ArtefactStore:
    """Keeps `<folder>/<address>.npz` and `<folder>/<fingerprint>/`. Nothing is created before the first `put`."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder).absolute()
        self._tidied = False

    def put(self, arrays: Mapping[str, Array]) -> str:
        """Store arrays durably and return their address.

        Raises SurroundingsError ADC-DISK-001 where the disk is full, ADC-DISK-011 where it cannot be written.
        """
        stored = {name: _storable(array) for name, array in arrays.items()}
        address = address_of(stored)
        path = self._path(address)
        with disk_told(path):
            self._tidy()
            if not (path.exists() and _intact(path, address)):
                write_whole(path, lambda file: _write_npz(file, stored))
        return address

    def get(self, address: str) -> Mapping[str, Array]:
        """Return the arrays of an address. Raises ArtefactLost where they are lost or damaged."""
        path = self._path(address)
        try:
            arrays = _load(path)
        except _UNREADABLE as error:
            raise _lost(address, path, str(error)) from error
        if (found := address_of(arrays)) != address:
            raise _lost(address, path, f"content {found[:12]}")
        return arrays

    def drop(self, address: str) -> None:
        """Delete the arrays of an address, where they are there."""
        with contextlib.suppress(OSError):
            self._path(address).unlink(missing_ok=True)

    @property
    def path(self) -> Path:
        """The folder of all of it."""
        return self._folder

    def folder(self, content: str) -> Path:
        """Where the dataset of this fingerprint lies, once it was stored."""
        return self._folder / content

    def put_dataset(self, dataset: Dataset, inputs_only: bool = False, mixed: int | None = None) -> Path:
        """Store inputs, targets (unless sealed) and metadata; return their folder.

        inputs_only: the inputs and nothing that tells of targets or metadata; mixed: the seed of an order that tells
        nothing either, of inputs only. Raises SurroundingsError as `put` does.
        """
        folder = self._folder_of(dataset, inputs_only, mixed)
        if folder.is_dir() and _moved(folder, dataset.x, mixed):
            take_away(folder)
        if not folder.is_dir():
            with disk_told(self._folder):
                self._tidy()
                fill_whole(folder, lambda path: _write_dataset(path, dataset, inputs_only, mixed))
        return folder

    def restore(self, dataset: Dataset, inputs_only: bool = False, mixed: int | None = None) -> bool:
        """Store a dataset again where its folder is gone or damaged; say whether it was. mixed: as `put_dataset`."""
        folder = self._folder_of(dataset, inputs_only, mixed)
        if not damage(folder) and _fits(folder, dataset, inputs_only):
            return False
        with disk_told(folder):
            take_away(folder)
        self.put_dataset(dataset, inputs_only, mixed)
        return True

    def _folder_of(self, dataset: Dataset, inputs_only: bool, mixed: int | None) -> Path:
        if not inputs_only:
            return self.folder(dataset.fingerprint)
        return self.folder(f"x-{content_of(dataset.x)}{'' if mixed is None else f'-{mixed}'}")

    def _path(self, address: str) -> Path:
        return self._folder / f"{address}.npz"

    def _tidy(self) -> None:
        if not self._tidied and self._folder.is_dir():
            tidy_left_over(self._folder)
        self._tidied = True


def open_part(path: str | os.PathLike[str]) -> tuple[Inputs, Array | None, pd.DataFrame]:
    """Open a stored dataset: inputs and targets memory-mapped read-only, metadata read once per process.

    Targets are None and metadata has no columns where the folder holds inputs alone.
    Raises SurroundingsError ADC-DISK-012 where the folder is gone or damaged, or was put in place again meanwhile.
    """
    folder = Path(path)
    seen = stamps(folder)
    if found := damage(folder):
        raise _unreadable(folder, found)
    try:
        x = _open_inputs(folder)
        y: Array | None = None
        if (folder / TARGETS).exists():
            y = np.load(folder / TARGETS, mmap_mode="r", allow_pickle=False)
        metadata = _metadata(str(folder), seen.get(METADATA), seen.get(MAPPED)).copy(deep=False)
    except (OSError, EOFError, ValueError, KeyError) as error:  # Arrow's own are ValueErrors too
        raise _unreadable(folder, str(error)) from None
    if not seen or stamps(folder) != seen:  # nothing seen: it was away, came, and may be away again
        raise _unreadable(folder, "it changed while it was opened")
    return x, y, metadata if len(metadata.columns) else pd.DataFrame(index=range(len(x)))


_UNREADABLE = (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError)


def _storable(array: Array) -> Array:
    array = np.asarray(array)
    return array.astype(str) if array.dtype.kind == "O" else array


def _load(path: Path) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _intact(path: Path, address: str) -> bool:
    try:
        return address_of(_load(path)) == address
    except _UNREADABLE:
        return False


def _write_npz(file: IO[bytes], arrays: Mapping[str, Array]) -> None:
    """Write as numpy.savez would. Bytes (hits, JSON texts) are compressed; decimal numbers would gain little."""
    with zipfile.ZipFile(file, "w", compresslevel=1) as archive:
        for name, array in arrays.items():
            small = array.dtype.itemsize == 1 or array.dtype.kind == "S"
            archive.compression = zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _write_dataset(folder: Path, dataset: Dataset, inputs_only: bool, mixed: int | None) -> None:
    """Write read-only files: nobody who trains may write into what others train on."""
    x = dataset.x if mixed is None else taken(dataset.x, order.mixed(len(dataset.x), mixed))
    if isinstance(x, Table):
        x.write(folder / COLUMNS)
    else:
        _write_npy(folder / INPUTS, x)
    if not inputs_only:
        if dataset.y is not None:
            _write_npy(folder / TARGETS, dataset.y)
        _write_metadata(folder, dataset.metadata.drop(columns=list(dataset.features), errors="ignore"))
    for path in folder.iterdir():
        path.chmod(READ_ONLY)


def _write_metadata(folder: Path, metadata: pd.DataFrame) -> None:
    """Write a Parquet file; a large table also as one that can be memory-mapped."""
    if sum(metadata.memory_usage(index=False)) <= IN_PARQUET:
        table = io.BytesIO()
        metadata.to_parquet(table)
        (folder / METADATA).write_bytes(table.getbuffer())
        return
    import pyarrow as pa
    from pyarrow import parquet

    columns = pa.Table.from_pandas(metadata)
    parquet.write_table(columns, folder / METADATA, row_group_size=CHUNK)
    with pa.OSFile(str(folder / MAPPED), "wb") as file, pa.ipc.new_file(file, columns.schema) as writer:
        writer.write_table(columns, CHUNK)


def _open_inputs(folder: Path) -> Inputs:
    """Inputs memory-mapped, read-only."""
    if (folder / COLUMNS).exists():
        return Table.open(folder / COLUMNS).placed(folder)
    x: Array = np.load(folder / INPUTS, mmap_mode="r", allow_pickle=False)
    return x


def _write_npy(path: Path, array: Array) -> None:
    """Write as numpy.save would; its own write forgets why a disk refused."""
    data = np.ascontiguousarray(array)
    with path.open("wb") as file:
        np.lib.format.write_array_header_2_0(file, np.lib.format.header_data_from_array_1_0(data))
        file.write(data.reshape(-1).view(np.uint8).data)


def _moved(folder: Path, x: Inputs, mixed: int | None) -> bool:
    """Whether a folder names files that are gone, and these rows name the same content elsewhere."""
    if not isinstance(x, Table) or x.kind != "files" or damage(folder, sizes_only=True):
        return False
    stored = _open_inputs(folder)
    assert isinstance(stored, Table)
    known = stored.texts()
    named = x if mixed is None else x[order.mixed(len(x), mixed)]
    return known != named.texts() and not all(os.path.exists(path) for path in known)


def _fits(folder: Path, dataset: Dataset, inputs_only: bool) -> bool:
    """Whether every file is there and as long as its header says, in a folder that earlier code did not seal."""
    try:
        if (folder / DIGESTS).exists():
            return True
        x = _open_inputs(folder)
        whole = x.shape == dataset.x.shape and getattr(x, "dtype", None) == getattr(dataset.x, "dtype", None)
        if inputs_only:
            return bool(whole)
        targets = dataset.y is None or len(np.load(folder / TARGETS, mmap_mode="r", allow_pickle=False)) == len(x)
        return bool(whole and targets and len(pd.read_parquet(folder / METADATA)) == len(x))
    except (OSError, ValueError):
        return False


@lru_cache(maxsize=4096)
def _metadata(folder: str, *seen: tuple[int, int, int] | None) -> pd.DataFrame:
    """The metadata of a folder. seen: the stamps of its files, so that others are read anew."""
    if (Path(folder) / MAPPED).exists():
        import pyarrow as pa

        with pa.memory_map(str(Path(folder) / MAPPED)) as file:
            columns = pa.ipc.open_file(file).read_all()
        names = [name for name in columns.column_names if not name.startswith("__index_level_")]
        return pd.DataFrame(where_they_lie(columns.select(names)), copy=False)
    path = Path(folder) / METADATA
    return pd.read_parquet(path) if path.exists() else pd.DataFrame()


def _lost(address: str, path: Path, got: str) -> ArtefactLost:
    hint = "restore the file from a copy, or begin the study again in another --out"
    return ArtefactLost(address, "the outcome of a trial is lost or damaged", str(path), got, hint)


def _unreadable(folder: Path, got: str) -> SurroundingsError:
    hint = "delete the folder and run the same command again; the sources are read anew"
    if folder.parent.name == JOINED and (folder.parents[1] / JOURNAL).exists():
        hint = "restore the folder from a copy; it joined while the study ran, so no source has it"
    return SurroundingsError("ADC-DISK-012", "a stored dataset cannot be read", str(folder), got, hint)
