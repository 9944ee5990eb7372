"""What lies in a tar file, and where: read in place, never unpacked, and nothing that claims more than there is."""

from __future__ import annotations

import contextlib
import gzip
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, final

from autodc.adapters.sources.files import GZIP, refuse_foreign, regular_file, start_of
from autodc.adapters.sources.listing import cut
from autodc.adapters.sources.unpacked import UNPACK, Meter, copy_unpacked
from autodc.data.problems import problem
from autodc.data.source import SourceRequest
from autodc.files import NO_ROOM, disk_problem, disk_told
from autodc.large import cache_folder

LARGEST = 1 << 30
"""Bytes of one file that are read."""
UNREADABLE = (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError)


@final
@dataclass(frozen=True, slots=True)
class Member:
    """A file in a tar file."""

    name: str
    file: IO[bytes] | str = field(repr=False)
    """Where the tar file lies, or open where it has no name."""
    at: int
    size: int


def members(request: SourceRequest) -> Iterator[Member]:
    """The regular files of a tar file, in order. A gzipped one is read from a copy that goes with its last member.

    Raises DataError ADC-DATA-002 where it cannot be read, 075 for a file that claims more than there is, 079 for a
    shard that comes to too much.
    """
    path = regular_file(request)
    start = start_of(path, 1024)
    try:
        packed = start.startswith(GZIP)
        with contextlib.ExitStack() as stack:
            file = _unpacked(request, path) if packed else stack.enter_context(path.open("rb"))
            length = os.fstat(file.fileno()).st_size
            archive = stack.enter_context(tarfile.open(fileobj=file, mode="r:"))
            for info in archive:
                hidden = os.path.basename(info.name).startswith(".") or info.name.startswith("__MACOSX")
                if not info.isreg() or hidden:
                    continue
                if info.issparse() or info.size > LARGEST or info.offset_data + info.size > length:
                    got = f"`{cut(info.name)}`: {info.size:,} bytes; the shard has {length:,}"
                    raise problem(request, "075", "a file of a shard claims more than there is", got, "write it again")
                yield Member(info.name, file if packed else str(path), info.offset_data, info.size)
    except UNREADABLE as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise disk_problem(error, str(cache_folder("large"))) from error
        refuse_foreign(request, start)
        told = str(error) or type(error).__name__
        raise problem(request, "002", "the shard cannot be read", told, "it may be cut short; write it again") from None


def content_of_member(request: SourceRequest, member: Member) -> bytes:
    """What a file holds; several threads may read at once."""
    try:
        if isinstance(member.file, str):
            with open(member.file, "rb") as file:
                content = os.pread(file.fileno(), member.size, member.at)
        else:
            content = os.pread(member.file.fileno(), member.size, member.at)
    except OSError as error:
        raise problem(request, "002", "the shard cannot be read", f"`{cut(member.name)}`: {error}") from None
    if len(content) < member.size:
        raise problem(request, "075", "a file of a shard is cut short", f"`{cut(member.name)}`")
    return content


def _unpacked(request: SourceRequest, path: Path) -> IO[bytes]:
    """The same without gzip, in a file without a name."""
    folder = cache_folder("large")
    with disk_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
    file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115, it lives as long as its members
    try:
        with gzip.open(path) as packed:
            copy_unpacked(packed, file, Meter(request, UNPACK))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file
