"""Whether rows that were chosen were the right ones or only more rows, in words."""

from __future__ import annotations

from autodc.review import together
from autodc.review.numbers import Numbers, count, listed
from autodc.review.wording import of_finding
from autodc.study.journal.state import State
from autodc.study.rules.controls import controls_of

SAID = {
    "right": "the right data",
    "more": "more data, not the right data",
    "open": "the right data or only more of it: open",
}


def beside(state: State, name: str) -> tuple[str, ...]:
    """What a control stands beside; nothing of what is none."""
    how = state.card(name).get("how") or {}
    return tuple(how.get("control_of") or ())


def verdict(state: State, name: str) -> str:
    """In a few words what a kept dataset is beside its control; empty where nothing is told of it."""
    told = state.by_chance.get(name)
    if told is not None and name in state.kept:
        return SAID[told.says]
    if name in state.kept and beside(state, name):
        return "rows by chance: more data"
    return "its control was kept with it: not told apart" if _beside_it(state, name) else ""


def sentence(state: State, name: str) -> str:
    """The same with its numbers, in one sentence; empty where there is no control, or it was not kept."""
    if name not in state.kept:
        return ""
    told, numbers = state.by_chance.get(name), Numbers(3)
    if told is None and (chosen := beside(state, name)):
        return (
            f"{name} is rows by chance, as many as {listed(chosen)} had at most: it is kept as more data, and does not "
            "say which rows are the right ones"
        )
    if told is None:
        others = _beside_it(state, name)
        if not others:
            return ""
        return (
            f"{name} was kept in one claim with {listed(others)}, as many rows by chance: which of them brought the "
            "gain was not asked, so it may be more data and not the right data"
        )
    by = told.own or {"gain": told.gain, "difference": told.difference, "low": told.low, "high": told.high}
    gain, more = numbers.signed(by["gain"]), numbers.signed(by["difference"])
    span = f"95% interval {numbers.span(by['low'], by['high'])}, {count(told.pairs, 'pair')}"
    here = "" if told.own is None else f" on the {of_finding(told.own['slice'])}, by which it was kept"
    there = "" if told.own is None else f"; on the targets {numbers.signed(told.difference)}"
    who = f"{told.control}, as many rows by chance"
    if told.beside:
        who += f", and {count(len(told.beside), 'other dataset')} with it"
    if told.says == "more":
        return f"more data, not the right data: {who}, did as well as {name}{here} ({more} between them, {span}{there})"
    if told.says == "right":
        return f"it was the right data: {name} brought {gain}{here}, {more} more than {who} ({span}{there})"
    return (
        f"whether {name} was the right data or only more of it is open: it brought {more} more than {who}{here} "
        f"({span}{there})"
    )


def _beside_it(state: State, name: str) -> tuple[str, ...]:
    """The controls of a dataset that one comparison kept together with it."""
    comparison = together.telling(state, name)
    members = () if comparison is None or comparison.verdict != "keep" else comparison.members
    return tuple(one for one in controls_of(state, name) if one in members and one in state.kept)
