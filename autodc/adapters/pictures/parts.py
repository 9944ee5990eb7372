"""Parts of much work by several workers: threads, or where there are many rows processes forked from this one.

Reading a small picture is mostly Python, of which one thread runs at a time; forked processes do not wait for each
other, see all that was there before, and hand back what is small. What is large they write into memory that was shared
when they began.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

Value = TypeVar("Value")

ROWS_A_PART = 32
ROWS_A_PROCESS = 256
"""A process is forked for so many rows, and not for fewer."""

_PR_SET_PDEATHSIG = 1
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""What handlers of this process would take for themselves in a forked one."""

_work: list[Callable[[Any], Any]] = []
"""In a forked process: the one thing it does."""


class LeftToParent(Exception):
    """Raised in a forked process by work that its parent is to do: one thing at a time, whoever wants it."""


def is_forked() -> bool:
    """Whether this is a process that does parts of another one's work."""
    return bool(_work)


def processes(rows: int, workers: int) -> int:
    """How many processes are forked for so many rows; 0: threads do them.

    None beside other threads: a lock that one of them holds at that moment is held in the forked process for ever.
    """
    alone = threading.active_count() == 1 and not multiprocessing.current_process().daemon
    if sys.platform != "linux" or not alone or is_forked():
        return 0
    many = min(workers, rows // ROWS_A_PROCESS)
    return many if many > 1 else 0


def in_parts(rows: range, work: Callable[[range], Value], workers: int, forks: int) -> Iterator[Value]:
    """What work gives of the rows, some at a time, in order.

    forks: processes, as `processes` tells; 0: threads, as many as workers. Work of forked processes is handed back
    pickled; where one dies its part and those after it are done here. Who stops to listen ends the rest.
    """
    parts = [rows[at : at + ROWS_A_PART] for at in range(0, len(rows), ROWS_A_PART)]
    done = 0
    if forks:
        try:
            for value in _mapped(_forked(work, forks), _done, parts):
                yield value
                done += 1
        except (BrokenProcessPool, OSError, ImportError):  # one was killed, or the system lends none
            pass
    if done < len(parts):
        yield from _mapped(ThreadPoolExecutor(workers), work, parts[done:])


def _mapped(pool: Executor, work: Callable[[range], Any], parts: Sequence[range]) -> Iterator[Any]:
    try:
        yield from pool.map(work, parts)
    finally:
        pool.shutdown(cancel_futures=True)


def _forked(work: Callable[[range], Any], forks: int) -> Executor:
    libc, parent = ctypes.CDLL(None, use_errno=True), os.getpid()

    def begin() -> None:
        _work.append(work)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent ends them
        for one in _SIGNALS:
            signal.signal(one, signal.SIG_DFL)
        gc.freeze()  # what the parent holds is not for a child to clear away

    return ProcessPoolExecutor(forks, mp_context=multiprocessing.get_context("fork"), initializer=begin)


def _done(part: range) -> Any:
    return _work[0](part)
