"""Why a round did what it did: the actions that were weighed, in plain values and sentences."""

from __future__ import annotations

from typing import Any

from autodc.propose.actions import GOING, MADE, Action, Weighed
from autodc.review.action_words import cost, gain, named, what, when
from autodc.review.numbers import Numbers, count, listed
from autodc.study.journal.state import State
from autodc.study.rules.actions import of_round


def line(state: State) -> str:
    """What the last round that weighed anything does first, and why, on one line; empty where none did."""
    number = max((n for n in state.proposed if of_round(state, n) is not None), default=None)
    return "" if number is None else f"round {number}: {'; '.join(sentences(state, number))}"


def sentences(state: State, number: int) -> list[str]:
    """The choice of a round, what comes first in the first; nothing where nothing was weighed."""
    found = of_round(state, number)
    if found is None:
        return []
    told = [_first(state, found), *_then(found), *_beside(state, found), *_waiting(found), *_corrected(found)]
    if found.floor is not None and not found.ends:
        told.append(f"it stops when nothing is expected above {_value(found.floor)}")
    return told


def rows(state: State, number: int) -> list[dict[str, Any]]:
    """All that was weighed in a round, the most gain per cost first, with its words."""
    found = of_round(state, number)
    return [] if found is None else [_row(state, one) for one in found.actions]


def of_dataset(state: State, name: str) -> str:
    """What was expected of a dataset when it was settled, and for what; empty where it was not weighed."""
    found = of_round(state, int(state.card(name).get("round") or 0))
    mine = next((one for one in (() if found is None else found.actions) if one.name == name), None)
    if mine is None:
        return ""
    if mine.expected is None:
        return f"when it was settled, nothing told what it would bring; it was tried for {cost(state, mine)}"
    before = mine.hoped is not None and abs(mine.hoped - mine.expected) > _TOLD * abs(mine.hoped)
    was = f" ({Numbers(3).signed(mine.hoped or 0.0)} before earlier hopes were held against what came true)"
    return f"when it was settled, {gain(mine)} was expected of it{was if before else ''} for {cost(state, mine)}"


def best_tonight(state: State, number: int) -> str:
    """The best that a round may do instead of waiting for a request; empty where nothing was weighed."""
    found = of_round(state, number)
    done = [] if found is None else [one for one in found.actions if one.fate == "taken" and one.expected is not None]
    if not done:
        return ""
    return f"{what(state, done[0])} ({gain(done[0])} for {cost(state, done[0])})"


def _row(state: State, one: Action) -> dict[str, Any]:
    return {
        **one.to_dict(),
        "what": what(state, one),
        "gain": "not known yet" if one.expected is None else gain(one),
        "for": cost(state, one),
        "when": when(one) if one.kind == "wait" else "tonight",
        "fate_words": _FATES.get(one.fate, "") or ("stands open" if one.kind == "wait" else ""),
    }


_FATES = {
    "taken": "made in this round",
    "beside": "goes on beside it",
    "later": "left for a later round: no trainings for it",
    "little": "left: too little to matter",
    "dear": "left: budget.cost does not pay it",
}


def _first(state: State, found: Weighed) -> str:
    one = found.picked
    if one is None and not found.ends:
        return "nothing is made: neither budget.cost nor the trainings left pay it"
    if one is None:
        little = f"nothing that can be done promises a gain that matters ({_value(found.floor or 0.0)})"
        return f"{little if found.promises_little else 'nothing more can be paid tonight'}, so the night ends"
    if one.kind == "wait":
        little = "nothing that can be done tonight promises a gain that matters"
        return (
            f"{little if found.promises_little else 'nothing more can be paid tonight'}, so the night ends and "
            f"{one.name} is waited for: {gain(one)}, {when(one)}; the same command goes on once it is delivered"
        )
    told = "what it brings nothing tells yet, tried" if one.expected is None else f"{gain(one)} expected"
    first = "promises most for its cost" if one.kind in GOING else "first"
    return f"{what(state, one)} {first}: {told} for {cost(state, one)}"


def _then(found: Weighed) -> list[str]:
    """What else is made, in its order; what is not."""
    made = [one for one in found.actions if one.kind in MADE and one.fate == "taken" and one.name != found.pick]
    beside = found.picked is not None and found.picked.kind in GOING
    told = [f"{'beside it' if beside else 'then'} {listed(named(one) for one in made)}"] if made else []
    left = [one for one in found.actions if one.kind in MADE and one.fate in ("later", "little", "dear")]
    return [*told, *([f"left out: {listed(named(one) for one in left)}"] if left else [])]


def _beside(state: State, found: Weighed) -> list[str]:
    own = [one for one in found.actions if one.kind in GOING and one.name != found.pick]
    return [f"{what(state, one)}: {gain(one)} for {cost(state, one)}" for one in own if one.expected is not None]


def _waiting(found: Weighed) -> list[str]:
    waiting = [one for one in found.actions if one.kind == "wait" and one.name != found.pick]
    if not waiting:
        return []
    best, pick = waiting[0], found.picked
    known = pick is not None and pick.expected is not None and best.expected is not None
    less = known and pick is not None and (best.expected or 0.0) <= (pick.expected or 0.0)
    worth = ("worth less tonight" if less else "worth more, but not there") if known else "no choice for tonight"
    others = f" (by gain for cost before {count(len(waiting) - 1, 'other request')})" if len(waiting) > 1 else ""
    return [f"waiting for {best.name} is {worth}: {gain(best)}, {when(best)}{others}"]


def _corrected(found: Weighed) -> list[str]:
    """What came true of earlier hopes, where it changes those of now."""
    told = {kind: one for kind, one in found.truths.items() if abs(one.ratio - 1) >= _TOLD}
    return [
        f"what is hoped of {_KINDS[kind]} is taken {one.ratio:.2g} times, for {count(one.datasets, 'dataset')} so far "
        f"brought {Numbers(3).signed(one.gained)} where {Numbers(3).signed(one.hoped)} was hoped"
        for kind, one in told.items()
    ]


_TOLD = 0.05
"""Corrections that are less are not told."""
_KINDS = {"finding": "rows for findings", "more": "more of what was kept", "mend": "a mended base"}


def _value(value: float) -> str:
    return f"{value:.3g}"
