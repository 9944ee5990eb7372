"""The default engine: screen by fold-over pairs, then one draw of the posterior for every trial (Thompson sampling)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.search.encoding import PlanEncoding, weight_name
from autodc.search.engine import DRAWS, FrontPoint, Observation, Recommendation, SearchProblem, Suggestion
from autodc.search.history import Growing, History, Record
from autodc.search.pareto import Tradeoffs
from autodc.search.probes import modeller_of
from autodc.search.proposal import free, thompson, unseen
from autodc.search.recommender import Recommender
from autodc.search.screen import Opening, opening
from autodc.search.space import Space
from autodc.search.surrogates.fitting import FIRST_FIT
from autodc.search.surrogates.modeller import Modeller
from autodc.search.threads import single_threaded

Array = np.ndarray[Any, Any]


@final
class MixtureEngine:
    """Its answers depend on the arguments, the problem and the seed alone; what it keeps is for speed."""

    def __init__(self, problem: SearchProblem, seed: int) -> None:
        self._problem, self._seed = problem, seed
        self._book = PlanBook(problem)
        space = self._book.space
        self._modeller = modeller_of(space, problem)
        self._tradeoffs = Tradeoffs(space, problem)
        enqueued = [self._book.enqueued(weights) for weights in problem.enqueue]
        self._opening: list[Opening] = opening(space, self._book.start, enqueued, seed)

    def suggest(
        self,
        number: int,
        observed: Sequence[Observation],
        running: Sequence[Plan],
        excluded: frozenset[str] = frozenset(),
    ) -> Suggestion:
        """Propose the plan of search trial `number`; see `SearchEngine`."""
        out = self._book.encoding.columns(excluded)
        rng = seeds.generator(self._seed, "search", "trial", number)
        pending = [self._book.encoding.row(plan) for plan in running]
        opened = self._openings(observed)
        if number < len(opened):
            return self._opened(number, opened[number], pending, out, rng)
        history = self._book.history(observed)
        if len(history) < FIRST_FIT or history.failed.all():
            row, origin = free(self._book.space, pending, out, rng), "random"
        else:
            modeller, guards = self._weighed(number, history, observed), self._problem.guards
            row = thompson(self._book.space, modeller, history, guards, self._book.start, pending, out, rng)
            origin = "thompson"
        return Suggestion(plan=self._book.encoding.plan(row), seed_key=f"trial-{number}", origin=origin)

    def recommend(
        self,
        observed: Sequence[Observation],
        required: frozenset[str] = frozenset(),
        excluded: frozenset[str] = frozenset(),
    ) -> Recommendation:
        """Recommend by posterior mean; see `SearchEngine`."""
        return recommend(self._book, self._modeller, observed, required, excluded, self._seed)

    def front(self, observed: Sequence[Observation]) -> tuple[FrontPoint, ...]:
        """Return the trained plans that none is believed to beat; see `SearchEngine`."""
        return self._tradeoffs.front(self._modeller, self._book.history(observed), observed)

    def _weighed(self, number: int, history: History, observed: Sequence[Observation]) -> Modeller:
        if not self._problem.tradeoffs:
            return self._modeller
        return self._tradeoffs.weighed(self._modeller, history, observed, self._seed, number)

    def outlook(self, observed: Sequence[Observation], plans: Sequence[Plan]) -> Array | None:
        """Draw the objective of these plans; see `SearchEngine`."""
        return outlook(self._book, self._modeller, observed, plans, self._seed)

    def _openings(self, observed: Sequence[Observation]) -> list[Opening]:
        """The opening; of one whose worth in trainings was borrowed from another study, what the user enqueued."""
        borrowed = sum(o.number < 0 for o in observed[: len(self._opening)])
        if borrowed < max(len(self._opening), FIRST_FIT):
            return self._opening
        return [entry for entry in self._opening if entry.origin == "enqueued"]

    def _opened(
        self, number: int, entry: Opening, pending: list[Array], out: Array, rng: np.random.Generator
    ) -> Suggestion:
        row = entry.row.copy()
        row[out] = 0.0
        row = self._book.space.snap(row[None], clip=False)[0]
        if not len(unseen(row[None], pending)):
            row = free(self._book.space, pending, out, rng)
        key = f"pair-{entry.pair}" if entry.pair >= 0 else f"trial-{number}"
        return Suggestion(plan=self._book.encoding.plan(row), seed_key=key, origin=entry.origin)


@final
class PlanBook:
    """Plans and observations of one problem as rows and histories.

    Each is encoded once, for speed alone: a book that is opened in the middle of a study says the same.
    """

    def __init__(self, problem: SearchProblem, encoding: PlanEncoding | None = None) -> None:
        self.problem = problem
        self.encoding = PlanEncoding(problem) if encoding is None else encoding
        self.space: Space = self.encoding.space
        self.start = self.encoding.row(problem.start)
        self._records = Growing(len(self.space), problem.targets, tuple(problem.guards))
        self._seen: list[Observation] = []

    def enqueued(self, weights: Mapping[str, float]) -> Array:
        """The row of a mixture the user wants tried first, at the start's hyperparameters."""
        row = self.start.copy()
        row[self.space.weights] = 0.0
        for name, weight in weights.items():
            if (dimension := weight_name(name)) in self.space.index:
                i = self.space.index[dimension]
                row[i] = self.space.dimensions[i].unit(weight)
        return np.asarray(self.space.snap(row[None])[0])

    def history(self, observed: Sequence[Observation]) -> History:
        """All observations as arrays."""
        for seen in observed[len(self._records) :]:
            self._seen.append(seen)
            self._records.append(
                Record(row=self.encoding.row(seen.plan), seed=seen.seed, values=seen.values, fidelity=seen.fidelity)
            )
        return self._records.first(len(observed))

    def of(self, observed: Sequence[Observation]) -> History:
        """The history of observations that need not be a prefix of what was seen."""
        known = len(observed) <= len(self._seen) and all(map(is_, observed, self._seen))
        return self.history(observed) if known else PlanBook(self.problem, self.encoding).history(observed)


@single_threaded
def recommend(
    book: PlanBook,
    modeller: Modeller,
    observed: Sequence[Observation],
    required: frozenset[str],
    excluded: frozenset[str],
    seed: int,
) -> Recommendation:
    """Recommend the plan of highest posterior mean; without a single success, the start with what is required."""
    history = book.history(observed)
    need, out = book.encoding.columns(required), book.encoding.columns(excluded - required)
    if not len(history) or history.failed.all():
        row = book.start.copy()
        row[out] = 0.0
        row[need] = np.where(row[need] > 0, row[need], 0.7)
        plan = book.encoding.plan(book.space.snap(row[None])[0])
        return Recommendation(plan=plan, mean=0.0, sd=0.0, tuned=plan)
    found = Recommender(book.space, modeller, history, book.problem.guards, book.start, seed).choose(need, out)
    plan = book.encoding.plan(found.row)
    effects, weights = {}, {}
    for name in book.problem.datasets:
        column = book.space.index[weight_name(name)]
        effects[name] = found.effects[column]
        weights[name] = round(book.problem.max_weight * found.levels[column] ** 2, 4)
    return Recommendation(
        plan=plan,
        mean=found.mean,
        sd=found.sd,
        worth={name: effects[name][0] for name in plan.mixture.added},
        effects=effects,
        weights=weights,
        tuned=book.encoding.plan(found.tuned),
    )


@single_threaded
def outlook(
    book: PlanBook, modeller: Modeller, observed: Sequence[Observation], plans: Sequence[Plan], seed: int
) -> Array | None:
    """Draw the objective of plans from the posterior, shape (DRAWS, m); None where nothing was observed.

    These observations need not be a prefix of what the book remembers.
    """
    history = book.of(observed)
    if not len(history) or history.failed.all():
        return None
    rows = np.array([book.encoding.row(plan) for plan in plans])
    rng = seeds.generator(seed, "search", "outlook", len(history))
    return modeller.objective(history).draws(rng, book.space.features(rows), DRAWS)
