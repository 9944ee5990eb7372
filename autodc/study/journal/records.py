"""What the state remembers of single things: a trial, a comparison of the gate, a change of the study, a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from autodc.gate.questions import LEAVING, WHOLES
from autodc.gate.questions import Purpose as Purpose
from autodc.gate.reasons import NOT_MISSED
from autodc.gate.types import Look
from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome, Trial
from autodc.study.journal import events as ev

PAIRED = ("calibration", "gate")
"""What trainings of pairs are planned as, whichever phase wants them: any comparison may use them, and one that fails
is run again."""


@final
@dataclass(slots=True, kw_only=True)
class TrialState:
    """A trial and what came of it."""

    trial: Trial
    round: int
    origin: str
    of: int | None = None
    """The trial it repeats."""
    attempt: int = 0
    """How often a training of a pair was run before, with the same plan and seed."""
    outcome: Outcome | None = None
    """None while it is under way."""


@final
@dataclass(slots=True, kw_only=True)
class ComparisonState:
    """A comparison of the gate."""

    __test__ = False
    id: int
    round: int
    subject: str
    kind: str
    purpose: Purpose
    challenger: Plan
    incumbent: Plan
    members: tuple[str, ...]
    alpha: float
    share: float
    """What it spends of the error budget."""
    keeps: int
    """Comparisons that said keep before it."""
    generation: int
    """How often the incumbent had moved in its round: its pairs have seeds of their own."""
    pairs: int | None = None
    """So many, looked at once; None: the looks of the gate."""
    all_rows: bool = False
    """Whether it is asked of every row of validation."""
    looks: list[Mapping[str, Any]] = field(default_factory=list)
    """gate.Look as JSON, in order."""
    seeds: tuple[int, ...] = ()
    verdict: str | None = None
    """None while it is open."""
    reasons: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    """What stands in for its members, where they are redundant."""
    combined: Mapping[str, float] | None = None
    """{mean, sd} of the objective's difference by gate rows and belief together, where that decided."""
    trainings: int = 0
    _typed: list[Look] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def claims(self) -> bool:
        """Whether it spends of the error budget that comparisons share."""
        return self.share > 0 and self.purpose not in WHOLES

    @property
    def sign(self) -> float:
        """What turns a difference into what having the members does: −1 where the challenger is without them."""
        return -1.0 if self.purpose in LEAVING else 1.0

    @property
    def asks_only(self) -> bool:
        """Whether it asked what may leave and the answer was that nothing may: no decision of anything."""
        return self.purpose in LEAVING and self.verdict == "undecided" and NOT_MISSED not in self.reasons

    @property
    def typed_looks(self) -> list[Look]:
        """The looks as values, each read once."""
        self._typed += [Look.from_dict(look) for look in self.looks[len(self._typed) :]]
        return self._typed


@final
@dataclass(slots=True, kw_only=True)
class TaskState:
    """A prediction or a call, and what came of it."""

    number: int
    work: str
    digest: str
    answer: Mapping[str, Any] | None = None
    """None while it is under way."""


@final
@dataclass(slots=True, kw_only=True)
class DiagnosisState:
    """One look at where an incumbent fails, and what it found so far."""

    made: ev.DiagnosisMade
    plan: Plan
    ids: list[str] = field(default_factory=list)
    """Findings, in the order they were made."""

    @property
    def is_whole(self) -> bool:
        """Whether all that it found is journalled."""
        return len(self.ids) >= self.made.findings


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A change of the study after it had begun."""

    time: float
    changed: Mapping[str, Any]
    taken: int
    """Comparisons opened by then."""
    spent: float
    """What these took of q."""
    trials: int = 0
    """Trainings planned by then."""


@final
@dataclass(slots=True, kw_only=True)
class Session:
    """One process's time on the study, Unix seconds."""

    started: float
    ended: float
    """When its last event was."""
    slots: int
    """Trainings at once, as of the last event."""
    turns: list[tuple[float, int]] = field(default_factory=list)
    """Since when so many might run at once; 0 while it was paused."""
    paused: float | None = None
    """Since when it is paused."""
    awake: float = 0.0
    """Seconds it worked, by a clock that stands still while the machine sleeps."""
    until: float | None = None
    """By when it was asked to be done."""
    reading: float = 0.0
    """Seconds before it in which data were read and their attributes measured."""
    command: str = ""
    """The command line that began it, where one did."""
    machine: Mapping[str, Any] = field(default_factory=dict)
    """MachineSpec as JSON."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Versions and machine, as the event has them."""

    @property
    def most(self) -> int:
        """The most trainings that might run at once."""
        return max((slots for _, slots in self.turns), default=self.slots)

    def mean_slots(self, begin: float, end: float) -> float:
        """How many trainings might run at once between two times, on average."""
        if len(self.turns) < 2 or end <= begin:
            return float(self.slots)
        untils = [*(at for at, _ in self.turns[1:]), end]
        spans = (max(0.0, min(u, end) - max(at, begin)) for (at, _), u in zip(self.turns, untils, strict=True))
        return sum(slots * s for (_, slots), s in zip(self.turns, spans, strict=True)) / (end - begin)

    @property
    def seconds(self) -> float:
        """How long it worked; by the wall clock where a journal of before knows nothing better."""
        return self.awake or self.ended - self.started
