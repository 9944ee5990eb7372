"""The space of a `MixtureSampler`, checked: which of its names is what. Every refusal says which and how."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any, final

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from autodc.search.distributions import fits, inside
from autodc.search.encoding import STAGES, TWO_STAGES
from autodc.search.space import RECIPE

_TAKEN = (RECIPE, "weight:", "stage:")
"""How the engine's own dimensions begin."""


@final
@dataclass(frozen=True)
class SamplerSpace:
    """An Optuna space whose names are weights of datasets, their stages, the recipe, or hyperparameters."""

    distributions: Mapping[str, BaseDistribution]
    caps: Mapping[str, float]
    """Dataset → its largest weight."""

    recipe: str | None
    """The parameter that says in which stages there is training; None where there are no stages."""

    stages: Mapping[str, str]
    """Dataset → the parameter that is its stage."""

    @classmethod
    def of(
        cls,
        distributions: Mapping[str, BaseDistribution],
        datasets: Sequence[str],
        recipe: str | None,
        stages: Mapping[str, str],
    ) -> SamplerSpace:
        """Sort the names of a space. Raises ValueError where they do not fit each other."""
        caps = {name: _cap(name, distributions) for name in datasets}
        if len(set(datasets)) < len(datasets):
            raise ValueError("a dataset is named twice in datasets")
        if recipe is not None and recipe not in distributions:
            raise ValueError(f"recipe: {recipe!r} is not in the space")
        if stages:
            _check_stages(distributions, caps, recipe, stages)
        return cls(dict(distributions), caps, recipe if stages else None, dict(stages))

    @cached_property
    def stage_of(self) -> Mapping[str, str]:
        """Parameter → the dataset whose stage it is."""
        return {parameter: dataset for dataset, parameter in self.stages.items()}

    @property
    def recipes(self) -> tuple[str, ...]:
        """What the recipe may be."""
        return tuple(str(c) for c in self.distributions[self.recipe].choices) if self.recipe else ("concat",)

    @cached_property
    def hyperparameters(self) -> tuple[str, ...]:
        """The names that are nothing else."""
        return tuple(n for n in self.distributions if not (n in self.caps or n in self.stage_of or n == self.recipe))

    def conditions(self, wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """Conditions with the values the engine knows: a choice by its index, the recipe by its name."""
        whens: dict[str, dict[str, Any]] = {}
        for name, others in wanted.items():
            if name not in self.hyperparameters:
                raise ValueError(f"conditions: {name!r} is no hyperparameter of the space")
            whens[name] = dict(self._condition(name, other, value) for other, value in others.items())
        after = {name: [o for o in others if o in whens] for name, others in whens.items()}
        try:
            TopologicalSorter(after).prepare()
        except CycleError as error:
            raise ValueError(f"conditions wait for each other in a circle: {' -> '.join(error.args[1])}") from None
        return whens

    def check(self, params: Mapping[str, Any]) -> None:
        """Raise ValueError where a parameter of the space cannot have this value; others are not ours to judge."""
        for name, value in params.items():
            distribution = self.distributions.get(name)
            if distribution is not None and not fits(distribution, value):
                may = f"a weight from 0 to {self.caps[name]:g}" if name in self.caps else f"of {distribution!r}"
                raise ValueError(f"enqueue_trial: {name!r} is {may}; found {value!r}")

    def _condition(self, name: str, other: str, wanted: Any) -> tuple[str, list[Any]]:
        distribution, place = self.distributions.get(other), f"conditions: {name!r} when {other!r}"
        if distribution is None or other in self.caps or other in self.stage_of:
            raise ValueError(f"{place}: a condition looks at the recipe or another hyperparameter of the space")
        values = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
        unknown = [v for v in values if not _has(distribution, v)]
        if unknown or not values:
            never = unknown[0] if unknown else wanted
            raise ValueError(f"{place}: it never has the value {never!r}; it is {distribution!r}")
        if other == self.recipe:
            return RECIPE, values
        return inner(other), [inside(distribution, v) for v in values]


def inner(name: str) -> str:
    """The engine's name of a hyperparameter."""
    return f"own:{name}" if name.startswith(_TAKEN) else name


def check_numbers(
    targets: Mapping[str, float], guards: Mapping[str, float], probes: Mapping[str, float], datasets: Mapping[str, Any]
) -> None:
    """Raise ValueError where a weight, margin or probe is no number, or not large enough; or a probe is of nothing."""
    for what, numbers, least in (("targets", targets, 0.0), ("guards", guards, 0.0), ("probes", probes, -math.inf)):
        for name, value in numbers.items():
            if not math.isfinite(value) or value < least or (what == "targets" and value == 0):
                above = " above 0" if what == "targets" else ""
                raise ValueError(f"{what}: {name!r} needs a number{above}; found {value}")
    if unknown := [name for name in probes if name not in datasets]:
        raise ValueError(f"probes: {unknown[0]!r} is not in datasets")


def _has(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    return bool(distribution._contains(value))


def _cap(name: str, space: Mapping[str, BaseDistribution]) -> float:
    found = space.get(name)
    if found is None:
        raise ValueError(f"dataset {name!r} has no distribution in the space: it is not in it")
    if not isinstance(found, FloatDistribution) or found.low != 0.0 or found.high <= 0.0 or found.step is not None:
        raise ValueError(f"the weight of {name!r} is a float from 0 to its cap, without a step; found {found!r}")
    return float(found.high)


def _check_stages(
    space: Mapping[str, BaseDistribution], caps: Mapping[str, float], recipe: str | None, stages: Mapping[str, str]
) -> None:
    """With stages, every dataset has one, and the recipe says where they count."""
    found = space.get(recipe) if recipe else None
    if not isinstance(found, CategoricalDistribution) or TWO_STAGES not in found.choices:
        raise ValueError(f"stages need a recipe: a categorical parameter with {TWO_STAGES!r} among its choices")
    if set(stages) != set(caps):
        raise ValueError(f"stages: every dataset has one or none has; found {sorted(stages)} for {sorted(caps)}")
    for dataset, parameter in stages.items():
        choices = getattr(space.get(parameter), "choices", ())
        if set(choices) != set(STAGES):
            raise ValueError(f"stages: {parameter!r}, of {dataset!r}, is not a choice of {' and '.join(STAGES)}")
