"""What the state remembers of single things: a trial, a test of the gate, a change of the study, a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, final

from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome, Trial

Purpose = Literal["removal", "whole", "addition"]


@final
@dataclass(slots=True, kw_only=True)
class TrialState:
    """A trial and what came of it; outcome is None while it is under way; of: the trial it repeats, or None;
    attempt: how often a training of a pair was run before, with the same plan and seed."""

    trial: Trial
    round: int
    origin: str
    of: int | None = None
    attempt: int = 0
    outcome: Outcome | None = None


@final
@dataclass(slots=True, kw_only=True)
class ComparisonState:
    """A comparison of the gate. looks: gate.Look as JSON, in order; verdict is None while it is open;
    share: what it spends of the error budget; keeps: tests that said keep before it; generation: how often the
    incumbent had moved in its round: its pairs have seeds of their own."""

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
    keeps: int
    generation: int
    looks: list[Mapping[str, Any]] = field(default_factory=list)
    seeds: tuple[int, ...] = ()
    verdict: str | None = None
    reasons: tuple[str, ...] = ()
    trainings: int = 0


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
@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A change of the study after it had begun. taken, spent: tests opened by then, and what they took of q; trials:
    trainings planned by then."""

    time: float
    changed: Mapping[str, Any]
    taken: int
    spent: float
    trials: int = 0


@final
@dataclass(slots=True, kw_only=True)
class Session:
    """One process's time on the study, Unix seconds; ended is that of its last event. awake: seconds it worked, by a
    clock that stands still while the machine sleeps; until: Unix time by which it was asked to be done, or None."""

    started: float
    ended: float
    slots: int
    awake: float = 0.0
    until: float | None = None

    @property
    def seconds(self) -> float:
        """How long it worked; by the wall clock where a journal of before knows nothing better."""
        return self.awake or self.ended - self.started
