"""Trials of an Optuna study in the engine's words and back: weights, conditions, recipe and stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

from optuna.distributions import BaseDistribution

from autodc.plan.plan import Plan, Value
from autodc.search.distributions import inside, outside, specification
from autodc.search.encoding import PlanEncoding, weight_name
from autodc.search.engine import SearchProblem
from autodc.search.sampler_space import SamplerSpace, check_numbers, inner
from autodc.search.space import RECIPE, start_hyperparameters

OBJECTIVE = "objective"


@final
class Vocabulary:
    """Plans ↔ parameters of trials. Raises ValueError where what it is given does not fit; see `MixtureSampler`."""

    def __init__(
        self,
        space: Mapping[str, BaseDistribution],
        *,
        datasets: Sequence[str],
        targets: Mapping[str, float],
        guards: Mapping[str, float],
        probes: Mapping[str, float],
        descriptors: Mapping[str, Sequence[float]],
        conditions: Mapping[str, Mapping[str, Any]],
        recipe: str | None,
        stages: Mapping[str, str],
    ) -> None:
        self.space = SamplerSpace.of(space, datasets, recipe, stages)
        self.targets, self.guards, self._probes = dict(targets), dict(guards), dict(probes)
        check_numbers(self.targets, self.guards, self._probes, self.space.caps)
        self._descriptors = {name: tuple(map(float, values)) for name, values in descriptors.items()}
        whens = self.space.conditions(conditions)
        self._specs = {
            inner(name): specification(space[name], whens.get(name, {})) for name in self.space.hyperparameters
        }
        self._encoding = PlanEncoding(self.problem(1))

    def problem(self, objectives: int) -> SearchProblem:
        """The search problem of a study with so many objectives."""
        first = self.space.recipes[0]
        return SearchProblem(
            datasets=tuple(self.space.caps),
            hyperparameters=self._specs,
            recipes=self.space.recipes,
            max_weight=1.0,
            targets=self.targets,
            guards=self.guards,
            probes=self._probes,
            descriptors=self._descriptors,
            start=Plan.of({}, start_hyperparameters(self._specs, first), first),
            tradeoffs=self.tradeoffs(objectives),
            inert=frozenset(),
        )

    def tradeoffs(self, objectives: int) -> tuple[str, ...]:
        """How the engine calls what stands beside the first objective."""
        return tuple(f"objective {i}" for i in range(1, objectives))

    def plan(self, params: Mapping[str, Any]) -> Plan:
        """What a trial with these parameters trains on; what it lacks is at its default."""
        space, values = self.space, dict[str, Value]()
        for name, distribution in space.distributions.items():
            if name not in params:
                continue
            if name in space.caps:
                values[weight_name(name)] = float(params[name]) / space.caps[name]
            elif name == space.recipe:
                values[RECIPE] = params[name]
            elif name in space.stage_of:
                values[f"stage:{space.stage_of[name]}"] = params[name]
            else:
                values[inner(name)] = inside(distribution, params[name])
        return self._encoding.plan(self._encoding.space.encode(values))

    def params(self, plan: Plan) -> dict[str, Any]:
        """A value for every parameter of the space; those that do not count under this plan are at their default."""
        return {name: self._parameter(name, plan, dict(plan.hyperparameters)) for name in self.space.distributions}

    def _parameter(self, name: str, plan: Plan, hyperparameters: Mapping[str, Value]) -> Any:
        if name in self.space.caps:
            return self.space.caps[name] * min(plan.mixture.weight(name), 1.0)
        if name == self.space.recipe:
            return plan.recipe
        if name in self.space.stage_of:
            return plan.stage(self.space.stage_of[name])
        return outside(self.space.distributions[name], hyperparameters.get(inner(name), self._default(name)))

    def _default(self, name: str) -> Value:
        cube = self._encoding.space
        dimension = cube.dimensions[cube.index[inner(name)]]
        return dimension.value(dimension.default)
