"""NumPy archives: arrays `x` and `y`, and metadata columns beside them. Nothing is ever unpickled."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.adapters.sources.files import refuse_foreign, regular_file, start_of
from autodc.adapters.sources.npy import CUT_SHORT, Header, array_pieces, is_array, read_array, read_header
from autodc.adapters.sources.unpacked import PLAIN_ARRAYS, Meter
from autodc.data.dataset import Dataset
from autodc.data.problems import missing_name, problem, refuse_unknown_options
from autodc.data.rows import checked
from autodc.data.source import UNREAD, RawRows, SourceRequest
from autodc.errors import DataError

Array = np.ndarray[Any, Any]

SUFFIX = ".npy"
UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
)
MOST_PACKED = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: 1032}
"""How many bytes one byte of an archive may stand for; a member that claims more lies."""


@final
class NpzSource:
    """An `.npz` file. Every 1-d array as long as `x`, beside the targets, is a metadata column."""

    def __init__(self, request: SourceRequest) -> None:
        self._request = request

    def read(self, targets: bool) -> Dataset:
        """Read the arrays; without `targets` only the header of their array is."""
        request = self._request
        refuse_unknown_options(request, ())
        name = request.text("target", "y") or "y"
        with self._opened() as archive:
            members = {m.filename.removesuffix(SUFFIX): m for m in archive.infolist() if m.filename.endswith(SUFFIX)}
            if "x" not in members:
                raise missing_name(request, "004", "array", "x", members)
            if name not in members and request.labelled:
                raise missing_name(request, "005", "array of targets", name, members)
            x = self._array(archive, members["x"])
            rows = x.shape[:1]
            if targets:
                y = self._array(archive, members[name])
            else:
                y = None
                if name in members:
                    self._refuse_unfit_targets(self._header(archive, members[name]), x)
            columns = {
                key: self._array(archive, member)
                for key, member in members.items()
                if key not in ("x", name) and self._header(archive, member).shape == rows
            }
        try:
            metadata = pd.DataFrame(columns, index=pd.RangeIndex(len(x) if x.ndim else 0))
        except (TypeError, ValueError) as error:  # records and the like
            raise problem(request, "045", "metadata is no table of single values", str(error)) from None
        return checked(request, RawRows(x=x, y=y, metadata=metadata), targets=targets)

    def pieces(self, rows: int) -> Iterator[Dataset]:
        """The rows without targets, so many at a time: every array is read along with the others."""
        request = self._request
        refuse_unknown_options(request, ())
        target = request.text("target", "y") or "y"
        with self._opened() as archive:
            members = {m.filename.removesuffix(SUFFIX): m for m in archive.infolist() if m.filename.endswith(SUFFIX)}
            if "x" not in members:
                raise missing_name(request, "004", "array", "x", members)
            count = self._header(archive, members["x"]).shape[:1]
            names = [n for n, m in members.items() if n != target and self._header(archive, m).shape[:1] == count]
            names = [n for n in names if n == "x" or len(self._header(archive, members[n]).shape) == 1]
            each = {name: self._stretches(archive, members[name], rows) for name in names}
            for _ in range(0, max(count[0], 1) if count else 1, rows):
                part = {name: next(stretch) for name, stretch in each.items()}
                x = part.pop("x")
                metadata = pd.DataFrame(part, index=pd.RangeIndex(len(x) if x.ndim else 0))
                notes = (UNREAD.format(target),) if target in members else ()
                yield checked(request, RawRows(x=x, y=None, metadata=metadata, notes=notes), targets=False)

    def _stretches(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, rows: int) -> Iterator[Array]:
        """An array so many rows at a time."""
        try:
            with archive.open(member) as stream:
                yield from array_pieces(self._request, stream, member.file_size, rows, _inside(member))
        except UNREADABLE as error:
            raise self._unreadable(error, _inside(member)) from None

    def _opened(self) -> zipfile.ZipFile:
        path = regular_file(self._request)
        try:
            start = start_of(path, 1024)
            refuse_foreign(self._request, start)
            if is_array(start):
                hint = "write it with numpy.savez"
                raise problem(self._request, "002", "the file is one array, no .npz archive", hint=hint)
            archive = zipfile.ZipFile(path)
        except UNREADABLE as error:
            raise self._unreadable(error) from None
        meter = Meter(self._request, PLAIN_ARRAYS)
        for member in archive.infolist():
            if member.filename.endswith(SUFFIX):
                self._refuse_false_size(member)
                meter.add(member.file_size)
        return archive

    def _header(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Header:
        try:
            with archive.open(member) as stream:
                return read_header(self._request, stream, _inside(member))
        except UNREADABLE as error:
            raise self._unreadable(error, _inside(member)) from None

    def _array(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
        try:
            with archive.open(member) as stream:
                return read_array(self._request, stream, member.file_size, _inside(member))
        except UNREADABLE as error:
            raise self._unreadable(error, _inside(member)) from None

    def _refuse_false_size(self, member: zipfile.ZipInfo) -> None:
        """A member may claim any size, and memory is taken by what it claims."""
        most = MOST_PACKED.get(member.compress_type)
        room = regular_file(self._request).stat().st_size
        if most is not None and member.file_size > most * (min(member.compress_size, room) + 1):
            got = f"{_inside(member)}: {member.file_size:,} bytes from {member.compress_size:,}"
            raise problem(self._request, "002", "a part of the archive is not as large as it says", got, CUT_SHORT)

    def _refuse_unfit_targets(self, header: Header, x: Array) -> None:
        """Look at the header of sealed targets alone, so that the night does not end with a test nobody can open."""
        if header.shape[:1] != x.shape[:1]:
            got = f"{x.shape[:1]} and {header.shape[:1]}"
            raise problem(self._request, "006", "inputs and targets differ in rows", got)

    def _unreadable(self, error: Exception, inside: str = "") -> DataError:
        got = f"{inside}: " if inside else ""
        return problem(
            self._request, "002", "the file cannot be read", f"{got}{error or type(error).__name__}", CUT_SHORT
        )


def _inside(member: zipfile.ZipInfo) -> str:
    return f"array `{member.filename.removesuffix(SUFFIX)}`"
