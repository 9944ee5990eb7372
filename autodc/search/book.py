"""Plans and observations of one problem as rows and histories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_
from typing import Any, final

import numpy as np

from autodc.plan.plan import Plan, Value
from autodc.search.encoding import STAGES, PlanEncoding, stage_name, weight_name
from autodc.search.engine import Observation, SearchProblem
from autodc.search.history import Growing, History, Record
from autodc.search.space import RECIPE, Fixed, Space

Array = np.ndarray[Any, Any]


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

    def fixed(
        self,
        mixture: Mapping[str, float] | None = None,
        recipe: str | None = None,
        excluded: frozenset[str] = frozenset(),
        pretrain: frozenset[str] | None = None,
    ) -> Fixed:
        """What a mixture, a recipe, or datasets that are excluded leave no choice of; datasets not known are ignored.

        pretrain: with a mixture, and a recipe where there are several, the datasets of that stage. Raises ValueError
        for a recipe that the problem does not have.
        """
        if recipe is not None and recipe not in self.problem.recipes:
            raise ValueError(f"recipe: there is no {recipe!r}; found {', '.join(self.problem.recipes)}")
        if mixture is None:
            columns = self.encoding.columns(excluded)
            return Fixed(columns=columns, values=np.zeros(len(columns)))
        values: dict[str, Value] = {weight_name(n): float(mixture.get(n, 0.0)) for n in self.problem.datasets}
        held = [int(c) for c in self.space.weights]
        if recipe is not None and RECIPE in self.space.index:
            values[RECIPE] = recipe
        if pretrain is not None:
            values |= {stage_name(n): STAGES[n in pretrain] for n in self.problem.datasets}
            held += [int(c) for c in self.space.stages]
        row = self.space.encode(values)
        if RECIPE in values:  # as it was asked for, also where it has nothing to do
            column = self.space.index[RECIPE]
            row[column] = self.space.dimensions[column].unit(recipe)
            held.append(column)
        return Fixed(columns=np.array(held, dtype=int), values=row[held])

    def plan(self, row: Array, mixture: Mapping[str, float] | None = None) -> Plan:
        """The plan of a row; of exactly this mixture, datasets not known among them, where it is given."""
        plan = self.encoding.plan(row)
        return plan if mixture is None else Plan.of(mixture, dict(plan.hyperparameters), plan.recipe, plan.pretrain)

    def history(self, observed: Sequence[Observation]) -> History:
        """All observations as arrays."""
        for seen in observed[len(self._records) :]:
            self._seen.append(seen)
            self._records.append(
                Record(
                    row=self.encoding.row(seen.plan),
                    seed=seen.seed,
                    values=seen.values,
                    soft=seen.soft,
                    fidelity=seen.fidelity,
                )
            )
        return self._records.first(len(observed))

    def of(self, observed: Sequence[Observation]) -> History:
        """The history of observations that need not be a prefix of what was seen."""
        known = len(observed) <= len(self._seen) and all(map(is_, observed, self._seen))
        return self.history(observed) if known else PlanBook(self.problem, self.encoding).history(observed)
