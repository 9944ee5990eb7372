"""Files under names that tell nothing.

The folder of a file is often its class, which no trainer may know of rows it is to predict. A file is linked
as `<its content><its suffix>`, once. Links are hard where the disk allows it, so that a path that is resolved tells
nothing either. Elsewhere a file to predict is copied; one to train on, whose class is told anyway, has a symbolic link.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from autodc.errors import DataError
from autodc.files import disk_told
from autodc.large import cache_folder
from autodc.table import CONTENT, PATH, Inputs, Table

FOLDER, TRAINING = "files", "training-files"
"""Where links lie, beside the stored datasets: of rows to predict, and of rows to train on."""
KEPT = 16
"""Tables whose links were looked at, and are not looked at again in this process."""
_SUFFIX = re.compile(r"\.\w{1,12}", re.ASCII)
_PACKED = frozenset({".bz2", ".gz", ".lz4", ".xz", ".zst"})
"""What is packed keeps the suffix of what it packs."""


def linked(x: Inputs, store: Path, *, training: bool = False) -> Inputs:
    """The same rows, files as absolute paths of links beside a store; the files of one content are one link.

    training: whoever is given the rows is given their targets too. Where nobody may write beside the store, links lie
    in the cache of this machine.
    Raises DataError ADC-DATA-002 for a file that cannot be read, SurroundingsError where the disk takes no links.
    """
    if not isinstance(x, Table) or x.kind != "files":
        return x
    folder = store / (TRAINING if training else FOLDER)
    if not os.access(folder if folder.is_dir() else store, os.W_OK):
        folder = cache_folder("links") / folder.name
    if x.file is None:
        return _linked(x, folder, training)
    return _once(x.file, os.stat(x.file).st_mtime_ns, folder, training)


def suffix_of(path: str) -> str:
    """The suffix of a file in lower case, of packed files two; empty where it is more like a part of a name."""
    stem, last = os.path.splitext(path.casefold())
    inner = os.path.splitext(stem)[1] if last in _PACKED else ""
    return "".join(one for one in (inner, last) if _SUFFIX.fullmatch(one))


@lru_cache(maxsize=KEPT)
def _once(file: str, modified: int, folder: Path, training: bool) -> Table:
    return _linked(Table.open(file), folder, training)


def _linked(x: Table, folder: Path, training: bool) -> Table:
    paths, contents = x.column(PATH).to_pylist(), x.column(CONTENT).to_pylist()
    links = [str(folder / f"{content}{suffix_of(path)}") for path, content in zip(paths, contents, strict=True)]
    known: dict[str, list[str]] = {}
    for link, path in zip(links, paths, strict=True):
        known.setdefault(link, []).append(path)
    with disk_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for link, places in known.items():
            _link(Path(link), places, training)
    table = Table.of_files(links, contents)
    return Table(table.kind, table.arrow, table.types, x.file)


def _link(link: Path, places: Sequence[str], training: bool) -> None:
    """Make a link lead to one of these files, unless it does; where all are gone, what it holds is enough."""
    there = {known: path for path in reversed(places) if (known := _identity(path))}
    now = None if link.is_symlink() and not training else _identity(link)
    if now in there or (now and (_is_copy(link, [*there.values()]) if there else _holds(link))):
        return
    if not there:
        raise DataError("ADC-DATA-002", "a file cannot be read", "inputs", f"{places[0]}: it is gone or shut")
    path, unfinished = os.path.realpath([*there.values()][-1]), link.with_name(f".{link.name}-{secrets.token_hex(4)}")
    try:
        os.link(path, unfinished)
    except OSError:
        if training:
            os.symlink(path, unfinished)
        else:
            _copy(path, unfinished)
    os.replace(unfinished, link)
    with contextlib.suppress(FileNotFoundError):  # of two names of one file, a rename leaves both
        os.unlink(unfinished)


def _copy(path: str, copy: Path) -> None:
    """Copy a file with the moment it was changed last, by which `_is_copy` knows it again."""
    shutil.copyfile(path, copy)
    found = os.stat(path)
    os.utime(copy, ns=(found.st_atime_ns, found.st_mtime_ns))


def _is_copy(link: Path, places: Sequence[str]) -> bool:
    """Whether a file is as long as one of these and was changed in the same moment."""
    now = link.stat()
    others = [os.stat(path) for path in places]
    return any((now.st_size, now.st_mtime_ns) == (one.st_size, one.st_mtime_ns) for one in others)


def _holds(link: Path) -> bool:
    """Whether a link leads to the content that it is called by."""
    with link.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == link.name.partition(".")[0]


def _identity(path: str | Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
