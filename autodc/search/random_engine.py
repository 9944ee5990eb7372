"""The control: plans drawn at random, recommended as well as any, so that a comparison is about where it looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.search.answers import Answers
from autodc.search.book import PlanBook
from autodc.search.engine import FrontPoint, Observation, Recommendation, SearchProblem, Suggestion
from autodc.search.pareto import Tradeoffs
from autodc.search.probes import modeller_of
from autodc.search.proposal import free

Array = np.ndarray[Any, Any]


@final
class RandomEngine:
    """Draws every plan from (seed, number), and again only where that plan is being trained."""

    def __init__(self, problem: SearchProblem, seed: int) -> None:
        self._seed, self._book = seed, PlanBook(problem)
        space = self._book.space
        self._modeller = modeller_of(space, problem)
        self._answers = Answers(self._book, self._modeller, seed)
        self._tradeoffs = Tradeoffs(space, problem)

    def suggest(
        self,
        number: int,
        observed: Sequence[Observation],
        running: Sequence[Plan],
        excluded: frozenset[str] = frozenset(),
        mixture: Mapping[str, float] | None = None,
    ) -> Suggestion:
        """Propose the plan of search trial `number`; see `SearchEngine`."""
        fixed = self._book.fixed(mixture, excluded=excluded)
        rng = seeds.generator(self._seed, "search", "random", number)
        pending = [self._book.encoding.row(plan) for plan in running]
        row = free(self._book.space, pending, fixed, rng)
        return Suggestion(plan=self._book.plan(row, mixture), seed_key=f"trial-{number}", origin="random")

    def recommend(
        self,
        observed: Sequence[Observation],
        required: frozenset[str] = frozenset(),
        excluded: frozenset[str] = frozenset(),
    ) -> Recommendation:
        """Recommend by posterior mean; see `SearchEngine`."""
        return self._answers.recommend(observed, required, excluded)

    def front(self, observed: Sequence[Observation]) -> tuple[FrontPoint, ...]:
        """Return the trained plans that none is believed to beat; see `SearchEngine`."""
        return self._tradeoffs.front(self._modeller, self._book.history(observed), observed)

    def outlook(self, observed: Sequence[Observation], plans: Sequence[Plan]) -> Array | None:
        """Draw the objective of these plans; see `SearchEngine`."""
        return self._answers.outlook(observed, plans)

    def settle(
        self, observed: Sequence[Observation], mixture: Mapping[str, float], recipe: str | None = None
    ) -> Plan | None:
        """Settle the settings of a mixture; see `SearchEngine`."""
        return self._answers.settle(observed, mixture, recipe)

    def beliefs(self, observed: Sequence[Observation], plan: Plan) -> Mapping[str, tuple[float, float]] | None:
        """Say what every member of a plan is worth in it; see `SearchEngine`."""
        return self._answers.beliefs(observed, plan)

    def guard_beliefs(
        self, observed: Sequence[Observation], plan: Plan
    ) -> Mapping[str, Mapping[str, tuple[float, float]]] | None:
        """Say what every member of a plan is worth to every guard; see `SearchEngine`."""
        return self._answers.guard_beliefs(observed, plan)
