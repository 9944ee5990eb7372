"""What a person writes: the study, search-space and machine files, read with the place of every problem."""

from autodc.studyfile.load import dump, load, load_machine
from autodc.studyfile.study import MachineSpec, StudySpec

__all__ = ["MachineSpec", "StudySpec", "dump", "load", "load_machine"]
