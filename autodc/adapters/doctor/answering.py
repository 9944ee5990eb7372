"""What is called on a worker to see that it answers."""

from __future__ import annotations

import platform
import socket
from importlib import metadata

from autodc.trial.call import Call


def answer(call: Call) -> dict[str, str]:
    """Where the call came to, and what is installed there."""
    return {"host": socket.gethostname(), **versions()}


def versions() -> dict[str, str]:
    """What has to be the same on every node."""
    try:
        ours = metadata.version("autodc-optimizer")
    except metadata.PackageNotFoundError:
        ours = "?"
    return {"python": platform.python_version(), "autodc": ours}
