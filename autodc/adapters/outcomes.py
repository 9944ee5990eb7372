"""Per-example arrays on disk, each set of them a file named by its content."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, final

import numpy as np

from autodc import fingerprint
from autodc.errors import SurroundingsError
from autodc.files import UNFINISHED, write_whole

Array = np.ndarray[Any, Any]


def address_of(arrays: Mapping[str, Array]) -> str:
    """The content address of named arrays; their order does not matter."""
    return fingerprint.of_parts("arrays", [(name, fingerprint.of_array(array)) for name, array in arrays.items()])


@final
class FileOutcomeStore:
    """Keeps `<folder>/<address>.npz`. A file is there whole or not at all: temporary name, fsync, rename, fsync.

    Nothing is created before the first `put`; one process writes (the journal's lock sees to it), any may read.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder).absolute()
        self._ready = False

    def put(self, arrays: Mapping[str, Array]) -> str:
        """Store durably and return the address. Raises SurroundingsError ADC-DISK-004 where the disk refuses."""
        stored = {name: _storable(array) for name, array in arrays.items()}
        address = address_of(stored)
        path = self._path(address)
        try:
            self._prepare()
            if not (path.exists() and _intact(path, address)):
                write_whole(path, lambda file: _written(file, stored))
        except OSError as error:
            raise SurroundingsError(
                "ADC-DISK-004",
                "the outcome of a trial cannot be written",
                place=str(path),
                got=error.strerror or str(error),
                hint="see that the disk has room and may be written to, then give the same command again",
            ) from error
        return address

    def get(self, address: str) -> Mapping[str, Array]:
        """Return the arrays of an address. Raises SurroundingsError ADC-DISK-002 where they are lost or damaged."""
        path = self._path(address)
        try:
            arrays = _load(path)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
            raise _lost(path, str(error)) from error
        if (found := address_of(arrays)) != address:
            raise _lost(path, f"content {found[:12]}")
        return arrays

    def drop(self, address: str) -> None:
        """Delete the file of an address, where it is there."""
        with contextlib.suppress(OSError):
            self._path(address).unlink(missing_ok=True)

    def _path(self, address: str) -> Path:
        return self._folder / f"{address}.npz"

    def _prepare(self) -> None:
        if not self._ready:
            self._folder.mkdir(parents=True, exist_ok=True)
            for leftover in self._folder.glob(f".*{UNFINISHED}"):
                leftover.unlink(missing_ok=True)
            self._ready = True


def _storable(array: Array) -> Array:
    array = np.asarray(array)
    return array.astype(str) if array.dtype.kind == "O" else array


def _load(path: Path) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _intact(path: Path, address: str) -> bool:
    try:
        return address_of(_load(path)) == address
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError):
        return False


def _written(file: IO[bytes], arrays: Mapping[str, Array]) -> None:
    """Write as numpy.savez would. Bytes, such as hits and misses, are compressed; decimal numbers would gain little."""
    with zipfile.ZipFile(file, "w", compresslevel=1) as archive:
        for name, array in arrays.items():
            archive.compression = zipfile.ZIP_DEFLATED if array.dtype.itemsize == 1 else zipfile.ZIP_STORED
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _lost(path: Path, got: str) -> SurroundingsError:
    return SurroundingsError(
        "ADC-DISK-002",
        "the outcome of a trial is lost or damaged",
        place=str(path),
        got=got,
        hint="restore the file from a copy, or begin the study again in another --out",
    )
