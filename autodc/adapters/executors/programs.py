"""Programs that a training leaves behind: found below this process, and ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

import psutil

REAP_SECONDS = 1.0

_PR_SET_CHILD_SUBREAPER = 36

_HELPERS = (b"multiprocessing.resource_tracker", b"loky.backend")
"""Processes that libraries keep from one training to the next, to be found idle there again."""


def adopt() -> None:
    """Make this process the parent of whatever below it loses its own: nothing a training starts gets away."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_all(but_helpers: bool = True) -> None:
    """Kill every process below this one. but_helpers: spare those that libraries keep for the next training."""
    for pid in below():
        if but_helpers and any(name in _command(pid) for name in _HELPERS):
            continue
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
        _reap(pid)


def below() -> list[int]:
    """Descendants of this process. It is asked first whether it has children at all: to look for them takes longer."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return []
    with contextlib.suppress(psutil.Error):
        return [child.pid for child in psutil.Process().children(recursive=True)]
    return []


def _reap(pid: int) -> None:
    """Take note of the end of a killed process where it is our child; one that cannot end is left."""
    end = time.monotonic() + REAP_SECONDS
    with contextlib.suppress(OSError):
        while os.waitpid(pid, os.WNOHANG) == (0, 0) and time.monotonic() < end:
            time.sleep(0.002)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
