"""The control: plans drawn at random, recommended as well as any, so that a comparison is about where it looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.search.answers import AnsweringEngine
from autodc.search.engine import Observation, SearchProblem, Suggestion
from autodc.search.pending import Pending
from autodc.search.proposal import free

Array = np.ndarray[Any, Any]


@final
class RandomEngine(AnsweringEngine):
    """Draws every plan from (seed, number), and again only where that plan is being trained."""

    def __init__(self, problem: SearchProblem, seed: int) -> None:
        super().__init__(problem, seed)
        self._pending = Pending(self._book.encoding)

    def suggest(
        self,
        number: int,
        observed: Sequence[Observation],
        running: Sequence[Plan],
        excluded: frozenset[str] = frozenset(),
        mixture: Mapping[str, float] | None = None,
        recipe: str | None = None,
        pretrain: frozenset[str] | None = None,
    ) -> Suggestion:
        """Propose the plan of search trial `number`; see `SearchEngine`."""
        fixed = self._book.fixed(mixture, recipe, excluded, pretrain)
        rng = seeds.generator(self._seed, "search", "random", number)
        pending = self._pending.rows(running)
        row = free(self._book.space, pending, fixed, rng)
        return Suggestion(plan=self._book.plan(row, mixture), seed_key=f"trial-{number}", origin="random")

    def opens(self, number: int, observed: Sequence[Observation]) -> bool:
        """Never: there is no opening; see `TellsOpening`."""
        return False
