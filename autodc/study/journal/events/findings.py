"""The events of what is found: how the incumbent was looked at, and where it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from autodc.masking import masked_tree
from autodc.study.journal.events.base import Event
from autodc.study.journal.shapes import CausesJson, GapJson, LabelsJson, NotesJson, PlanJson

__all__ = ["DiagnosisMade", "FindingMade"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisMade(Event):
    """The explore rows were looked at with what the incumbent predicts of them; what was found follows."""

    version: ClassVar[int] = 5
    round: int
    horizon: int
    plan: PlanJson
    """The incumbent."""
    trial: int | None
    """The training whose predictions were looked at; None where they are of a model that predicted again."""
    rows: int
    """Explore rows that were looked at, 0 where none could be."""
    findings: int
    """How many FindingMade follow."""
    notes: NotesJson = ()
    """What could not be looked at, or not with every finder: {code, got} each."""
    labels: LabelsJson = field(default_factory=dict)
    """What was found of labels (review.labels.shortened); empty where the same datasets were looked at before."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", tuple(masked_tree(note) for note in self.notes))
        object.__setattr__(self, "labels", masked_tree(self.labels))


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingMade(Event):
    """One statement about where the incumbent fails, with its evidence; see diagnose.finding.Finding."""

    id: str
    """F1, F2 … in the order of the study."""
    code: str
    round: int
    horizon: int
    basis: str
    """What it rests on, `attributes` or `cluster`: Finding.kind."""
    rule: str
    """Of attributes: SQL, as a slice's `where`; of a cluster in words."""
    status: str
    """Suspected or confirmed."""
    found: int
    confirmed: int
    """found, confirmed: rows inside, of those it was found on and of those it was tried on."""
    error: GapJson
    by: str
    """The finder."""
    causes: CausesJson = ()
    ids: tuple[int, ...] = ()
    """Positions in validation of the explore rows inside, worst first."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What else is known. JSON values."""
    exhibit: str = ""
    """Address of what a reader is shown of its rows, empty where nothing is kept."""
