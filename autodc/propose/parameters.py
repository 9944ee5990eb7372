"""Parameters of a generator: what it declares, what a proposal fixes or narrows, and settings drawn from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import scipy
from pydantic import ValidationError

from autodc.hints import suggest
from autodc.search.space import Dimension, dimension_of
from autodc.studyfile.values import ParameterSpec
from autodc.trial.call import CallError

Value = Any
"""A number, a text, true, false or null."""
Setting = Mapping[str, Value]
"""A value for every parameter."""

ON_GRID = 1e-6
"""A number lies on a grid where it is so near to it, in steps."""
BOTH_SIDES = 4
"""Numbers that tell an interval with a gap: [low, left, right, high]."""
ENDS_DIGITS = 12
"""Significant digits of the end of an interval that is moved onto a grid."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter: a dimension as a search space has them, of which proposals take a part."""

    dimension: Dimension
    identity: Value = None
    """The value that changes nothing; None: there is none."""
    gap: tuple[float, float] | None = None
    """An open interval within that is left out, where both sides of the value of no effect are meant."""

    @property
    def is_number(self) -> bool:
        """Whether it lies in an interval."""
        return self.dimension.kind == "number"

    @property
    def low(self) -> float:
        """The least value of an interval."""
        return self.dimension.low

    @property
    def high(self) -> float:
        """The largest value of an interval."""
        return self.dimension.high

    @property
    def choices(self) -> tuple[Value, ...]:
        """The values of what is no interval."""
        return self.dimension.choices

    @property
    def is_fixed(self) -> bool:
        """Whether there is nothing to choose."""
        return self.low == self.high if self.is_number else len(self.choices) == 1

    def value(self, u: float) -> Value:
        """The value at u in [0, 1] of the interval without its gap, or of the list of choices."""
        if not self.is_number:
            return self.choices[min(int(u * len(self.choices)), len(self.choices) - 1)]
        if self.gap is None:
            return self.dimension.value(u)
        left, right = (self.dimension.unit(end) for end in self.gap)
        at = u * (left + 1.0 - right)
        found = self.dimension.value(at if at <= left else at + right - left)
        if self.gap[0] < found < self.gap[1]:  # what was rounded into it
            found = type(found)(self.gap[0] if at <= left else self.gap[1])
        return found

    def unit(self, value: Value) -> float:
        """Where a value lies in [0, 1] of the interval, its gap included, or of the list of choices."""
        if not self.is_number:
            return (self.choices.index(value) + 0.5) / len(self.choices)
        return self.dimension.unit(value)

    def has(self, value: Value) -> bool:
        """Whether it may have this value."""
        if not self.is_number:
            return value in self.choices
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        if self.gap is not None and self.gap[0] < value < self.gap[1]:
            return False
        return self._step is None or abs(self._steps(value) - round(self._steps(value))) <= ON_GRID

    def within(self, low: Value, high: Value) -> Parameter:
        """The part of an interval between two values, as far as it has one; else the nearest value that it has."""
        low, high = max(self.low, float(low)), min(self.high, float(high))
        if self.gap is not None:
            low = self.gap[1] if self.gap[0] < low < self.gap[1] else low
            high = self.gap[0] if self.gap[0] < high < self.gap[1] else high
        low, high = self._on_grid(low, math.ceil), self._on_grid(high, math.floor)
        if low > high:
            low = high = float(self.dimension.value(self.dimension.unit((low + high) / 2)))
        gap = self.gap if self.gap is not None and low <= self.gap[0] and self.gap[1] <= high else None
        return replace(self, dimension=replace(self.dimension, low=low, high=high), gap=gap)

    def without(self, left: Value, right: Value) -> Parameter:
        """An interval without what lies between two of its values."""
        left, right = self._on_grid(float(left), math.floor), self._on_grid(float(right), math.ceil)
        return replace(self, gap=(left, right)) if self.low <= left < right <= self.high else self

    def among(self, choices: Sequence[Value]) -> Parameter:
        """Some of its choices, in its order."""
        kept = tuple(one for one in self.choices if one in choices)
        return replace(self, dimension=replace(self.dimension, choices=kept))

    def told(self) -> list[Value]:
        """What is left of it, as JSON: the ends of the interval, or of both its sides, or the choices."""
        if not self.is_number:
            return list(self.choices)
        inner = () if self.gap is None else self.gap
        number = int if self.dimension.integer else float
        return [number(f"{end:.{ENDS_DIGITS}g}") for end in (self.low, *inner, self.high)]

    def as_declared(self) -> dict[str, Value]:
        """As a generator declares it, without what proposals leave of it."""
        if not self.is_number:
            return {"type": "categorical", "choices": list(self.choices)}
        kind = "int" if self.dimension.integer else "float"
        return {
            "type": kind,
            "low": self.low,
            "high": self.high,
            "log": self.dimension.log,
            "step": self.dimension.step,
        }

    @property
    def _step(self) -> float | None:
        """Between two values of a grid; None where any number will do."""
        return 1.0 if self.dimension.step is None and self.dimension.integer else self.dimension.step

    def _steps(self, value: float) -> float:
        """How many steps above the least value a number lies."""
        assert self._step is not None
        return (value - self.low) / self._step

    def _on_grid(self, value: float, rounded: Any) -> float:
        """The end of an interval moved onto the grid, by `math.ceil` or `math.floor`."""
        if self._step is None:
            return value
        near = ON_GRID if rounded is math.floor else -ON_GRID
        return float(f"{self.low + self._step * rounded(self._steps(value) + near):.{ENDS_DIGITS}g}")


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

    [low, left, right, high] leaves a gap in the middle.

    Raises CallError ADC-PROP-013 for a parameter that there is not, or a value outside of what is declared.
    """
    found = dict(parameters)
    for name, wish in given.items():
        if name not in found:
            hint = suggest(name, list(found), "parameters")
            raise CallError("ADC-PROP-013", "the generator has no such parameter, or not this value", place, name, hint)
        one = found[name]
        values = _ends(one, wish)
        if not _fit(one, values):
            known = f"{one.low:g} to {one.high:g}" if one.is_number else ", ".join(map(str, one.choices))
            got, problem = f"{name}: {wish!r}", "the generator has no such parameter, or not this value"
            raise CallError("ADC-PROP-013", problem, place, got, f"{name} is declared as {known}")
        found[name] = one.within(values[0], values[-1]) if one.is_number else one.among(values)
        if len(values) == BOTH_SIDES and one.is_number:
            found[name] = found[name].without(values[1], values[2])
    return found


def spread(parameters: Mapping[str, Parameter], count: int, seed: int) -> list[dict[str, Value]]:
    """Settings that fill the space evenly (scrambled Sobol points)."""
    if not parameters:
        return [{}]
    sobol = scipy.stats.qmc.Sobol(len(parameters), rng=np.random.default_rng(seed))
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
    found = Parameter(dimension=dimension_of(name, spec), identity=identity)
    if identity is not None and not found.has(identity):
        raise ValueError(f"its identity {identity!r} is none of its values")
    return found


def _ends(one: Parameter, wish: Any) -> list[Value]:
    """The values that a wish names: one, the two ends, the ends of both sides of a gap, or some choices."""
    if isinstance(wish, Mapping):
        wish = wish.get("choices") or [wish.get("low", one.low), wish.get("high", one.high)]
    if not isinstance(wish, list | tuple):
        return [wish]
    return list(wish) if not one.is_number or len(wish) in (1, 2, BOTH_SIDES) else []


def _fit(one: Parameter, values: Sequence[Value]) -> bool:
    """Whether a parameter has these values; of an interval, whether their ends lie in it in their order."""
    if not one.is_number or len(values) == 1:
        return bool(values) and all(map(one.has, values))
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if not values or len(numbers) < len(values):
        return False
    beyond = one.dimension.step or 0.0  # the last step may not reach what was declared
    return one.low <= numbers[0] and numbers[-1] <= one.high + beyond and numbers == sorted(numbers)
