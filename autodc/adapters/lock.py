"""One writer per study folder: an advisory lock that the kernel gives back when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import socket
import threading
from pathlib import Path
from typing import final

from autodc.errors import InputError, SurroundingsError

_OURS: set[str] = set()
_GUARD = threading.Lock()


@final
class FolderLock:
    """Holds a lock file. POSIX record locks are not inherited by children, so a dead study's trials hold nothing;
    they know processes only, so locks of this process are kept in a set as well."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise InputError ADC-JRNL-004 naming who holds it. Taking it twice is taking it once."""
        if self._file is not None:
            return
        key = os.path.realpath(self._path)
        with _GUARD:
            if key in _OURS:
                raise _held(self._path, f"this process, {os.getpid()}")
            try:
                file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except (BlockingIOError, PermissionError):
                    owner = os.read(file, 200).decode(errors="replace").strip()
                    os.close(file)
                    raise _held(self._path, owner or "another process") from None
                os.ftruncate(file, 0)
                os.pwrite(file, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
            except OSError as error:
                raise SurroundingsError(
                    "ADC-JRNL-001",
                    "the study folder cannot be locked",
                    place=str(self._path),
                    got=error.strerror or str(error),
                    hint="see that the disk has room and may be written to, then give the same command again",
                ) from error
            _OURS.add(key)
            self._file = file

    def release(self) -> None:
        """Give the lock back. Safe to call twice. The file stays: removing it would race with the next owner."""
        if self._file is not None:
            with _GUARD:
                os.close(self._file)
                _OURS.discard(os.path.realpath(self._path))
                self._file = None


def _held(path: Path, owner: str) -> InputError:
    return InputError(
        "ADC-JRNL-004",
        "another autodc run is at work in this folder",
        place=str(path.parent),
        got=owner,
        hint="wait for it, stop it, or give another --out",
    )
