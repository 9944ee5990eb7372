"""Files and folders that are there whole or not at all, whatever ends the process or the power.

It also tells whether they still hold what was written. A folder that is sealed has `digests.json` beside its files:
what each of them holds. A file is read for this once per process, and again when the system says that it was written
to.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO

from autodc.errors import SurroundingsError

UNFINISHED = ".unfinished"
"""The end of the name that a file or folder has while it is written."""
DIGESTS = "digests.json"
"""What the files of a sealed folder hold: path → [bytes, SHA-256]."""
READ_ONLY = 0o444
LEFT_OVER_SECONDS = 3600.0
"""What is unfinished and was not written to for so long has nobody who writes it."""
SETTLED_SECONDS = 1.0
"""A file written to so lately is read again: the clock of the disk may not tell the next write from the last."""
ONE_BY_ONE = 1000
"""Of more files in a folder the disk is asked once for all: each by itself takes milliseconds."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_whole(path: Path, content: str | bytes | Callable[[IO[bytes]], object]) -> None:
    """Write under a temporary name beside it, sync, rename, sync the folder.

    content: text is written as UTF-8; or what writes into the open file. Raises OSError as the system does, and leaves
    what was there.
    """
    _make_folder(path.parent)
    unfinished = _unfinished(path)
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
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): digest(path) for path in files}


def fill_whole(path: Path, fill: Callable[[Path], object]) -> None:
    """Fill a folder under a temporary name beside it, seal, rename, sync.

    A folder that is there already stays: the first of several writers wins. Raises OSError as the system does, and
    leaves nothing half filled.
    """
    _make_folder(path.parent)
    unfinished = _unfinished(path)
    try:
        unfinished.mkdir()
        fill(unfinished)
        seal(unfinished)
        try:
            unfinished.rename(path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or not path.is_dir():
                raise
        sync(path.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def seal(folder: Path) -> None:
    """Sync all that lies below a folder, and write down what the files hold."""
    (folder / DIGESTS).unlink(missing_ok=True)
    found = {name: [(folder / name).stat().st_size, content] for name, content in digests(folder).items()}
    written = [path for path in folder.rglob("*") if path.is_file() or path.is_dir()]
    if len(written) > ONE_BY_ONE:
        os.sync()
    else:
        for path in written:
            sync(path)
    write_whole(folder / DIGESTS, json.dumps(found, indent=1) + "\n")
    (folder / DIGESTS).chmod(READ_ONLY)


def damage(folder: Path, sizes_only: bool = False) -> str:
    """What is gone or damaged in a folder; empty where all is as it was sealed, or it never was.

    sizes_only: look for what is gone or cut short, without reading the files.
    """
    if not folder.is_dir():
        return "the folder is gone"
    try:
        known = json.loads((folder / DIGESTS).read_bytes())
        for name, (size, content) in known.items():
            if (folder / name).stat().st_size != size or not (sizes_only or digest(folder / name) == content):
                return f"{name} is damaged"
    except FileNotFoundError as error:
        gone = os.path.basename(error.filename)
        return "" if gone == DIGESTS else f"{gone} is gone"
    except (OSError, ValueError, TypeError, AttributeError) as error:
        return f"{DIGESTS}: {error}"
    return ""


def stamps(folder: Path) -> dict[str, tuple[int, int, int]]:
    """File that was sealed → inode, time of the last write, bytes, as the system tells them without a file read.

    What is left beside them later, a training's own form of the rows say, may come and go. All files where nothing was
    sealed.
    """
    found = {}
    with suppress(FileNotFoundError):  # somebody takes it away: what was seen is not what is there afterwards
        for path in _sealed(folder):
            told = path.stat()
            if stat.S_ISREG(told.st_mode):
                found[path.relative_to(folder).as_posix()] = (told.st_ino, told.st_mtime_ns, told.st_size)
    return found


def _sealed(folder: Path) -> list[Path]:
    try:
        return [folder / DIGESTS, *(folder / name for name in json.loads((folder / DIGESTS).read_bytes()))]
    except (OSError, ValueError, TypeError):
        return list(folder.rglob("*"))


def take_away(folder: Path) -> None:
    """Remove a folder under another name: who looks for it finds all that was there, or nothing."""
    aside = _unfinished(folder)
    with suppress(FileNotFoundError):
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def tidy_left_over(folder: Path) -> None:
    """Remove what processes that were ended left half written in a folder."""
    for path in folder.glob(f".*{UNFINISHED}"):
        try:
            if time.time() - max(p.stat().st_mtime for p in (path, *path.rglob("*"))) < LEFT_OVER_SECONDS:
                continue
        except FileNotFoundError:  # somebody writes it
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Make sure that the disk has a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_told(place: Path) -> Iterator[None]:
    """Raise SurroundingsError where the disk refuses what is done inside."""
    try:
        yield
    except OSError as error:
        raise disk_problem(error, str(place)) from error


def disk_problem(error: OSError, place: str) -> SurroundingsError:
    """What the disk did, as an error that says what to do: ADC-DISK-001 where it is full, else ADC-DISK-011."""
    if error.errno in NO_ROOM:
        hint = "make room and run the same command again; it goes on where it stopped"
        return SurroundingsError("ADC-DISK-001", "the disk is full", place, error.strerror or "", hint)
    hint = "check the folder's permissions, then run the same command again"
    return SurroundingsError("ADC-DISK-011", "the disk cannot be written", place, str(error), hint)


def digest(path: Path) -> str:
    """SHA-256 of a file; one that did not change since is not read again."""
    seen = path.stat()
    read = _digest_of if time.time() - seen.st_mtime > SETTLED_SECONDS else _digest_of.__wrapped__
    return read(str(path), seen.st_ino, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=65536)
def _digest_of(path: str, inode: int, modified: int, size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unfinished(path: Path) -> Path:
    return path.with_name(f".{path.stem}-{os.getpid()}-{secrets.token_hex(4)}{UNFINISHED}")


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that the disk has their names."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)
