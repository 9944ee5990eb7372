"""The events of what is made while a study runs: what is to be made in a round, and what came of nothing."""

from __future__ import annotations

from dataclasses import dataclass

from autodc.masking import masked_tree
from autodc.study.journal.events.base import Event
from autodc.study.journal.shapes import HeldJson, NotesJson, OwnSlicesJson, ProblemsJson, ProposalsJson, WeighedJson

__all__ = ["ControlCompared", "ProposalRefused", "ProposalsMade"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalsMade(Event):
    """What is to be made for this round, settled before any of it is made; DatasetAdmitted or ProposalRefused follow.

    What joins the roster of it joins in this order.
    """

    round: int
    horizon: int
    proposals: ProposalsJson = ()
    """propose.proposal.Proposal each."""
    notes: NotesJson = ()
    """What could not be proposed, and why: {code, got} each."""
    weighed: WeighedJson = None
    """What might have been done, by expected gain per cost, and what was picked: propose.actions.Weighed. None where
    nothing was weighed."""
    slices: OwnSlicesJson = ()
    """Slices of findings that proposals declare as their targets: {name, finding, where} each; SliceAdmitted follows
    for those that are new."""
    to_label: ProposalsJson = ()
    """The same of rows that people are to label first: requests may name them, nothing is made of them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "proposals", tuple(masked_tree(one) for one in self.proposals))
        object.__setattr__(self, "to_label", tuple(masked_tree(one) for one in self.to_label))
        object.__setattr__(self, "notes", tuple(masked_tree(note) for note in self.notes))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalRefused(Event):
    """What was to be made was not, or may not be trained on; the night goes on without it."""

    name: str
    round: int
    problems: ProblemsJson
    cost: float = 0.0
    """What was paid all the same, in the unit of budget.cost: rows that an oracle was asked for."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "problems", tuple(masked_tree(one) for one in self.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlCompared(Event):
    """Rows that were chosen were held against as many by chance, on the same seeds and gate rows; it decides nothing.

    What is new is what more is made of later.
    """

    round: int
    horizon: int
    subject: str
    control: str
    gain: float
    """Of the objective, what the chosen rows bring among all others, as their own comparison says."""
    difference: float
    """How much more that is than what the control brings there."""
    low: float
    high: float
    """low, high: its 95% interval."""
    pairs: int
    says: str
    """propose.chance.Said, of the slice of its finding where that kept it, else of the objective."""
    beside: tuple[str, ...] = ()
    """What was left out with the control, where it was not left out alone: it can only look better than it is."""
    own: HeldJson = None
    """{slice, gain, difference, low, high}: the same on the slice of its finding; None where that did not keep it."""
