"""What is called on a worker to see that it answers."""

from __future__ import annotations

import platform
import socket

from autodc.adapters.doctor.versions import DISTRIBUTION, installed
from autodc.trial.call import Call


def answer(call: Call) -> dict[str, str]:
    """Where the call came to, and what is installed there."""
    return {"host": socket.gethostname(), **versions()}


def versions() -> dict[str, str]:
    """What has to be the same on every node."""
    return {"python": platform.python_version(), "autodc": installed(DISTRIBUTION) or "?"}
