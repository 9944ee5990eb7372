"""The words of the gate: terms of a test, what a look saw, a verdict. Definitions and results, no verbs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["keep", "drop", "undecided"]
Kind = Literal["dataset", "tuning", "bundle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceLook:
    """One slice at one look, as it goes into result.json and `why`.

    difference, low, high: mean paired difference and its interval, oriented; bound: the critical value that was to be
    crossed in standard errors; z: the statistic; anchor: difference against the start of the campaign, or None.
    level: two-sided level of low … high, chosen so that the interval and the verdict agree; alpha: the share of the
    test's level this slice may spend, None where it spends nothing; chance: predictive power, the chance that the
    demand is met at the last look if what was seen goes on; state: what was found of it, in a few words.
    """

    role: str
    difference: float
    low: float
    high: float
    rows: int
    pairs: int
    standard_error: float
    df: float
    z: float
    bound: float | None
    margin: float | None = None
    declared: bool = False
    weight: float = 1.0
    anchor: float | None = None
    state: str = ""
    level: float = 0.9
    alpha: float | None = None
    chance: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the evidence concludes: a verdict, or None to go on to the next look.

    reasons: codes (gate/reasons.py has their sentences); objective: the weighted mean of the target slices as one
    more SliceLook; advice: what would decide an undecided test, in words; noise: slice (and `objective`) → own
    estimates (seed variance, residual variance, degrees of freedom), for Pools.updated; empty with one pair.
    """

    pairs: int
    verdict: Verdict | None
    reasons: tuple[str, ...]
    slices: Mapping[str, SliceLook]
    objective: SliceLook
    alpha: float
    advice: str = ""
    noise: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Look:
        """Read the JSON form back."""
        return cls(
            **{
                **value,
                "reasons": tuple(value["reasons"]),
                "slices": {name: SliceLook(**seen) for name, seen in value["slices"].items()},
                "objective": SliceLook(**value["objective"]),
                "noise": {name: tuple(numbers) for name, numbers in value["noise"].items()},
            }
        )
