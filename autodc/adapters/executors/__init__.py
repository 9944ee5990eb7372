"""Where trials train: in this process, in supervised children, on Ray Tune or on plain Ray actors."""

from autodc.adapters.executors.choose import open_executor
from autodc.adapters.executors.harness import train_job
from autodc.adapters.executors.inline import InlineExecutor, LocalExecutor

__all__ = ["InlineExecutor", "LocalExecutor", "open_executor", "train_job"]
