"""Where trials train: in supervised children of this process, on Ray Tune or on plain Ray actors."""

from autodc.adapters.executors.choose import open_executor
from autodc.adapters.executors.harness import run_task
from autodc.adapters.executors.inline import InlineExecutor, LocalExecutor, shared_child

__all__ = ["InlineExecutor", "LocalExecutor", "open_executor", "run_task", "shared_child"]
