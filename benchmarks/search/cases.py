"""What a peer is run in: a problem, a training with a seed, and the share of the gap that a plan truly closes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Protocol

from autodc.search import Plan, SearchProblem
from benchmarks.search.worlds import World

SHARE_SEEDS = 5
SYNTHETIC: dict[str, tuple[int, float]] = {
    "K20": (20, 0.1),
    "K20-noisy": (20, 0.3),
    "K60": (60, 0.1),
    "K200": (200, 0.1),
}
"""Name → candidates, noise of one training as a share of the gap."""


class Case(Protocol):
    """One world at one world seed. Values are slice → metric on validation; the gap is (start, oracle) on test."""

    @property
    def problem(self) -> SearchProblem:
        """The search problem as a study would state it."""
        ...

    @property
    def gap(self) -> tuple[float, float]:
        """Test objective of the base and of the oracle."""
        ...

    def train(self, plan: Plan, seed: int) -> Mapping[str, float]:
        """Train once."""
        ...

    def share(self, plan: Plan) -> float:
        """Share of the gap that a plan closes on test."""
        ...


class Real:
    """A world of real trainings; a share is the mean of five fresh trainings on test, each plan measured once."""

    def __init__(self, name: str, seed: int) -> None:
        from benchmarks.worlds import world

        self._world = world(name, seed)
        self._shares: dict[Plan, float] = {}

    @property
    def problem(self) -> SearchProblem:
        """The search problem as a study would state it."""
        return self._world.problem

    @cached_property
    def gap(self) -> tuple[float, float]:
        """Test objective of the tuned base and of the oracle."""
        return self._world.gap

    def train(self, plan: Plan, seed: int) -> Mapping[str, float]:
        """Train once and score every slice of validation."""
        return self._world.values(self._world.train(plan, seed))

    def share(self, plan: Plan) -> float:
        """Share of the gap that a plan closes on test."""
        if plan not in self._shares:
            self._shares[plan] = self._world.share(plan, self._world.fresh_seeds(SHARE_SEEDS))
        return self._shares[plan]


def case(name: str, seed: int) -> Case:
    """Draw a world: a synthetic one, or one of benchmarks/worlds by its name."""
    if name in SYNTHETIC:
        candidates, noise = SYNTHETIC[name]
        return World(name, candidates, 3, seed, noise)
    return Real(name, seed)
