"""The events of what is trained and asked: trials, tasks, what they left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autodc.masking import masked_said, masked_tree
from autodc.study.journal.events.base import Event
from autodc.study.journal.shapes import OutcomeJson, TrialJson

__all__ = [
    "BaselineMeasured",
    "OutcomeLost",
    "OutcomeRestored",
    "TaskFinished",
    "TaskPlanned",
    "TrialFinished",
    "TrialHeldUp",
    "TrialPlanned",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPlanned(Event):
    """A trial was decided, before it is submitted."""

    trial: TrialJson
    round: int
    horizon: int
    """Outcomes 0 … horizon − 1 were visible to the decision."""
    origin: str = ""
    of: int | None = None
    """The trial whose plan and seed it trains again, at another fidelity or because it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFinished(Event):
    """An outcome arrived, before it is used."""

    number: int
    outcome: OutcomeJson

    def __post_init__(self) -> None:
        if error := self.outcome.get("error"):
            object.__setattr__(self, "outcome", {**self.outcome, "error": masked_said(str(error))})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialHeldUp(Event):
    """The disk refused a training, and the run ended. It is trained once more; the second time it has failed."""

    number: int
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineMeasured(Event):
    """A simple baseline predicted the rows of validation, or failed. No decision looks at it."""

    name: str
    """The METHOD, as the study file has it."""
    outcome: OutcomeJson

    def __post_init__(self) -> None:
        if error := self.outcome.get("error"):
            object.__setattr__(self, "outcome", {**self.outcome, "error": masked_said(str(error))})


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeLost(Event):
    """What a training left is gone or damaged, and needed: the trial is trained again with the same plan and seed.

    Its outcome stays what it was to all decisions; the budget is not charged twice.
    """

    number: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRestored(Event):
    """A lost outcome was made again."""

    number: int
    arrays: str
    """Address of its arrays, another one where the trainer is not deterministic."""
    difference: float = 0.0
    """By how much a slice differs at most from the journalled outcome, which stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlanned(Event):
    """A prediction or a call was decided, before it is submitted. Trainings have events of their own."""

    number: int
    work: str
    """`prediction` or `call`."""
    digest: str
    """Identity of what is asked for; the same question has one answer."""
    asked: Mapping[str, Any]
    """The task as JSON, for readers; its secrets are masked."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "asked", masked_tree(self.asked))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFinished(Event):
    """The answer arrived, before it is used; a second one of a task whose answer was lost replaces the first."""

    number: int
    answer: Mapping[str, Any]
    """`study.tasks.Answer` as JSON."""

    def __post_init__(self) -> None:
        if error := self.answer.get("error"):
            object.__setattr__(self, "answer", {**self.answer, "error": masked_said(str(error))})
