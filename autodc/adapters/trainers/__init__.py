"""Trainers: torch_image, torch_tabular, sklearn, command, and those a user or another package brings.

What checks them is in `checking`: a process that trains does without.
"""

from autodc.adapters.trainers.registry import make_trainer

__all__ = ["make_trainer"]
