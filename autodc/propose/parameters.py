"""Parameters of a generator: what it declares, what a proposal fixes or narrows, and settings drawn from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from pydantic import ValidationError
from scipy.stats import qmc

from autodc.hints import suggest
from autodc.studyfile.values import ParameterSpec
from autodc.trial.call import CallError

Value = Any
"""A number, a text, true, false or null."""
Setting = Mapping[str, Value]
"""A value for every parameter."""

NUMBERS = ("int", "float")
LEVELS_DIGITS = 6
"""Significant digits of a number that is drawn."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter: an interval of numbers, or choices."""

    name: str
    type: str
    """float, int or categorical."""
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float | None = None
    choices: tuple[Value, ...] = ()
    identity: Value = None
    """The value that changes nothing; None: there is none."""
    gap: tuple[float, float] | None = None
    """An open interval within that is left out, where both sides of the value of no effect are meant."""

    @property
    def is_number(self) -> bool:
        """Whether it lies in an interval."""
        return self.type in NUMBERS

    @property
    def is_fixed(self) -> bool:
        """Whether there is nothing to choose."""
        return self.low == self.high if self.is_number else len(self.choices) == 1

    def value(self, u: float) -> Value:
        """The value at u in [0, 1] of the interval, or of the list of choices."""
        if not self.is_number:
            return self.choices[min(int(u * len(self.choices)), len(self.choices) - 1)]
        low, high = self._scaled(self.low), self._scaled(self.high)
        if self.gap is None:
            found = low + u * (high - low)
        else:
            left, right = (self._scaled(v) for v in self.gap)
            found = low + u * (left - low + high - right)
            found = found if found <= left else found + right - left
        found = math.exp(found) if self.log else found
        if self.step is not None:
            found = self.low + self.step * round((found - self.low) / self.step)
        found = min(max(found, self.low), self.high)
        return round(found) if self.type == "int" else float(f"{found:.{LEVELS_DIGITS}g}")

    def unit(self, value: Value) -> float:
        """Where a value lies in [0, 1] of an interval without a gap."""
        if not self.is_number:
            return (self.choices.index(value) + 0.5) / len(self.choices)
        if self.low == self.high:
            return 0.5
        low, high, at = (self._scaled(v) for v in (self.low, self.high, value))
        return min(max((at - low) / (high - low), 0.0), 1.0)

    def has(self, value: Value) -> bool:
        """Whether it may have this value."""
        if not self.is_number:
            return value in self.choices
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and self.low <= value <= self.high and (self.type != "int" or float(value).is_integer())

    def within(self, low: Value, high: Value) -> Parameter:
        """The part of an interval between two values, as far as it has one."""
        low, high = max(self.low, float(low)), min(self.high, float(high))
        if self.type == "int":
            low, high = math.ceil(low), math.floor(high)
        if low > high:
            low = high = self.value(self.unit((low + high) / 2))
        return replace(self, low=low, high=high)

    def told(self) -> list[Value]:
        """What is left of it, as JSON: the ends of the interval, or of both its sides, or the choices."""
        if not self.is_number:
            return list(self.choices)
        if self.gap is not None:
            return [float(f"{v:.{LEVELS_DIGITS}g}") for v in (self.low, *self.gap, self.high)]
        return [self.value(0.0), self.value(1.0)] if self.step is None else [self.low, self.high]

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.log else value


def declared(parameters: Any, place: str) -> dict[str, Parameter]:
    """What a generator declares as `parameters`: name → {type, low, high, log, step, choices, identity}.

    Raises CallError ADC-PROP-012 where it is no such mapping.
    """
    hint = "write parameters = {'rain': {'type': 'float', 'low': 0, 'high': 1}}, keys as in a search space"
    problem = "a generator declares its parameters as a mapping, as in a search space"
    if not isinstance(parameters, Mapping):
        raise CallError("ADC-PROP-012", problem, place, f"a {type(parameters).__name__}", hint)
    found = {}
    for name, about in parameters.items():
        try:
            found[str(name)] = _parameter(str(name), dict(about))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            got = f"{name}{f'.{where}' if where else ''}: {first['msg'].removeprefix('Value error, ')}"
            raise CallError("ADC-PROP-012", problem, place, got, hint) from None
        except (TypeError, ValueError) as error:
            raise CallError("ADC-PROP-012", problem, place, f"{name}: {error}", hint) from None
    return found


def narrowed(parameters: Mapping[str, Parameter], given: Mapping[str, Any], place: str) -> dict[str, Parameter]:
    """The same, some fixed to a value, held between [low, high] or {low, high}, or to some of their choices.

    Raises CallError ADC-PROP-013 for a parameter that there is not, or a value outside of what is declared.
    """
    found = dict(parameters)
    for name, wish in given.items():
        if name not in found:
            hint = suggest(name, list(found), "parameters")
            raise CallError("ADC-PROP-013", "the generator has no such parameter, or not this value", place, name, hint)
        one = found[name]
        values = _ends(one, wish)
        if not values or any(not one.has(v) for v in values) or (one.is_number and values[0] > values[-1]):
            known = f"{one.low:g} to {one.high:g}" if one.is_number else ", ".join(map(str, one.choices))
            got, problem = f"{name}: {wish!r}", "the generator has no such parameter, or not this value"
            raise CallError("ADC-PROP-013", problem, place, got, f"{name} is declared as {known}")
        found[name] = one.within(values[0], values[-1]) if one.is_number else replace(one, choices=tuple(values))
    return found


def spread(parameters: Mapping[str, Parameter], count: int, seed: int) -> list[dict[str, Value]]:
    """Settings that fill the space evenly (scrambled Sobol points)."""
    if not parameters:
        return [{}]
    sobol = qmc.Sobol(len(parameters), rng=np.random.default_rng(seed))
    points = sobol.random_base2(max(0, math.ceil(math.log2(max(1, count)))))[:count]
    return [settled(parameters, row) for row in points]


def settled(parameters: Mapping[str, Parameter], units: Sequence[float]) -> dict[str, Value]:
    """The setting at a point of the unit cube."""
    return {name: one.value(float(u)) for (name, one), u in zip(parameters.items(), units, strict=True)}


def extremes(parameters: Mapping[str, Parameter]) -> tuple[dict[str, Value], dict[str, Value]]:
    """Two settings as far apart as can be."""
    return (
        {name: one.value(0.0) for name, one in parameters.items()},
        {name: one.value(1.0) for name, one in parameters.items()},
    )


def _parameter(name: str, about: dict[str, Any]) -> Parameter:
    identity = about.pop("identity", None)
    spec = ParameterSpec.model_validate(about)
    if spec.when:
        raise ValueError("`when` is for search spaces; a parameter of a generator always counts")
    if spec.type == "categorical":
        found = Parameter(name=name, type=spec.type, choices=tuple(spec.choices or ()), identity=identity)
    else:
        assert spec.low is not None
        assert spec.high is not None
        found = Parameter(
            name=name, type=spec.type, low=spec.low, high=spec.high, log=spec.log, step=spec.step, identity=identity
        )
    if identity is not None and not found.has(identity):
        raise ValueError(f"its identity {identity!r} is none of its values")
    return found


def _ends(one: Parameter, wish: Any) -> list[Value]:
    """The values that a wish names: one, the two ends, or some choices."""
    if isinstance(wish, Mapping):
        wish = wish.get("choices") or [wish.get("low", one.low), wish.get("high", one.high)]
    if not isinstance(wish, list | tuple):
        return [wish]
    return list(wish) if not one.is_number or len(wish) <= 2 else []
