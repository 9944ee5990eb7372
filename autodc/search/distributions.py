"""One Optuna distribution in the engine's words and back: a choice by its index, a single value as one choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from autodc.plan.plan import Value
from autodc.studyfile.study import ParameterSpec


def specification(distribution: BaseDistribution, when: Mapping[str, Any]) -> ParameterSpec:
    """A distribution in the words of a study file."""
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


def fits(distribution: BaseDistribution, value: Any) -> bool:
    """Whether a parameter may have this value."""
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))
    except (TypeError, ValueError):
        return False


def inside(distribution: BaseDistribution, value: Any) -> Value:
    """A value of a trial as the engine knows it."""
    if isinstance(distribution, CategoricalDistribution):
        return int(distribution.to_internal_repr(value))
    return 0 if distribution.single() else float(value)


def outside(distribution: BaseDistribution, value: Value) -> Any:
    """A value of the engine as Optuna wants it."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(value)]
    if distribution.single():
        return distribution.low
    if isinstance(distribution, IntDistribution):
        return int(value)
    return float(min(max(float(value), distribution.low), distribution.high))
