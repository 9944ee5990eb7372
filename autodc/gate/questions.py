"""What evidence together is made of: what is believed, what is asked of which arms, what is answered (DESIGN §11.7)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, final

from autodc.gate.thresholds import FAIRLY, SURE

Purpose = Literal[
    "removal",
    "whole",
    "addition",
    "everything",
    "together",
    "harm",
    "pruning",
    "block",
    "weights",
    "tuning",
    "doubt",
]
"""What a comparison is for. Removal (a member inside a challenger), whole, addition: also of studies that take evidence
each by each."""

Level = Literal["whole", "rest", "member", "none"]
"""What a question spends: six tenths of the round's part of the error budget, half of what is left of it, the share of
one comparison, or nothing, because it claims nothing."""

WHOLES = ("everything", "together")
"""Purposes that open a round: they spend an error budget of their own (DESIGN §11.7a)."""

LEAVING = ("harm", "pruning")
"""Purposes that ask what may leave: the challenger is without the members."""

TOGETHER_ALONE = (*WHOLES, "block")
"""Purposes whose gain is asked of the objective alone."""

PATIENT = (*TOGETHER_ALONE, "tuning")
"""Purposes that are not given up by what others' noise says."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What the search believes of one dataset among all the others, on explore rows."""

    gain: float
    """Of the objective, oriented."""
    sd: float
    """Of the belief: how much other trainings would move it."""
    rows: float = 0.0
    """How much other explore rows would."""
    guards: Mapping[str, float] = field(default_factory=dict)
    """Guard → believed change."""
    cost: float = 0.0

    @property
    def spread(self) -> float:
        """Standard deviation in all."""
        return math.hypot(self.sd, self.rows)

    @property
    def sureness(self) -> float:
        """Gain in standard deviations."""
        return self.gain / self.spread if self.spread > 0 else math.copysign(math.inf, self.gain) if self.gain else 0.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a round begins with."""

    everything: tuple[str, ...]
    """Free datasets beside those that are kept."""
    recommended: tuple[str, ...]
    """New free datasets of the plan that the search believes best."""
    beliefs: Mapping[str, Belief]
    """Of everything, and of what has a price."""
    margins: Mapping[str, float]
    """Guard → margin."""
    matters: float
    """Losses below this are none."""
    kept: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    """Of these, those that no comparison of their own was about: they came in with others."""
    controls: tuple[str, ...] = ()
    """Likelier riders than help: rows by chance, as many as others beside them have, and labels as if by chance."""
    priced: tuple[str, ...] = ()
    """What has a price and can be paid."""
    purse: float = math.inf
    """What new ones may cost together."""
    untouched: bool = True
    """Whether everything was fixed before a row of validation was seen."""
    tunes: bool = True
    """Whether there are settings that could be better than those of the incumbent."""
    refused: bool = False
    """Whether everything was compared with what is kept in an earlier round, and was not shown."""
    doubt: bool = False
    """Whether everything stays in where nothing is shown, but it is believed to help."""
    again: bool = False
    """Whether what has a price and was not shown at the settings of the incumbent is asked at those believed best."""


@final
@dataclass(frozen=True, slots=True)
class Arm:
    """A plan by what it is made of: one of the plans of a round, with these datasets of it alone."""

    plan: Literal["incumbent", "tuned", "everything", "recommended", "believed", "weighted"]
    members: frozenset[str]
    """Beside the base."""
    halved: frozenset[str] = frozenset()
    """Those at half their weight."""

    def without(self, names: Iterable[str]) -> Arm:
        """The same plan without these."""
        gone = frozenset(names)
        return replace(self, members=self.members - gone, halved=self.halved - gone)

    def added(self, names: Iterable[str]) -> Arm:
        """The same plan with these as well, at weight 1."""
        return replace(self, members=self.members | frozenset(names))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One comparison: challenger against incumbent."""

    purpose: Purpose
    challenger: Arm
    incumbent: Arm
    members: tuple[str, ...]
    """What is in question."""
    level: Level = "none"
    all_rows: bool = False
    """Asked of explore rows too."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a comparison showed. paid: False where no trainings were left to ask it."""

    keep: bool = False
    """Every demand is met."""
    gained: bool = False
    """The gain is shown, whatever the guards."""
    harmed: bool = False
    """The challenger is shown worse, or to break a guard or a limit."""
    guards: tuple[str, ...] = ()
    """Guards that do not hold."""
    mean: float = 0.0
    """Objective of challenger − incumbent, on the rows that were asked and the belief of the search together."""
    sd: float = math.inf
    """Of that."""
    paid: bool = True
    cut: bool = False
    """It ended for want of trainings."""
    over: bool = False
    """The challenger is shown to cost more than it may."""
    misses: bool = False
    """A slice of a finding for which a member was made is worse for the challenger, 80% sure."""

    @property
    def low(self) -> float:
        """The difference is above this with 95%."""
        return self.mean - SURE * self.sd

    @property
    def ahead(self) -> bool:
        """Whether the best guess is a gain; nothing is guessed of what could not be measured."""
        return self.paid and not self.over and self.mean > 0 and math.isfinite(self.sd)

    def costs_nothing(self, matters: float) -> bool:
        """Whether the challenger is shown to lose less than matters, and no cure of a finding with it."""
        return not self.over and not self.misses and self.low >= -matters

    def may_leave(self, matters: float) -> bool:
        """Whether the challenger, which is without some, may stand for the whole: it costs nothing, or seems better.

        What seems better is not shown; so what leaves by it is undecided, and may come back.
        """
        return self.costs_nothing(matters) or self.seems_better

    @property
    def is_missed(self) -> bool:
        """Whether the challenger, which is without some, seems worse, 80% sure, or nothing is known of it."""
        known = not self.over and not self.misses and math.isfinite(self.sd)
        return not known or self.mean < -FAIRLY * self.sd

    @property
    def backed(self) -> bool:
        """Whether it is better and has no guard against it, 95% sure, 80% where trainings were short.

        Enough where a whole that holds it was shown.
        """
        better = self.seems_better if self.cut else self.low > 0
        return self.paid and not self.harmed and not self.guards and better

    @property
    def seems_better(self) -> bool:
        """Whether the challenger is better, 80% sure."""
        return not self.over and self.mean > FAIRLY * self.sd


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How a round ends. end: the arm that becomes the incumbent; None: the incumbent stays."""

    end: Arm | None
    by: int | None = None
    """The question, counted from 0, whose challenger or incumbent it is."""
