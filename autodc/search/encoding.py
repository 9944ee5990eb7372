"""Plans as rows of the cube: one u per dataset, one stage where there are two, the recipe, the hyperparameters."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from autodc.plan.plan import Plan, Value
from autodc.search.clusters import clusters
from autodc.search.engine import SearchProblem
from autodc.search.space import RECIPE, Dimension, Space, dimension_of

Array = np.ndarray[Any, Any]

TWO_STAGES = "pretrain_finetune"
STAGES = ("main", "pretrain")
PLAIN = "concat"
"""The recipe that all are where they have nothing to do."""


@final
class PlanEncoding:
    """Plan ↔ row. A row of the cube is a plan that keeps the caps; any plan has a row, known datasets only."""

    def __init__(self, problem: SearchProblem) -> None:
        self.problem = problem
        several = len(problem.recipes) > 1
        staged = TWO_STAGES in problem.recipes
        dimensions: list[Dimension] = []
        if several:
            dimensions.append(_recipe(problem))
        dimensions += [Dimension(name=weight_name(d), kind="weight", high=problem.max_weight) for d in problem.datasets]
        if staged:
            dimensions += [
                Dimension(
                    name=stage_name(d),
                    kind="choice",
                    choices=STAGES,
                    when=((RECIPE, TWO_STAGES),),
                    stage_of=weight_name(d),
                )
                for d in problem.datasets
            ]
        dimensions += [dimension_of(name, spec) for name, spec in problem.hyperparameters.items()]
        bands = clusters(problem.datasets, problem.descriptors)
        names = [[[weight_name(problem.datasets[i]) for i in one] for one in band] for band in bands]
        self.space = Space(dimensions, {} if several else {RECIPE: problem.recipes[0]}, names)

    def row(self, plan: Plan) -> Array:
        """Encode a plan; a weight above the cap gives u above 1, so that old observations stay true."""
        values: dict[str, Value] = dict(plan.hyperparameters)
        values[RECIPE] = plan.recipe
        weights, pretrain = plan.mixture.to_dict(), frozenset(plan.pretrain)
        for name in self.problem.datasets:
            values[weight_name(name)] = weights.get(name, 0.0)
            values[stage_name(name)] = STAGES[name in pretrain]
        return self.space.encode(values)

    def plan(self, row: Array) -> Plan:
        """Decode a row."""
        values = self.space.decode(row)
        recipe = str(values.pop(RECIPE, self.problem.recipes[0]))
        weights = {name: float(values.pop(weight_name(name), 0.0)) for name in self.problem.datasets}
        pretrain = frozenset(n for n in self.problem.datasets if values.pop(stage_name(n), STAGES[0]) == STAGES[1])
        return Plan.of(weights, values, recipe, pretrain)

    def columns(self, names: frozenset[str]) -> Array:
        """The columns of these datasets' weights; names not known are ignored."""
        known = [self.space.index[weight_name(n)] for n in self.problem.datasets if n in names]
        return np.array(known, dtype=int)


def _recipe(problem: SearchProblem) -> Dimension:
    """The choice of recipe: one that has nothing to do is plain training."""
    choices = tuple(problem.recipes)
    if PLAIN not in choices or not problem.datasets:
        return Dimension(name=RECIPE, kind="choice", choices=choices)
    needs = {
        one: tuple(stage_name(d) if one == TWO_STAGES else weight_name(d) for d in problem.datasets)
        for one in choices
        if one in problem.inert
    }
    return Dimension(name=RECIPE, kind="choice", choices=choices, idle=tuple(needs.items()), rest=PLAIN)


def weight_name(dataset: str) -> str:
    """The dimension of a dataset's weight; hyperparameters have names without a colon of this kind."""
    return f"weight:{dataset}"


def stage_name(dataset: str) -> str:
    """The dimension of a dataset's stage."""
    return f"stage:{dataset}"
