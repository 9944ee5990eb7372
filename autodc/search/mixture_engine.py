"""The default engine: screen by fold-over pairs, then one draw of the posterior for every trial (Thompson sampling)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.search.answers import AnsweringEngine
from autodc.search.engine import Observation, SearchProblem, Suggestion
from autodc.search.history import History
from autodc.search.proposal import free, thompson, unseen
from autodc.search.screen import Opening, opening
from autodc.search.space import Fixed
from autodc.search.surrogates.ladder import FIRST_FIT
from autodc.search.surrogates.modeller import Modeller

Array = np.ndarray[Any, Any]


@final
class MixtureEngine(AnsweringEngine):
    """An opening of fold-over pairs, then Thompson sampling."""

    def __init__(self, problem: SearchProblem, seed: int) -> None:
        super().__init__(problem, seed)
        enqueued = [self._book.enqueued(weights) for weights in problem.enqueue]
        self._opening: list[Opening] = opening(self._book.space, self._book.start, enqueued, seed, problem.probed)

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

    def opens(self, number: int, observed: Sequence[Observation]) -> bool:
        """Whether a trial is one of the opening; see `TellsOpening`."""
        return number < len(self._openings(observed))

    def _weighed(self, number: int, history: History, observed: Sequence[Observation]) -> Modeller:
        if not self._problem.tradeoffs:
            return self._modeller
        return self._tradeoffs.weighed(self._modeller, history, observed, self._seed, number)

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
