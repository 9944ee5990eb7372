"""Files that are there whole or not at all, whatever ends the process or the power."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO

UNFINISHED = ".unfinished"
"""The end of the name that a file has while it is written; one that is left over may be deleted."""


def write_whole(path: Path, content: str | bytes | Callable[[IO[bytes]], object]) -> None:
    """Write under a temporary name beside it, sync, rename, sync the folder. content: text is written as UTF-8; or what
    writes into the open file. Raises OSError as the system does, and leaves what was there."""
    unfinished = path.with_name(f".{path.stem}-{os.getpid()}-{secrets.token_hex(4)}{UNFINISHED}")
    try:
        with unfinished.open("wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync(path.parent)


def digests(folder: Path) -> dict[str, str]:
    """Path below the folder → SHA-256 of every file there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def sync(path: Path) -> None:
    """Make sure that the disk has a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
