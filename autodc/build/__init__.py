"""Spec → wired study → result."""

from autodc.build.run import Result, asked_until, open_result, run
from autodc.build.wire import Inputs, open_study, read_inputs

__all__ = ["Inputs", "Result", "asked_until", "open_result", "open_study", "read_inputs", "run"]
