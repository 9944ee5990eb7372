"""The default engine: screen by fold-over pairs, then one draw of the posterior for every trial (Thompson sampling)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.search.answers import Answers
from autodc.search.book import PlanBook
from autodc.search.engine import FrontPoint, Observation, Recommendation, SearchProblem, Suggestion
from autodc.search.history import History
from autodc.search.pareto import Tradeoffs
from autodc.search.probes import modeller_of
from autodc.search.proposal import free, thompson, unseen
from autodc.search.screen import Opening, opening
from autodc.search.space import Fixed
from autodc.search.surrogates.ladder import FIRST_FIT
from autodc.search.surrogates.modeller import Modeller

Array = np.ndarray[Any, Any]


@final
class MixtureEngine:
    """Its answers depend on the arguments, the problem and the seed alone; what it keeps is for speed."""

    def __init__(self, problem: SearchProblem, seed: int) -> None:
        self._problem, self._seed = problem, seed
        self._book = PlanBook(problem)
        space = self._book.space
        self._modeller = modeller_of(space, problem)
        self._answers = Answers(self._book, self._modeller, seed)
        self._tradeoffs = Tradeoffs(space, problem)
        enqueued = [self._book.enqueued(weights) for weights in problem.enqueue]
        self._opening: list[Opening] = opening(space, self._book.start, enqueued, seed, problem.probed)

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
        rng = seeds.generator(self._seed, "search", "trial", number)
        pending = [self._book.encoding.row(plan) for plan in running]
        opened = self._openings(observed)
        if number < len(opened) and mixture is None:
            return self._opened(number, opened[number], pending, fixed, rng)
        history = self._book.history(observed)
        if len(history) < FIRST_FIT or history.failed.all():
            row, origin = free(self._book.space, pending, fixed, rng), "random"
        else:
            modeller, guards = self._weighed(number, history, observed), self._problem.guards
            space, moving = self._book.space, None if mixture is None else self._book.space.moving(fixed)
            row = thompson(space, modeller, history, guards, self._book.start, pending, fixed, rng, moving)
            origin = "thompson"
        return Suggestion(plan=self._book.plan(row, mixture), seed_key=f"trial-{number}", origin=origin)

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

    def _weighed(self, number: int, history: History, observed: Sequence[Observation]) -> Modeller:
        if not self._problem.tradeoffs:
            return self._modeller
        return self._tradeoffs.weighed(self._modeller, history, observed, self._seed, number)

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

    def _openings(self, observed: Sequence[Observation]) -> list[Opening]:
        """The opening; of one whose worth in trainings was borrowed from another study, what the user enqueued."""
        borrowed = sum(o.number < 0 for o in observed[: len(self._opening)])
        if borrowed < max(len(self._opening), FIRST_FIT):
            return self._opening
        return [entry for entry in self._opening if entry.origin == "enqueued"]

    def _opened(
        self, number: int, entry: Opening, pending: list[Array], fixed: Fixed, rng: np.random.Generator
    ) -> Suggestion:
        row = entry.row.copy()
        row[fixed.columns] = fixed.values
        row = self._book.space.snap(row[None], clip=False)[0]
        if not len(unseen(row[None], pending)):
            row = free(self._book.space, pending, fixed, rng)
        key = f"pair-{entry.pair}" if entry.pair >= 0 else f"trial-{number}"
        return Suggestion(plan=self._book.encoding.plan(row), seed_key=key, origin=entry.origin)
