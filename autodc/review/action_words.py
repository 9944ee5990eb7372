"""One action that a round weighed, in words: what it is, what it would bring, what for, and when."""

from __future__ import annotations

from autodc.propose.actions import Action
from autodc.review.numbers import Numbers, count, duration, short
from autodc.study.journal.state import State
from autodc.study.pace import pace, typical_rows

_DAY = 86400.0


def what(state: State, one: Action) -> str:
    """What it is."""
    match one.kind:
        case "finding":
            return f"rows for {one.finding} ({one.name})" if one.finding else f"rows of the pool ({one.name})"
        case "more":
            told = next((made for made in state.to_make if made["name"] == one.name), {})
            return f"more of {told.get('more_of') or 'what was kept'} ({one.name})"
        case "open":
            return "asking again of what is undecided"
        case "tune":
            return "tuning what is kept"
        case "wait":
            return f"waiting for {one.name}"
    return one.name


def named(one: Action) -> str:
    """Its name, with what is expected of it."""
    return one.name if one.expected is None else f"{one.name} ({gain(one)})"


def gain(one: Action) -> str:
    """What it would bring."""
    return "a gain not known yet" if one.expected is None else Numbers(3).signed(one.expected)


def cost(state: State, one: Action) -> str:
    """Trainings, seconds at the pace of the study, money."""
    known, slots = pace(state), state.sessions[-1].slots if state.sessions else 1
    took = 0.0 if known is None else known.seconds(typical_rows(state)) * one.trainings / max(1, slots)
    about = f", about {duration(took)}" if took >= 1 else ""
    money = f" and {short(one.cost)} of budget.cost" if one.cost else ""
    return f"{count(round(one.trainings, 0) or 1, 'training')}{about}{money}"


def when(one: Action) -> str:
    """When it would be there."""
    return "nobody says when (data.lead_time)" if one.days is None else f"due in {lead(one.days)}"


def lead(days: float) -> str:
    """A lead time in the unit that people plan in."""
    if days < 2:
        return duration(days * _DAY)
    if days < 14:
        return count(round(days), "day")
    return count(round(days / 7), "week") if days < 70 else count(round(days / 30), "month")
