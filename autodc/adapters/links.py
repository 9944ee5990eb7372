"""Files under names that tell nothing.

The folder of a file is often its class, which no trainer may know of rows it is to predict. A file is linked
as `<its content><its suffix>`, once. Links are hard where the disk allows it, so that a path that is resolved tells
nothing either; else symbolic.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from autodc.errors import DataError
from autodc.files import disk_told
from autodc.large import cache_folder
from autodc.table import CONTENT, PATH, Inputs, Table

FOLDER = "files"
"""Where links lie, beside the stored datasets."""
KEPT = 16
"""Tables whose links were looked at, and are not looked at again in this process."""
_SUFFIX = re.compile(r"\.\w{1,12}", re.ASCII)
_PACKED = frozenset({".bz2", ".gz", ".lz4", ".xz", ".zst"})
"""What is packed keeps the suffix of what it packs."""


def linked(x: Inputs, folder: Path) -> Inputs:
    """The same rows, files as absolute paths of links in a folder; the files of one content are one link.

    Where nobody may write into the folder, links lie in the cache of this machine.
    Raises DataError ADC-DATA-002 for a file that cannot be read, SurroundingsError where the disk takes no links.
    """
    if not isinstance(x, Table) or x.kind != "files":
        return x
    folder = folder if os.access(folder if folder.is_dir() else folder.parent, os.W_OK) else cache_folder("links")
    if x.file is None:
        return _linked(x, folder)
    return _once(x.file, os.stat(x.file).st_mtime_ns, folder)


def suffix_of(path: str) -> str:
    """The suffix of a file in lower case, of packed files two; empty where it is more like a part of a name."""
    stem, last = os.path.splitext(path.casefold())
    inner = os.path.splitext(stem)[1] if last in _PACKED else ""
    return "".join(one for one in (inner, last) if _SUFFIX.fullmatch(one))


@lru_cache(maxsize=KEPT)
def _once(file: str, modified: int, folder: Path) -> Table:
    return _linked(Table.open(file), folder)


def _linked(x: Table, folder: Path) -> Table:
    paths, contents = x.column(PATH).to_pylist(), x.column(CONTENT).to_pylist()
    links = [str(folder / f"{content}{suffix_of(path)}") for path, content in zip(paths, contents, strict=True)]
    known: dict[str, list[str]] = {}
    for link, path in zip(links, paths, strict=True):
        known.setdefault(link, []).append(path)
    with disk_told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for link, places in known.items():
            _link(Path(link), places)
    table = Table.of_files(links, contents)
    return Table(table.kind, table.arrow, table.types, x.file)


def _link(link: Path, places: Sequence[str]) -> None:
    """Make a link lead to one of these files, unless it does; where all are gone, what it holds is enough."""
    there = {known: path for path in reversed(places) if (known := _identity(path))}
    now = _identity(link)
    if now in there or (now and not there and _holds(link)):
        return
    if not there:
        raise DataError("ADC-DATA-002", "a file cannot be read", "inputs", f"{places[0]}: it is gone or shut")
    path, unfinished = os.path.realpath([*there.values()][-1]), link.with_name(f".{link.name}-{secrets.token_hex(4)}")
    try:
        os.link(path, unfinished)
    except OSError:
        os.symlink(path, unfinished)
    os.replace(unfinished, link)
    with contextlib.suppress(FileNotFoundError):  # of two names of one file, a rename leaves both
        os.unlink(unfinished)


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
