"""Waiting in tests: for what happens, never for a time."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 300.0
"""Seconds after which a test stops waiting for what should have happened long ago: who waits goes on as soon as it
has, and a machine that does much else may need minutes."""
GLANCE = 0.02
"""Seconds between two looks."""


def waited(condition: Callable[[], T], seconds: float = PATIENCE) -> T:
    """Wait until a condition holds, at most so long; what it said last."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(GLANCE)
    return found


def until(
    condition: Callable[[], T], what: str, seconds: float = PATIENCE, process: subprocess.Popen[Any] | None = None
) -> T:
    """Wait until a condition holds, and return what it said; fails when it does not come.

    process: fails at once where this ends before.
    """

    def held() -> T:
        found = condition()
        assert found or process is None or process.poll() is None, process.communicate()
        return found

    found = waited(held, seconds)
    assert found, f"not within {seconds:g} s: {what}"
    return found
