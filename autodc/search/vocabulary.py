"""An Optuna space in the engine's words and back: weights, conditions, recipe and stages, choices by their index."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, final

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from autodc.plan.plan import Plan, Value
from autodc.search.encoding import STAGES, TWO_STAGES, PlanEncoding, weight_name
from autodc.search.engine import SearchProblem
from autodc.search.space import RECIPE, start_hyperparameters
from autodc.studyfile.study import ParameterSpec

OBJECTIVE = "objective"

_TAKEN = (RECIPE, "weight:", "stage:")
"""How the engine's own dimensions begin."""


@final
class Vocabulary:
    """What a `MixtureSampler` is told, checked, and plans ↔ parameters of trials. Raises ValueError; see there."""

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
        self.space = dict(space)
        self.targets, self.guards, self._probes = dict(targets), dict(guards), dict(probes)
        self._caps = {name: _cap(name, self.space) for name in datasets}
        self._descriptors = {name: tuple(map(float, values)) for name, values in descriptors.items()}
        self._recipe, self._stages = recipe, dict(stages)
        if len(set(datasets)) < len(datasets):
            raise ValueError("a dataset is named twice in datasets")
        _check_numbers(self.targets, self.guards, self._probes, self._caps)
        _check_stages(self.space, self._caps, recipe, self._stages)
        self._recipes = tuple(str(c) for c in self.space[recipe].choices) if recipe and stages else ("concat",)
        whens = self._whens(conditions)
        self._specs = {
            _inner(name): _spec(found, whens.get(name, {}))
            for name, found in self.space.items()
            if self._is_tuning(name)
        }
        self._encoding = PlanEncoding(self.problem(1))

    def problem(self, objectives: int) -> SearchProblem:
        """The search problem of a study with so many objectives."""
        first = self._recipes[0]
        return SearchProblem(
            datasets=tuple(self._caps),
            hyperparameters=self._specs,
            recipes=self._recipes,
            max_weight=1.0,
            targets=self.targets,
            guards=self.guards,
            probes=self._probes,
            descriptors=self._descriptors,
            start=Plan.of({}, start_hyperparameters(self._specs, first), first),
            tradeoffs=self.tradeoffs(objectives),
        )

    def tradeoffs(self, objectives: int) -> tuple[str, ...]:
        """How the engine calls what stands beside the first objective."""
        return tuple(f"objective {i}" for i in range(1, objectives))

    def plan(self, params: Mapping[str, Any]) -> Plan:
        """What a trial with these parameters trains on; what it lacks is at its default."""
        values: dict[str, Value] = {}
        for name, distribution in self.space.items():
            if name not in params:
                continue
            if name in self._caps:
                values[weight_name(name)] = float(params[name]) / self._caps[name]
            elif name == self._recipe and self._stages:
                values[RECIPE] = params[name]
            elif name in self._stage_of:
                values[f"stage:{self._stage_of[name]}"] = params[name]
            else:
                values[_inner(name)] = _inside(distribution, params[name])
        return self._encoding.plan(self._encoding.space.encode(values))

    def params(self, plan: Plan) -> dict[str, Any]:
        """A value for every parameter of the space; those that do not count under this plan are at their default."""
        values = dict(plan.hyperparameters)
        found: dict[str, Any] = {}
        for name, distribution in self.space.items():
            if name in self._caps:
                found[name] = self._caps[name] * min(plan.mixture.weight(name), 1.0)
            elif name == self._recipe and self._stages:
                found[name] = plan.recipe
            elif name in self._stage_of:
                found[name] = plan.stage(self._stage_of[name])
            elif _inner(name) in values:
                found[name] = _outside(distribution, values[_inner(name)])
            else:
                dimension = self._encoding.space.dimensions[self._encoding.space.index[_inner(name)]]
                found[name] = _outside(distribution, dimension.value(dimension.default))
        return found

    def check(self, params: Mapping[str, Any]) -> None:
        """Raise ValueError where a parameter of the space cannot have this value; others are not ours to judge."""
        for name, value in params.items():
            if name in self.space and not _fits(self.space[name], value):
                may = f"a weight from 0 to {self._caps[name]:g}" if name in self._caps else f"of {self.space[name]!r}"
                raise ValueError(f"enqueue_trial: {name!r} is {may}; found {value!r}")

    @property
    def _stage_of(self) -> dict[str, str]:
        return {parameter: dataset for dataset, parameter in self._stages.items()}

    def _is_tuning(self, name: str) -> bool:
        return name not in self._caps and name not in self._stage_of and not (name == self._recipe and self._stages)

    def _whens(self, conditions: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """Conditions with the values the engine knows: a choice by its index, the recipe by its name."""
        whens: dict[str, dict[str, Any]] = {}
        for name, wanted in conditions.items():
            if name not in self.space or not self._is_tuning(name):
                raise ValueError(f"conditions: {name!r} is no hyperparameter of the space")
            whens[name] = dict(self._when(name, other, value) for other, value in wanted.items())
        after = {name: [o for o in wanted if o in whens] for name, wanted in whens.items()}
        try:
            TopologicalSorter(after).prepare()
        except CycleError as error:
            raise ValueError(f"conditions wait for each other in a circle: {' -> '.join(error.args[1])}") from None
        return whens

    def _when(self, name: str, other: str, wanted: Any) -> tuple[str, list[Any]]:
        found, place = self.space.get(other), f"conditions: {name!r} when {other!r}"
        if found is None or other in self._caps or other in self._stage_of:
            raise ValueError(f"{place}: a condition looks at the recipe or another hyperparameter of the space")
        values = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
        if isinstance(found, CategoricalDistribution):
            unknown = [v for v in values if v not in found.choices]
        else:
            unknown = [v for v in values if not found._contains(v)]
        if unknown or not values:
            raise ValueError(f"{place}: it never has the value {unknown[0] if unknown else wanted!r}; it is {found!r}")
        if other == self._recipe and self._stages:
            return RECIPE, values
        return _inner(other), [_inside(found, v) for v in values]


def _inner(name: str) -> str:
    """The engine's name of a hyperparameter."""
    return f"own:{name}" if name.startswith(_TAKEN) else name


def _cap(name: str, space: Mapping[str, BaseDistribution]) -> float:
    found = space.get(name)
    if found is None:
        raise ValueError(f"dataset {name!r} has no distribution in the space: it is not in it")
    if not isinstance(found, FloatDistribution) or found.low != 0.0 or found.high <= 0.0 or found.step is not None:
        raise ValueError(f"the weight of {name!r} is a float from 0 to its cap, without a step; found {found!r}")
    return float(found.high)


def _check_numbers(
    targets: Mapping[str, float], guards: Mapping[str, float], probes: Mapping[str, float], caps: Mapping[str, float]
) -> None:
    for what, numbers, least in (("targets", targets, 0.0), ("guards", guards, 0.0), ("probes", probes, -math.inf)):
        for name, value in numbers.items():
            if not math.isfinite(value) or value < least or (what == "targets" and value == 0):
                raise ValueError(
                    f"{what}: {name!r} needs a number{' above 0' if what == 'targets' else ''}; found {value}"
                )
    if unknown := [name for name in probes if name not in caps]:
        raise ValueError(f"probes: {unknown[0]!r} is not in datasets")


def _check_stages(
    space: Mapping[str, BaseDistribution], caps: Mapping[str, float], recipe: str | None, stages: Mapping[str, str]
) -> None:
    """With stages, every dataset has one, and the recipe says where they count."""
    if recipe is not None and recipe not in space:
        raise ValueError(f"recipe: {recipe!r} is not in the space")
    if not stages:
        return
    found = space.get(recipe) if recipe else None
    if not isinstance(found, CategoricalDistribution) or TWO_STAGES not in found.choices:
        raise ValueError(f"stages need a recipe: a categorical parameter with {TWO_STAGES!r} among its choices")
    if set(stages) != set(caps):
        raise ValueError(f"stages: every dataset has one or none has; found {sorted(stages)} for {sorted(caps)}")
    for dataset, parameter in stages.items():
        choices = getattr(space.get(parameter), "choices", ())
        if set(choices) != set(STAGES):
            raise ValueError(f"stages: {parameter!r}, of {dataset!r}, is not a choice of {' and '.join(STAGES)}")


def _spec(distribution: BaseDistribution, when: Mapping[str, Any]) -> ParameterSpec:
    """A distribution in the words of a study file; a choice is searched by its index, a single value is one choice."""
    if isinstance(distribution, CategoricalDistribution):
        return ParameterSpec(type="categorical", choices=tuple(range(len(distribution.choices))), when=dict(when))
    if not isinstance(distribution, (FloatDistribution, IntDistribution)):
        raise ValueError(f"a float, int or categorical distribution is needed, not {distribution!r}")
    if distribution.single():
        return ParameterSpec(type="categorical", choices=(0,), when=dict(when))
    return ParameterSpec.model_validate(
        {
            "type": "int" if isinstance(distribution, IntDistribution) else "float",
            "low": distribution.low,
            "high": distribution.high,
            "log": distribution.log,
            "step": None if distribution.log else distribution.step,
            "when": dict(when),
        }
    )


def _fits(distribution: BaseDistribution, value: Any) -> bool:
    """Whether a parameter may have this value."""
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))
    except (TypeError, ValueError):
        return False


def _inside(distribution: BaseDistribution, value: Any) -> Value:
    """A value of a trial as the engine knows it."""
    if isinstance(distribution, CategoricalDistribution):
        return int(distribution.to_internal_repr(value))
    return 0 if distribution.single() else float(value)


def _outside(distribution: BaseDistribution, value: Value) -> Any:
    """A value of the engine as Optuna wants it."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(value)]
    if distribution.single():
        return distribution.low
    if isinstance(distribution, IntDistribution):
        return int(value)
    return float(min(max(float(value), distribution.low), distribution.high))
