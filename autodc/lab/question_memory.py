"""What a simulated night remembers of its questions: what was shown of whom, and what is not asked again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from autodc.gate.questions import LEAVING, Answer, Proposal, Question

ALONE = ("removal", "addition")


@final
@dataclass(slots=True)
class QuestionMemory:
    """One night's answers."""

    status: dict[str, str] = field(default_factory=dict)
    """Dataset → `alone`, shown to help by itself, or `left`, shown to be missed by nobody."""
    apart: set[str] = field(default_factory=set)
    """Datasets that a comparison was about alone."""
    refused: set[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=set)
    """What was kept, and everything beside it that was not shown."""

    def hear(self, p: Proposal, question: Question, answer: Answer) -> None:
        """Remember an answer."""
        purpose, members = question.purpose, question.members
        if purpose in ALONE and answer.keep:
            self.status |= dict.fromkeys(members, "alone")
        elif (purpose in ALONE and answer.harmed) or (purpose in LEAVING and answer.costs_nothing(p.matters)):
            self.status |= dict.fromkeys(members, "left")
        if len(members) == 1 and (purpose in ALONE or (purpose == "block" and answer.keep)):
            self.apart.update(members)
        if purpose == "everything" and not answer.keep:
            self.refused.add((p.kept, members))
