"""What may be done next in a round, weighed: the gain that is expected of it against what it costs.

The two currencies of a study, trainings and money, are made one by what is left of each: an action that takes a tenth
of the trainings and a fifth of the money left costs .3. Where a budget has no end its part is 0, and where neither has
one trainings are counted alone. Seconds decide nothing, for the same study decides alike on any machine; who reads of
an action is told them at the pace of the study.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self, final

import numpy as np
from scipy.special import ndtr

from autodc.propose.gain_calibration import Truth

Deed = Literal["more", "finding", "mend", "open", "tune", "wait", "stop"]
"""More of what was kept; data for a finding; the base mended, or its rows again; undecided candidates asked again; the
search alone goes on; a delivery is waited for; nothing more."""
Fate = Literal["taken", "beside", "later", "little", "dear", "known", ""]
"""Made in this round; goes on beside what is made; no trainings are left for it in this round; less is expected than
matters; the budget does not pay it; it is what waits or is told alone."""
SUSPECTED = 0.3
"""Of what rows for a confirmed finding would bring, those for a suspected one are expected to bring this part."""
LEAVES = 0.4
"""Rows for a finding leave this share of what is hoped for it to others for the same finding."""
MADE = ("more", "finding", "mend")
"""Kinds of which a dataset is made."""
GOING = ("open", "tune")
"""What goes on at the same time as what is made."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that may be done."""

    kind: Deed
    name: str
    """Of the proposal, the request, or what the kind is called."""
    expected: float | None
    """The gain of the objective, in its unit; None: nothing tells it yet."""
    trainings: float
    """What search and gate need for it."""
    cost: float = 0.0
    """In the unit of budget.cost."""
    finding: str | None = None
    confirmed: bool = False
    """Rows for a finding that is confirmed: its own slice may show what the objective is too coarse for, so nothing
    that they bring is too little."""
    days: float | None = None
    """Until it is there, for what is waited for; None: nobody says."""
    fate: Fate = ""
    hoped: float | None = None
    """What was expected before it was corrected by what came true of others; None where it was not."""
    at_best: float | None = None
    """What is expected where what it is made for is no luck; None: as expected. What may matter is not too little."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {key: getattr(self, key) for key in self.__slots__}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read it of its JSON form; what a later autodc added is left out."""
        return cls(**{key: told[key] for key in cls.__slots__ if key in told})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What is left to a study, and of it to a round."""

    trainings: float
    """Left for search and gate; may be infinite."""
    room: float
    """Of them for what this round makes."""
    money: float
    """Left of budget.cost; may be infinite."""

    def pays(self, action: Action) -> bool:
        """Whether an action alone can be paid."""
        return action.cost <= self.money and action.trainings <= self.trainings

    def share(self, action: Action) -> float:
        """What an action takes of what is left."""
        trainings = action.trainings / self.trainings if self.trainings > 0 else math.inf
        money = 0.0 if action.cost == 0 else action.cost / self.money if self.money > 0 else math.inf
        if math.isinf(self.trainings) and math.isinf(self.money):
            return action.trainings
        return trainings + money


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The actions of a round, the best first, and what was picked."""

    pick: str
    """The name of the first that is done; `stop`: the night ends; empty: it goes on, and nothing is made."""
    actions: tuple[Action, ...]
    room: float
    floor: float | None
    """A gain below it matters to nobody; None where gains are not in the unit of the metric, so that nothing stops."""
    trainings: float | None
    """Left to the study; None: no end."""
    money: float | None
    truths: Mapping[str, Truth] = field(default_factory=dict)
    """Kind → what came true of earlier hopes, by which those of now are corrected."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        told = {key: getattr(self, key) for key in self.__slots__}
        truths = {kind: one.to_dict() for kind, one in self.truths.items()}
        return told | {"actions": [one.to_dict() for one in self.actions], "truths": truths}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read it of its JSON form."""
        found = {key: told[key] for key in cls.__slots__ if key in told}
        truths = {kind: Truth.of(one) for kind, one in told.get("truths", {}).items()}
        return cls(**{**found, "actions": tuple(Action.of(one) for one in told["actions"]), "truths": truths})

    @property
    def made(self) -> tuple[str, ...]:
        """What is made in this round, in its order."""
        return tuple(one.name for one in self.actions if one.kind in MADE and one.fate == "taken")

    @property
    def picked(self) -> Action | None:
        """What is done first; None where the night ends with nothing waited for, and where nothing is made."""
        return next((one for one in self.actions if one.name == self.pick), None)

    @property
    def ends(self) -> bool:
        """Whether nothing is left to do tonight."""
        return self.pick == "stop" or any(one.kind == "wait" and one.name == self.pick for one in self.actions)

    @property
    def promises_little(self) -> bool:
        """Whether all that could be done is too little to matter; not where budget or trainings do not pay it."""
        floor = self.floor
        return floor is not None and all(_is_little(one, floor) for one in self.actions if one.kind != "wait")


def weigh(actions: Sequence[Action], purse: Purse, floor: float | None, *, may_end: bool) -> Weighed:
    """Order actions by expected gain per cost, and say what is done of them.

    Of what is made as much as the round has trainings for, the first where anything is left at all; of two for one
    finding the second is hoped to take only what the first leaves. Of what nothing tells the gain it is tried after
    what is known. may_end: whether the night may end because nothing promises more than the floor, or nothing is paid;
    where it may not, and nothing else is done, the best of what is too little is made all the same.
    """
    known = [a for a in actions if a.kind in MADE]
    taken, ordered, room, money = set[str](), list[Action](), purse.room, purse.money
    while known:
        known.sort(key=lambda a: _order(_left(a, taken), purse))
        one = _left(known.pop(0), taken)
        fate = _fate(one, floor, room=room, money=money, first=not any(a.fate == "taken" for a in ordered), purse=purse)
        ordered.append(replace(one, fate=fate))
        if fate == "taken":
            room, money = room - one.trainings, money - one.cost
            if one.finding is not None:
                taken.add(one.finding)
    rest = sorted((a for a in actions if a.kind not in MADE), key=lambda a: _order(a, purse))
    going = [a for a in rest if a.kind in GOING]
    waiting = [a for a in rest if a.kind == "wait"]
    if not may_end and not going:
        ordered = _at_least_one(ordered, purse)
    some = any(a.fate == "taken" for a in ordered)
    ends = may_end and floor is not None and not some and all(_is_little(a, floor) for a in (*ordered, *going))
    beside = [replace(a, fate="beside" if not ends else "little") for a in going]
    worth = [a for a in waiting if a.expected is not None and a.expected >= (floor or 0.0)]
    done = [a for a in (*ordered, *beside) if a.fate in ("taken", "beside")]
    done = [a for a in done if a.expected and not _is_little(a, floor or 0.0)] or done
    first = min(done, key=lambda a: _order(a, purse), default=None)
    if ends or (first is None and (may_end or not ordered)):
        pick = worth[0].name if worth else "stop"
    else:
        pick = "" if first is None else first.name
    everything = sorted((*ordered, *beside, *waiting), key=lambda a: _order(a, purse))
    return Weighed(
        pick=pick,
        actions=tuple(everything),
        room=purse.room,
        floor=floor,
        trainings=None if math.isinf(purse.trainings) else purse.trainings,
        money=None if math.isinf(purse.money) else purse.money,
    )


def of_search(mean: float, sd: float, noise: float, trainings: float) -> float:
    """What so many trainings of a rival are expected to bring: the knowledge gradient of one alternative.

    mean, sd: what is believed of its lead; noise: standard deviation of one training. Source: Frazier, Powell & Dayanik
    2008, "A knowledge-gradient policy for sequential information collection".
    """
    if trainings <= 0 or sd <= 0:
        return max(0.0, mean)
    learned = sd * sd / math.sqrt(sd * sd + noise * noise / trainings)
    z = mean / learned
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return float(mean * ndtr(z) + learned * density)


def _left(one: Action, taken: set[str]) -> Action:
    if one.finding not in taken or one.expected is None or one.kind != "finding":
        return one
    return replace(one, expected=LEAVES * one.expected, hoped=None if one.hoped is None else LEAVES * one.hoped)


def _order(one: Action, purse: Purse) -> tuple[float, float, float, str]:
    """What is known first, by gain per cost, then by gain."""
    if one.expected is None:
        return (1.0, 0.0, 0.0, one.name)
    share = purse.share(one)
    free = math.copysign(math.inf, one.expected) if one.expected else 0.0
    return (0.0, -(one.expected / share if share > 0 else free), -one.expected, "")


def _fate(one: Action, floor: float | None, *, room: float, money: float, first: bool, purse: Purse) -> Fate:
    if one.cost > money:
        return "dear"
    if floor is not None and _is_little(one, floor):
        return "little"
    return "taken" if one.trainings <= (purse.trainings if first else room) else "later"


def _at_least_one(ordered: Sequence[Action], purse: Purse) -> list[Action]:
    """The same, the first that is paid taken where none is."""
    paid = [a for a in ordered if a.fate == "little" and purse.pays(a)]
    if not paid or any(a.fate == "taken" for a in ordered):
        return list(ordered)
    best = min(paid, key=lambda a: _order(a, purse))
    return [replace(a, fate="taken") if a is best else a for a in ordered]


def _is_little(one: Action, floor: float) -> bool:
    if one.confirmed or one.expected is None:
        return False
    return (one.expected if one.at_best is None else one.at_best) < floor
