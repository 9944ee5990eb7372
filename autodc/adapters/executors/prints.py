"""What a task prints goes to a file of its own, not to the terminal: of Python, C libraries and programs alike.

The descriptors 1 and 2 of the process are turned to the file while the task runs, and always turned back. A log is
bounded, and so is a folder of them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from autodc.trial.executor import PRINTED, Task

LOG_BYTES = 2**20
"""So much of what a task printed last is kept."""
OVERGROWN_BYTES = 16 * LOG_BYTES
"""A log of this size has nobody in its own process who cuts it."""
LOGS = "logs"
"""The folder of logs in that of a run."""
KEPT_LOGS = 100
"""Logs in a folder; the oldest go. One of a task that printed nothing goes at once."""
TASK_LOGS = "*-*-*.log"
"""The logs of tasks, which stay beside those of workers, which do not."""
LOOK_SECONDS = 0.5
"""How often it is looked whether a log has grown to twice its size."""
TAIL_LINES = 12
TAIL_BYTES = 8192
_STREAMS = (1, 2)


@final
@dataclass(frozen=True, slots=True)
class Printed:
    """What a task has printed so far: a file, and where in it its part begins."""

    file: int
    start: int = 0

    def told(self) -> str:
        """The last lines, to be added to an error; empty where nothing was printed."""
        flush()
        lines = last_lines(self.file, self.start)
        return PRINTED + lines if lines else ""


def log_file(folder: Path | None, task: Task) -> Path | None:
    """Where the log of an attempt lies in the folder of logs."""
    if folder is None:
        return None
    kind = "trial" if task.work == "training" else "task"
    return folder / f"{kind}-{task.number}-{task.attempt}.log"


@contextlib.contextmanager
def printing_to(log: Path | None) -> Iterator[Printed]:
    """Inside the block all that this process prints goes to a file, without a name where none is given or possible."""
    file, log = _opened(log)
    try:
        with _turned(file), bounded(file):
            yield Printed(file)
    finally:
        os.close(file)
        if log is not None:
            close_log(log)


@contextlib.contextmanager
def bounded(file: int) -> Iterator[None]:
    """Inside the block keep the end alone of a file that is appended to, whoever writes."""
    over = threading.Event()
    bound = threading.Thread(target=_bound, args=(file, over), name="log", daemon=True)
    bound.start()
    try:
        yield
    finally:
        over.set()
        bound.join()


@contextlib.contextmanager
def printed_here() -> Iterator[Printed]:
    """What is printed where this process prints anyway, in a child whose output is a file."""
    size = 0
    with contextlib.suppress(OSError):
        size = os.fstat(_STREAMS[0]).st_size
    yield Printed(_STREAMS[0], size)


def close_log(log: Path) -> None:
    """Leave of a log what is kept, and of a folder of logs the newest."""
    with contextlib.suppress(OSError):
        size = log.stat().st_size
        if size == 0:
            log.unlink()
            return
        if size > LOG_BYTES:
            with open(log, "r+b") as opened:
                _cut(opened.fileno())
        logs = sorted(log.parent.glob(TASK_LOGS), key=lambda f: f.stat().st_mtime)
        for old in logs[:-KEPT_LOGS]:
            old.unlink(missing_ok=True)


def cut_overgrown(log: Path) -> None:
    """Cut a log of another process that does not cut it itself: a task may hold the interpreter's lock and print."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > OVERGROWN_BYTES:
            with open(log, "r+b") as opened:
                _cut(opened.fileno())


def drop_worker_logs(folder: Path) -> None:
    """Leave the logs of tasks alone in a folder of logs, and no folder where there are none."""
    tasks = set(folder.glob(TASK_LOGS))
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            if file not in tasks:
                file.unlink(missing_ok=True)
        if not tasks:
            folder.rmdir()


def last_lines(file: int, start: int = 0) -> str:
    """The last lines of a file from a place in it on; empty where there are none."""
    try:
        size = os.fstat(file).st_size
        text = os.pread(file, TAIL_BYTES, max(start if start <= size else 0, size - TAIL_BYTES))
    except (ValueError, OSError):
        return ""
    return "\n".join(text.decode(errors="replace").rstrip().splitlines()[-TAIL_LINES:])


def flush() -> None:
    """Write out what Python and C libraries hold back."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).fflush(None)


def _opened(log: Path | None) -> tuple[int, Path | None]:
    """A file to append to; a disk that takes no log costs the log, not the task."""
    if log is not None:
        with contextlib.suppress(OSError):
            log.parent.mkdir(parents=True, exist_ok=True)
            return os.open(log, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o644), log
    with tempfile.TemporaryFile("a+b") as unnamed:
        return os.dup(unnamed.fileno()), None


@contextlib.contextmanager
def _turned(file: int) -> Iterator[None]:
    """Turn stdout and stderr to a file, of the process and of Python, which may have others than the process."""
    flush()
    streams: tuple[Any, Any] = (sys.stdout, sys.stderr)
    before = [_duplicate(number) for number in _STREAMS]
    for number in _STREAMS:
        os.dup2(file, number)
    sys.stdout, sys.stderr = (
        open(n, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
        for n in _STREAMS
    )
    try:
        yield
    finally:
        flush()
        sys.stdout, sys.stderr = streams
        for number, former in zip(_STREAMS, before, strict=True):
            if former is None:
                os.close(number)
            else:
                os.dup2(former, number)
                os.close(former)


def _duplicate(number: int) -> int | None:
    """A second descriptor of what a stream leads to; None where the process was started without it."""
    try:
        return os.dup(number)
    except OSError:
        return None


def _bound(file: int, over: threading.Event) -> None:
    """Cut a log whenever it has grown to twice what is kept, until it is over."""
    while not over.wait(LOOK_SECONDS):
        with contextlib.suppress(OSError):
            if os.fstat(file).st_size > 2 * LOG_BYTES:
                _cut(file)


def _cut(file: int) -> None:
    """Keep the end of a log. What is printed at the very moment may be lost."""
    size = os.fstat(file).st_size
    end = os.pread(file, LOG_BYTES, size - LOG_BYTES)
    note = f"[what was printed before is left out: {size - LOG_BYTES} bytes]\n".encode()
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    os.write(file, note + end[end.find(b"\n") + 1 :])
