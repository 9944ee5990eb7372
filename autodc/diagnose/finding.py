"""What was found: one coded statement about where the model fails, with its evidence, as journal and result hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, final

from autodc.diagnose.finder import FindingKind
from autodc.diagnose.measured import How

Status = Literal["suspected", "confirmed"]

ATTRIBUTES, CLUSTER = "ADC-D001", "ADC-D002"
"""Codes: a rule that a person reads, and a cluster in an embedding."""
CODES: Mapping[FindingKind, str] = {"attributes": ATTRIBUTES, "cluster": CLUSTER}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How much worse rows inside are than those outside, on rows on which the rule was not found."""

    inside: float
    """Mean error."""
    outside: float
    difference: float
    """Inside minus outside, of error beyond what the class explains; above zero is worse inside."""
    low: float
    high: float
    """low, high: simultaneous for all suspicions of a diagnosis, 95% together."""

    def to_dict(self) -> dict[str, float]:
        """JSON form."""
        return {
            name: round(float(getattr(self, name)), 6) for name in ("inside", "outside", "difference", "low", "high")
        }


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One attribute that differs between rows that fail and rows of their class that pass."""

    attribute: str
    difference: float
    """Failing minus passing, in standard deviations of the attribute; for a category the difference of its share."""
    low: float
    high: float
    value: str | None = None
    """The category, where the attribute has them."""
    failing: float | None = None
    passing: float | None = None
    """failing, passing: the means in the attribute's own unit, or the shares."""
    how: How = "level"
    """What of the attribute differs; of spread and missing, failing and passing are distances and shares."""
    goes_with: str | None = None
    """An attribute told before that explains most of this difference."""
    apart: float | None = None
    """Share of the failing rows that has no passing rows of its classes in its place: 0 alike, 1 nothing in common."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        numbers = {n: round(float(getattr(self, n)), 6) for n in ("difference", "low", "high")}
        own = {n: round(float(v), 6) for n in ("failing", "passing") if (v := getattr(self, n)) is not None}
        return {
            "attribute": self.attribute,
            **({} if self.value is None else {"value": self.value}),
            **numbers,
            **own,
            **({"how": self.how} if self.how in ("spread", "missing") else {}),
            **({} if self.goes_with is None else {"goes_with": self.goes_with}),
            **({} if self.apart is None else {"apart": round(float(self.apart), 4)}),
        }


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Where the model fails."""

    id: str
    """F1, F2 … in the order of a study, never used again."""
    kind: FindingKind
    rule: str
    """SQL over attributes, as a slice's `where`; of a cluster what sets it apart, in words."""
    status: Status
    found: int
    """Rows inside, of those it was found on."""
    confirmed: int
    """Rows inside, of those it was tried on."""
    error: Gap
    by: str
    """The finder."""
    causes: tuple[Cause, ...] = ()
    ids: tuple[int, ...] = ()
    """Positions in validation of the explore rows inside, worst first."""
    round: int = 0
    told: Mapping[str, Any] = field(default_factory=dict)
    """What else is known: counterfactual shifts, the rows of the base inside, what data would help. JSON values."""

    @property
    def code(self) -> str:
        """What kind of statement it is."""
        return CODES[self.kind]

    def to_dict(self) -> dict[str, Any]:
        """The form of the contract."""
        return {
            "id": self.id,
            "code": self.code,
            "kind": self.kind,
            "rule": self.rule,
            "status": self.status,
            "round": self.round,
            "rows": {"found": self.found, "confirmed": self.confirmed},
            "error": self.error.to_dict(),
            "causes": [one.to_dict() for one in self.causes],
            "by": self.by,
            **({"told": dict(self.told)} if self.told else {}),
        }
