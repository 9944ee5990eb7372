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


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the evidence concludes: a verdict, or None to go on to the next look.

    reasons: codes (gate/reasons.py has their sentences); objective: the weighted mean of the target slices as one
    more SliceLook; advice: what would decide an undecided test, in words.
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
