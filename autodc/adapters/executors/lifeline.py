"""Processes of our own that die with the one that started them: how they are started, and how they know."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

from autodc.adapters.executors import programs

_PR_SET_PDEATHSIG = 1


def start(
    module: str, output: IO[bytes], environment: Mapping[str, str], folder: Path | None = None
) -> tuple[subprocess.Popen[bytes], Connection[Any, Any], int]:
    """Start `python -P -m MODULE LINE LIFELINE PARENT` in a session of its own; what it prints goes to `output`.

    LINE, LIFELINE: inherited file descriptors; PARENT: the id of this process. Returns the process, this end of the
    line, and the descriptor that it lives by: it ends when that is closed.
    """
    ours, theirs = socket.socketpair()
    alive, lifeline = os.pipe()
    arguments = [str(theirs.fileno()), str(alive), str(os.getpid())]
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=environment,
            pass_fds=(theirs.fileno(), alive),
            start_new_session=True,
        )
    os.close(alive)
    return process, Connection(ours.detach()), lifeline


def die_with(parent: int, lifeline: int) -> None:
    """End this process and all it started when `lifeline` closes; where its parent is gone, the kernel ends it."""

    def watch() -> None:
        while True:
            try:
                if not os.read(lifeline, 1):
                    break
            except InterruptedError:
                continue
            except OSError:
                break
        programs.end_all(but_helpers=False)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os.killpg(os.getpgrp(), signal.SIGKILL)
