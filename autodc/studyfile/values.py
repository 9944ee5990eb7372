"""The values that a study file is made of: names, durations, choices, and one dimension of a search space."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from autodc.masking import masked_tree

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = r"(?:\s*\d+(?:\.\d+)?\s*[smhd])+\s*"


def seconds(value: object) -> object:
    """Read `90`, `90s`, `15m`, `8h` or `1h30m` as seconds; leave anything else for validation to refuse."""
    if isinstance(value, str):
        parts = re.findall(r"(\d+(?:\.\d+)?)\s*([smhd])", value)
        if parts and re.fullmatch(_DURATION, value):
            return sum(float(number) * _UNITS[unit] for number, unit in parts)
        raise ValueError("a duration is a number of seconds or text like 90s, 15m, 8h, 1h30m")
    return value


Seconds = Annotated[
    float,
    BeforeValidator(seconds),
    Field(gt=0),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": f"^{_DURATION}$"}]}
    ),
]


class Spec(BaseModel):
    """Base of everything a person writes: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Show no secrets."""
        for name, value in super().__repr_args__():
            yield name, masked_tree({name: value})[name]


def frozen(value: object) -> object:
    """A value of a choice that can be hashed: lists, at any depth, as tuples; a mapping is no value."""
    if isinstance(value, (list, tuple)):
        return tuple(frozen(one) for one in value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise PydanticCustomError("choice_type", "a choice is text, a number, true, false, null or a list of these")


Choice = Annotated[
    Any,
    BeforeValidator(frozen),
    WithJsonSchema({"type": ["string", "number", "boolean", "null", "array"]}),
]


class ParameterSpec(Spec):
    """One dimension of the search space."""

    type: Literal["float", "int", "categorical"] = Field(description="float, int or categorical")
    low: float | None = Field(default=None, description="the least value, for float and int")
    high: float | None = Field(default=None, description="the largest value, for float and int")
    log: bool = Field(default=False, description="search on a logarithmic scale")
    step: float | None = Field(default=None, gt=0, description="only values low, low + step, low + 2 step, ...")
    choices: tuple[Choice, ...] | None = Field(
        default=None,
        min_length=1,
        description="the values, for categorical: text, numbers, true, false, null, lists of these",
    )
    when: dict[str, JsonValue] = Field(
        default={},
        description="only if these others have these values (a list: any of them); `recipe` may be named here too",
    )

    @model_validator(mode="after")
    def _range_is_one(self) -> ParameterSpec:
        if self.type == "categorical":
            if self.choices is None:
                raise ValueError("a categorical parameter needs choices")
            if self.low is not None or self.high is not None or self.step is not None or self.log:
                raise ValueError("a categorical parameter has choices, not low, high, log or step")
            if len(set(self.choices)) < len(self.choices):
                raise ValueError("choices name the same value twice (1, 1.0 and true are the same, in lists too)")
            return self
        if self.choices is not None:
            raise ValueError(f"choices belong to type categorical, not {self.type}")
        if self.low is None or self.high is None:
            raise ValueError(f"type {self.type} needs low and high")
        if not self.low < self.high:
            raise ValueError(f"low must be below high; found low {self.low:g} and high {self.high:g}")
        if not math.isfinite(self.high - self.low):
            raise ValueError(f"the range is wider than any number; found low {self.low:g} and high {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"log needs low above 0; found low {self.low:g}")
        if self.log and self.step is not None:
            raise ValueError("log and step exclude each other")
        if self.type == "int" and not all(v is None or v.is_integer() for v in (self.low, self.high, self.step)):
            raise ValueError("type int needs a whole low, high and step")
        if self.step is not None and self.step > self.high - self.low:
            raise ValueError(f"step must fit between low and high; found step {self.step:g}")
        return self
