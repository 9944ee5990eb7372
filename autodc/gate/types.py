"""The words of the gate: terms of a test, what a look saw, a verdict. Definitions and results, no verbs.

What was found is typed; sentences are made in gate/reasons.py and nothing reads them back. Looks of old journals,
which held a sentence, are read by `upcast` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["keep", "drop", "undecided"]
Kind = Literal["dataset", "tuning", "bundle"]
Gained = Literal["improved", "not_shown", "not_tested"]
"""What was found of a target, or of the targets together."""
Held = Literal["holds", "harmed", "not_settled"]
"""What was found of a guard."""
LeakKind = Literal["exact", "near", "group", "id", "column"]
"""How a training dataset may hold answers to validation rows."""

SENTINEL = 1e6
"""Old journals wrote what has no bound as this number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Answers to validation rows found in a training dataset. rows: validation rows concerned, of `of` that got better;
    column: of the inputs, or the metadata column of ids, else empty."""

    dataset: str
    kind: LeakKind
    rows: int
    of: int
    column: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """A search for leaks. datasets: where was looked; looked: for what; trusted: the user answers for all found."""

    datasets: tuple[str, ...]
    looked: tuple[LeakKind, ...]
    found: tuple[Leak, ...] = ()
    trusted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceLook:
    """One slice at one look, as it goes into result.json and `why`.

    difference, low, high: mean paired difference and its interval, oriented, ends None where nothing tells them;
    bound: the critical value that was to be crossed in standard errors; z: the statistic; both None where they are
    beyond all numbers; anchor: difference against the start of the campaign, or None.
    level: two-sided level of low … high, chosen so that the interval and the verdict agree; alpha: the share of the
    test's level this slice may spend, None where it spends nothing; chance: predictive power, the chance that the
    demand is met at the last look if what was seen goes on.
    gained, step, since_start: what was found of it as a target, as a guard against the incumbent and against the
    start, None where that is not asked; groups: observations in its rows; counting: rows that count; needed: set where
    those are too few, the number it would take: the slice is no evidence; vouched: whether its noise is known, or was
    seen, for trainings such as these.
    """

    role: str
    difference: float
    low: float | None
    high: float | None
    rows: int
    pairs: int
    standard_error: float | None
    df: float | None
    z: float | None
    bound: float | None
    margin: float | None = None
    declared: bool = False
    weight: float = 1.0
    anchor: float | None = None
    level: float = 0.9
    alpha: float | None = None
    chance: float | None = None
    gained: Gained | None = None
    step: Held | None = None
    since_start: Held | None = None
    groups: int | None = None
    counting: float | None = None
    needed: int | None = None
    vouched: bool = True

    @property
    def holds(self) -> bool:
        """Whether every guard there is on it is shown to hold."""
        return {self.step, self.since_start} <= {"holds", None}

    @property
    def harmed(self) -> bool:
        """Whether a guard on it is shown to be broken."""
        return "harmed" in (self.step, self.since_start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the evidence concludes: a verdict, or None to go on to the next look.

    reasons: codes (gate/reasons.py has their sentences); objective: the weighted mean of the target slices as one
    more SliceLook; advice: what would decide an undecided test, in words; noise: slice (and `objective`) → own
    estimates (seed variance, residual variance, degrees of freedom), for Pools.updated; empty with one pair;
    leaks: what was looked for and found where the gain looked too good, else None.
    """

    pairs: int
    verdict: Verdict | None
    reasons: tuple[str, ...]
    slices: Mapping[str, SliceLook]
    objective: SliceLook
    alpha: float
    advice: str = ""
    noise: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    leaks: Leaks | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Look:
        """Read the JSON form back, of any version."""
        value = upcast(value)
        return cls(
            **{
                **value,
                "reasons": tuple(value["reasons"]),
                "slices": {name: SliceLook(**seen) for name, seen in value["slices"].items()},
                "objective": SliceLook(**value["objective"]),
                "noise": {name: tuple(numbers) for name, numbers in value["noise"].items()},
                "leaks": None if value.get("leaks") is None else _leaks(value["leaks"]),
            }
        )


def upcast(look: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON form of a look as it is written now, from that of any version."""
    slices = {name: _typed(seen) for name, seen in look["slices"].items()}
    return {**look, "slices": slices, "objective": _typed(look["objective"])}


_GAINED: dict[str, Gained] = {
    "improved": "improved",
    "better": "improved",
    "not shown": "not_shown",
    "not shown better": "not_shown",
    "not tested": "not_tested",
}
_HELD: dict[str, Held] = {"holds": "holds", "harmed": "harmed", "not settled": "not_settled"}
_SINCE = " since the start"


def _typed(seen: Mapping[str, Any]) -> dict[str, Any]:
    """One slice of a look; the sentence of old journals (`not settled; holds since the start`) becomes states."""
    found = {key: value for key, value in seen.items() if key != "state"}
    for key in ("low", "high", "standard_error", "df", "z", "bound"):
        value = found.get(key)
        if value is not None and abs(value) >= SENTINEL:
            found[key] = None
    for part in str(seen.get("state", "")).split("; "):
        if part in _GAINED:
            found["gained"] = _GAINED[part]
        elif part in _HELD:
            found["step"] = _HELD[part]
        elif part.endswith(_SINCE) and part.removesuffix(_SINCE) in _HELD:
            found["since_start"] = _HELD[part.removesuffix(_SINCE)]
    return asdict(SliceLook(**found))


def _leaks(value: Mapping[str, Any]) -> Leaks:
    found = tuple(Leak(**one) for one in value["found"])
    return Leaks(**{**value, "datasets": tuple(value["datasets"]), "looked": tuple(value["looked"]), "found": found})
