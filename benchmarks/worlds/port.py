"""What a world owes to a study that is run of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from autodc.search import Plan, SearchProblem
from benchmarks.worlds.planting import Array, Held, Planted


class StudyWorld(Protocol):
    """What a study can be run of."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def seed(self) -> int:
        """What it was drawn with."""

    @property
    def planted(self) -> Planted:
        """Its data."""

    @property
    def problem(self) -> SearchProblem:
        """What the search is asked."""

    def held(self, part: str) -> Held:
        """The rows of `validation` or `test`."""

    def train(self, plan: Plan, seed: int, fidelity: float = 1.0) -> Mapping[str, Array]:
        """Train once: part → outputs in row order."""
