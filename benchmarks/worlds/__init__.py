"""Worlds of real trainings on real data with known truth, shared by the benchmarks of the gate and of the search."""

from benchmarks.worlds.catalogue import world
from benchmarks.worlds.real import RealWorld
from benchmarks.worlds.studies import StudyRun

__all__ = ["RealWorld", "StudyRun", "world"]
