"""One writer per study folder: an advisory lock that the kernel gives back when its process ends, however it ends."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import final

import psutil
from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from autodc.errors import InputError, SurroundingsError


@final
class FolderLock:
    """Holds a lock file, whose text names the process that holds it. Children do not inherit it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: BaseFileLock | None = None

    def acquire(self) -> None:
        """Take the lock, or raise InputError ADC-JRNL-004 naming who holds it. Taking it twice is taking it once."""
        if self._lock is not None:
            return
        lock = FileLock(self._path, timeout=0, mode=0o600, thread_local=False)
        try:
            lock.acquire()
            if not isinstance(lock, SoftFileLock):  # which keeps its own words in the file
                self._path.write_text(f"{_us()}\n")
        except Timeout:
            raise _held(self._path, _owner(self._path)) from None
        except OSError as error:
            lock.release()
            raise SurroundingsError(
                "ADC-JRNL-008",
                "the study folder cannot be locked",
                place=str(self._path),
                got=error.strerror or str(error),
                hint="see that the disk has room and may be written to, then give the same command again",
            ) from error
        self._lock = lock

    def release(self) -> None:
        """Give the lock back. Safe to call twice. The file stays: removing it would race with the next owner."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _owner(path: Path) -> str:
    try:
        words = path.read_text(errors="replace")[:200].strip()
    except OSError:
        words = ""
    return f"this {words}" if words == _us() else words or "another process"


def _us() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"


def _held(path: Path, owner: str) -> InputError:
    return InputError(
        "ADC-JRNL-004",
        "another autodc run is at work in this folder",
        place=str(path.parent),
        got=owner,
        hint="wait for it, stop it, or give another --out",
    )


def is_held(path: Path) -> bool | None:
    """Whether a process holds the lock file; None where that cannot be told from here: it is on another machine.

    The lock itself is not touched: a run that begins meanwhile is not refused for it.
    """
    try:
        words = path.read_text(errors="replace").split()
    except FileNotFoundError:
        return False
    except OSError:
        return None
    if len(words) != 4 or words[3] != socket.gethostname() or not words[1].isdigit():
        return None
    try:
        opened = {Path(file.path) for file in psutil.Process(int(words[1])).open_files()}
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return None
    return path.resolve() in opened
