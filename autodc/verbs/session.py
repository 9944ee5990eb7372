"""What is journalled of a run before it trains: its slots, its command, and the machine it runs on."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable
from importlib import metadata

from autodc.study.journal.events import SessionStarted
from autodc.studyfile.study import MachineSpec

PACKAGES = ("autodc-optimizer", "numpy", "scikit-learn", "torch", "pytorch-lightning", "lightgbm", "optuna", "ray")
"""Those that a result may depend on, where they are installed."""


def begins(
    folder: str, machine: MachineSpec, until: float, reading: float, command: str
) -> Callable[[int], SessionStarted]:
    """The event, once it is known how many slots there are. folder: of the study file; the rest as the event has it."""
    return lambda slots: SessionStarted(
        slots=slots,
        machine=machine.model_dump(mode="json"),
        pid=os.getpid(),
        until=until if math.isfinite(until) else None,
        folder=folder,
        reading=reading,
        command=command,
        environment=environment(),
    )


def environment() -> dict[str, str]:
    """Versions, system and cores of this machine. No package is imported for it, what is not there is left out."""
    found = {"python": platform.python_version(), "system": platform.platform(), "cores": str(os.cpu_count() or 1)}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
