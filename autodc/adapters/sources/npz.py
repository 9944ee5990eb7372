"""NumPy archives: arrays `x` and `y`, and metadata columns beside them. Nothing is ever unpickled."""

from __future__ import annotations

import zipfile
import zlib
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.data.dataset import Dataset
from autodc.data.rows import checked, missing_name, problem, refuse_unknown_options
from autodc.data.source import RawRows, SourceRequest
from autodc.errors import DataError

Array = np.ndarray[Any, Any]

UNREADABLE = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError)


@final
class NpzSource:
    """An `.npz` file. Every 1-d array as long as `x`, beside the targets, is a metadata column."""

    def __init__(self, request: SourceRequest) -> None:
        self._request = request

    def read(self, targets: bool) -> Dataset:
        """Read the arrays; without `targets` their array is not touched."""
        request = self._request
        refuse_unknown_options(request, ())
        name = request.text("target", "y") or "y"
        archive = self._opened()
        with archive:
            if "x" not in archive.files:
                raise missing_name(request, "004", "array", "x", archive.files)
            if name not in archive.files:
                raise missing_name(request, "005", "array of targets", name, archive.files)
            x = self._array(archive, "x")
            y = self._array(archive, name) if targets else None
            if not targets:
                self._refuse_unfit_targets(name, x)
            others = {key: self._array(archive, key) for key in archive.files if key not in ("x", name)}
        rows = x.shape[:1]
        columns = {key: value for key, value in others.items() if value.shape == rows}
        return checked(request, RawRows(x=x, y=y, metadata=_frame(columns, len(x) if x.ndim else 0)), targets=targets)

    def _opened(self) -> np.lib.npyio.NpzFile:
        try:
            archive = np.load(self._request.path, allow_pickle=False)
        except UNREADABLE as error:
            raise self._unreadable(error) from None
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise problem(self._request, "002", "the file is no .npz archive", hint="write it with numpy.savez")
        return archive

    def _array(self, archive: np.lib.npyio.NpzFile, key: str) -> Array:
        try:
            array: Array = archive[key]
        except UNREADABLE as error:
            raise self._unreadable(error, key) from None
        return array

    def _refuse_unfit_targets(self, name: str, x: Array) -> None:
        """Look at the header of sealed targets alone, so that the night does not end with a test nobody can open."""
        try:
            with zipfile.ZipFile(self._request.path) as archive, archive.open(f"{name}.npy") as file:
                version = np.lib.format.read_magic(file)
                header = (
                    np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                )
                shape, _, dtype = header(file)
        except UNREADABLE as error:
            raise self._unreadable(error, name) from None
        if dtype.hasobject:
            raise self._unreadable(ValueError("pickled objects"), name)
        if shape[:1] != x.shape[:1]:
            got = f"{x.shape[:1]} and {shape[:1]}"
            raise problem(self._request, "006", "inputs and targets differ in rows", got)

    def _unreadable(self, error: Exception, key: str = "") -> DataError:
        inside = f"array `{key}`: " if key else ""
        if "pickle" in str(error):
            hint = "pickles can run programs, so they are never read; save plain arrays (text: array.astype(str))"
            return problem(self._request, "003", "the file holds pickled objects", f"{inside}{error}", hint)
        hint = "it may be cut short; write it again"
        return problem(
            self._request, "002", "the file cannot be read", f"{inside}{error or type(error).__name__}", hint
        )


def _frame(columns: dict[str, Array], rows: int) -> pd.DataFrame:
    return pd.DataFrame(columns, index=pd.RangeIndex(rows))
