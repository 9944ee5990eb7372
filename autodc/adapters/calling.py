"""Calls a program, never through a shell, with an end to its time."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence

LAST = 200
"""Letters of what a program said last that are told."""
LISTEN_SECONDS = 0.2


def is_program(name: str) -> bool:
    """Whether there is such a program, in PATH or where its path says."""
    return shutil.which(name) is not None


def call(
    words: Sequence[str],
    body: bytes,
    seconds: float,
    *,
    environment: Mapping[str, str] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> str:
    """Call a program with `body` on stdin; say what went wrong, or nothing.

    environment: set beside this process's own; stop: asked while it runs, True ends it. It has a session of its own,
    which is ended with all that it started where its time is over; what it leaves running after its own end runs on.
    """
    with tempfile.TemporaryFile() as said:  # a pipe would be waited for as long as any child of the program holds it
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        except OSError as error:
            return error.strerror or str(error)
        except ValueError as error:
            return str(error)
        end, given = time.monotonic() + seconds, body
        while True:
            try:
                process.communicate(given, timeout=min(LISTEN_SECONDS, max(0.0, end - time.monotonic())))
                break
            except subprocess.TimeoutExpired:
                given = b""  # what was begun to be sent goes on being sent
                if (late := time.monotonic() >= end) or stop():
                    _end(process)
                    return f"it took longer than {seconds:g} s" if late else "it was stopped"
        if process.returncode == 0:
            return ""
        said.seek(max(0, said.seek(0, os.SEEK_END) - 4 * LAST))
        last = " ".join(said.read().decode(errors="replace").split())[-LAST:]
    return f"it ended with {process.returncode}{f': {last}' if last else ''}"


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
