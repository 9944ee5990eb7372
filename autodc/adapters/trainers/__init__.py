"""Trainers: torch_image, torch_tabular, sklearn, command, and those a user or another package brings."""

from autodc.adapters.trainers.checking import check_trainer, fork_problems, input_problems
from autodc.adapters.trainers.registry import make_trainer

__all__ = ["check_trainer", "fork_problems", "input_problems", "make_trainer"]
