"""Where trials train: in supervised children of this process, on Ray Tune or on plain Ray actors.

Names are loaded when they are first used: the process that supervises a training holds nothing of what trains.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autodc.adapters.executors.choose import open_executor
    from autodc.adapters.executors.harness import run_task
    from autodc.adapters.executors.inline import InlineExecutor, LocalExecutor, shared_child

_HOMES = {
    "InlineExecutor": "inline",
    "LocalExecutor": "inline",
    "open_executor": "choose",
    "run_task": "harness",
    "shared_child": "inline",
}

__all__ = ["InlineExecutor", "LocalExecutor", "open_executor", "run_task", "shared_child"]


def __getattr__(name: str) -> Any:
    """Load what is asked for. Python asks it for the modules below too, which it looks for itself afterwards."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
