"""What is called on a worker to see that it answers."""

from __future__ import annotations

import platform
import socket
from importlib import metadata

from autodc.trial.call import Call


def answer(call: Call) -> dict[str, str]:
    """Where the call came to, and what runs there."""
    try:
        version = metadata.version("autodc-optimizer")
    except metadata.PackageNotFoundError:
        version = "?"
    return {"host": socket.gethostname(), "python": platform.python_version(), "autodc": version}
