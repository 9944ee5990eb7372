"""The words of the gate: what a look saw, a verdict. Definitions and results, no verbs.

What was found is typed; sentences are made in review/explain.py and nothing reads them back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from autodc.evaluation.evidence import FINDING

Verdict = Literal["keep", "drop", "undecided"]
Gained = Literal["improved", "not_shown", "not_tested"]
"""What was found of a target, or of the targets together."""
Held = Literal["holds", "harmed", "not_settled"]
"""What was found of a guard."""
LeakKind = Literal["exact", "near", "group", "id", "column"]
"""How a training dataset may hold answers to validation rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Answers to validation rows found in a training dataset."""

    dataset: str
    kind: LeakKind
    rows: int
    """Validation rows concerned."""
    of: int
    """Validation rows that got better."""
    column: str = ""
    """Of the inputs, or the metadata column of ids, else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """A search for leaks."""

    datasets: tuple[str, ...]
    """Where was looked."""
    looked: tuple[LeakKind, ...]
    """For what."""
    found: tuple[Leak, ...] = ()
    trusted: bool = False
    """The user answers for all that was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """What evidence would meet a demand that is open, were the difference what it seems."""

    name: str
    """The slice, or the objective."""
    pairs: int | None
    """So many pairs on the present rows; None where no reasonable number would do."""
    rows: int | None
    """So many rows at the most pairs there may be; None where no reasonable number would do."""
    pairs_now: int
    rows_now: int
    pairs_at_most: int
    """Pairs at the last look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a challenger costs of one kind beside the start of the study, where that is limited."""

    start: float
    challenger: float
    """start, challenger: medians over their trainings."""
    times: float
    """The one by the other."""
    surely: float
    """What that is at least, 95% sure; 0 where nothing tells how much it moves."""
    allowed: float
    """What it may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceLook:
    """One slice at one look, as it goes into result.json and `why`.

    Ends and statistics are None where nothing tells them, or where they are beyond all numbers.
    """

    role: str
    difference: float
    """Mean paired difference, oriented."""
    low: float | None
    high: float | None
    rows: int
    pairs: int
    standard_error: float | None
    df: float | None
    z: float | None
    """The statistic, in standard errors."""
    bound: float | None
    """The critical value that was to be crossed, in standard errors."""
    margin: float | None = None
    declared: bool = False
    weight: float = 1.0
    anchor: float | None = None
    """Difference against the start of the study."""
    level: float = 0.9
    """Two-sided level of low … high, chosen so that the interval and the verdict agree."""
    alpha: float | None = None
    """The share of the comparison's level this slice may spend; None where it spends nothing."""
    chance: float | None = None
    """Predictive power: the chance that the demand is met at the last look if what was seen goes on."""
    gained: Gained | None = None
    """What was found of it as a target; None where that is not asked, as in the next two."""
    step: Held | None = None
    """As a guard against the incumbent."""
    since_start: Held | None = None
    """As a guard against the start."""
    groups: int | None = None
    """Observations in its rows."""
    counting: float | None = None
    """Rows that count."""
    needed: int | None = None
    """Set where the slice is no evidence: the number it would take, 0 where the metric is not defined on its rows."""
    vouched: bool = True
    """Whether its noise is known, or was seen, for trainings such as these."""
    certifiable: float | None = None
    """Set where its rows cannot certify the margin and a guard on it was held to what they can show: the margin that
    they could certify."""

    @property
    def is_own(self) -> bool:
        """Whether it is evidence, and the slice of a finding for which what is compared was made."""
        return self.role == FINDING and self.declared and self.needed is None

    @property
    def holds(self) -> bool:
        """Whether every guard there is on it is shown to hold."""
        return {self.step, self.since_start} <= {"holds", None}

    @property
    def harmed(self) -> bool:
        """Whether a guard on it is shown to be broken."""
        return "harmed" in (self.step, self.since_start)

    @property
    def ahead(self) -> float:
        """How far it is ahead, to put slices in order: its statistic, where there is none its difference."""
        return self.difference if self.z is None else self.z


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the evidence concludes."""

    pairs: int
    verdict: Verdict | None
    """None: go on to the next look."""
    reasons: tuple[str, ...]
    """Codes."""
    slices: Mapping[str, SliceLook]
    objective: SliceLook
    """The weighted mean of the target slices as one more slice."""
    alpha: float
    settling: tuple[Settling, ...] = ()
    """What would decide it, where it is undecided."""
    unmeasured: tuple[str, ...] = ()
    """Slices of the study without a score."""
    advice: str = ""
    """What would decide it, in the words of journals that had no numbers for it; empty since."""
    noise: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    """Slice, and `objective` → own estimates (seed variance, residual variance, degrees of freedom), for Pools.updated;
    empty with one pair."""
    leaks: Leaks | None = None
    """What was looked for and found where the gain looked too good."""
    costs: Mapping[str, Cost] = field(default_factory=dict)
    """What the study limits, as far as it was measured."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form; without costs where nothing is limited."""
        return {name: value for name, value in asdict(self).items() if name != "costs" or value}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Look:
        """Read the JSON form back."""
        return cls(
            **{
                **value,
                "reasons": tuple(value["reasons"]),
                "slices": {name: SliceLook(**seen) for name, seen in value["slices"].items()},
                "objective": SliceLook(**value["objective"]),
                "settling": tuple(Settling(**one) for one in value.get("settling", ())),
                "unmeasured": tuple(value.get("unmeasured", ())),
                "noise": {name: tuple(numbers) for name, numbers in value.get("noise", {}).items()},
                "costs": {name: Cost(**one) for name, one in value.get("costs", {}).items()},
                "leaks": None if value.get("leaks") is None else _leaks(value["leaks"]),
            }
        )


def _leaks(value: Mapping[str, Any]) -> Leaks:
    found = tuple(Leak(**one) for one in value["found"])
    return Leaks(**{**value, "datasets": tuple(value["datasets"]), "looked": tuple(value["looked"]), "found": found})
