"""What an engine says of all it has seen: the plan believed best, at free or fixed weights, and what members are worth.

The same for every engine, so that a comparison of engines is about where they look. What goes to the gate as a belief
(`beliefs`, `guard_beliefs`) rests on the metric alone: the soft score rewards confidence, and may only guide a search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.search.book import PlanBook
from autodc.search.encoding import weight_name
from autodc.search.engine import DRAWS, FrontPoint, Observation, Recommendation, SearchProblem
from autodc.search.history import History
from autodc.search.pareto import Tradeoffs
from autodc.search.probes import modeller_of
from autodc.search.recommender import Recommender
from autodc.search.surrogates.posterior import Model
from autodc.search.threads import single_threaded

Array = np.ndarray[Any, Any]


class AnsweringEngine:
    """An engine but for where it looks. What it keeps is for speed: it answers by its arguments, problem and seed."""

    def __init__(self, problem: SearchProblem, seed: int) -> None:
        self._problem, self._seed, self._book = problem, seed, PlanBook(problem)
        self._modeller = modeller_of(self._book.space, problem)
        self._tradeoffs = Tradeoffs(self._book.space, problem)

    def front(self, observed: Sequence[Observation]) -> tuple[FrontPoint, ...]:
        """Return the trained plans that none is believed to beat; see `SearchEngine`."""
        return self._tradeoffs.front(self._modeller, self._book.history(observed), observed)

    @single_threaded
    def recommend(
        self,
        observed: Sequence[Observation],
        required: frozenset[str] = frozenset(),
        excluded: frozenset[str] = frozenset(),
    ) -> Recommendation:
        """Recommend the plan of highest posterior mean; without a single success, the start with what is required."""
        book, history = self._book, self._book.history(observed)
        need, out = book.encoding.columns(required), book.encoding.columns(excluded - required)
        if _knows_nothing(history):
            row = book.start.copy()
            row[out] = 0.0
            row[need] = np.where(row[need] > 0, row[need], 0.7)
            plan = book.encoding.plan(book.space.snap(row[None])[0])
            return Recommendation(plan=plan, mean=0.0, sd=0.0, tuned=plan)
        found = self._recommender(history, observed).choose(need, out)
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
    def settle(
        self,
        observed: Sequence[Observation],
        mixture: Mapping[str, float],
        recipe: str | None = None,
        pretrain: frozenset[str] | None = None,
    ) -> Plan | None:
        """The plan of exactly this mixture at the settings believed best; None where nothing is known."""
        history = self._book.of(observed)
        if _knows_nothing(history):
            return None
        fixed = self._book.fixed(mixture, recipe, pretrain=pretrain)
        return self._book.plan(self._recommender(history, observed).settle(fixed), mixture)

    @single_threaded
    def outlook(self, observed: Sequence[Observation], plans: Sequence[Plan]) -> Array | None:
        """Draw the objective of plans from the posterior, shape (DRAWS, m); None where nothing was observed.

        These observations need not be a prefix of what the book remembers.
        """
        history = self._book.of(observed)
        if _knows_nothing(history):
            return None
        rows = np.array([self._book.encoding.row(plan) for plan in plans])
        rng = seeds.generator(self._seed, "search", "outlook", len(history))
        return self._modeller.objective(history).draws(rng, self._book.space.features(rows), DRAWS)

    @single_threaded
    def beliefs(self, observed: Sequence[Observation], plan: Plan) -> dict[str, tuple[float, float]] | None:
        """Member of a plan → what the objective loses without it, mean and sd; None where nothing is known."""
        history = self._book.of(observed)
        return None if _knows_nothing(history) else self._losses(self._modeller.believed(history.hard), plan)

    @single_threaded
    def guard_beliefs(
        self, observed: Sequence[Observation], plan: Plan
    ) -> dict[str, dict[str, tuple[float, float]]] | None:
        """Guard that was measured → member of a plan → what it loses without that; None where nothing is known."""
        history = self._book.of(observed)
        if _knows_nothing(history):
            return None
        measured = [n for n in self._book.problem.guards if np.isfinite(history.raw[n]).any()]
        return {name: self._losses(self._modeller.slice(name, history.hard), plan) for name in measured}

    def _losses(self, model: Model, plan: Plan) -> dict[str, tuple[float, float]]:
        """What leaving out each member of a plan alone costs; members that the problem does not have are left out."""
        encoding, space = self._book.encoding, self._book.space
        names = [n for n in plan.mixture.added if weight_name(n) in space.index]
        if not names:
            return {}
        left = space.features(np.array([encoding.row(plan.without(n)) for n in names]))
        whole = np.repeat(space.features(encoding.row(plan)[None]), len(names), axis=0)
        means, sds = model.difference(whole, left)
        return {n: (float(mean), float(sd)) for n, mean, sd in zip(names, means, sds, strict=True)}

    def _recommender(self, history: History, observed: Sequence[Observation]) -> Recommender:
        book = self._book
        problem = book.problem
        beyond = self._tradeoffs.beyond(history, observed, book.start)
        return Recommender(
            book.space, self._modeller, history, problem.guards, book.start, self._seed, problem.plain, beyond
        )


def _knows_nothing(history: History) -> bool:
    return not len(history) or bool(history.failed.all())
