"""What events of older versions are read as. All here is frozen: no change of a rule elsewhere changes an old journal.

Plain data in, plain data out. A new version of an event is one more entry of `UPCASTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Payload = Mapping[str, Any]

RENAMED = {"TestOpened": "ComparisonOpened"}
"""Kinds of before → what they are called now."""


def upcast(kind: str, version: int, current: int, payload: Payload) -> Payload:
    """The payload as the current version of its kind has it."""
    for number in range(version, current):
        if step := UPCASTS.get((kind, number)):
            payload = step(payload)
    return payload


class Ended(NamedTuple):
    """A comparison that ended, as the rule below reads it."""

    purpose: str
    subject: str
    verdict: str | None
    looks: Sequence[Payload]
    members: tuple[str, ...]


def pruned(last: Ended, of_round: Sequence[Ended], kept: bool) -> str | None:
    """The dataset that a challenger lost by this verdict before version 3 of VerdictReached, which said so itself.

    of_round: all comparisons of the round, this one among them; kept: whether its subject is in the incumbent.
    """
    if last.purpose == "removal":
        return None if last.verdict == "keep" or (kept and last.verdict == "undecided") else last.subject
    if last.purpose != "whole" or not last.looks or sum(one.purpose == "whole" for one in of_round) > _RETREATS:
        return None
    removals = [t for t in of_round if t.purpose == "removal" and t.subject in last.members and t.looks]
    return _costliest(last.looks[-1], {t.subject: t.looks[-1]["slices"] for t in removals})


_RETREATS = 2
_FAILED_BY_GUARDS = frozenset({"ADC-G010", "ADC-G011", "ADC-G022", "ADC-G032", "ADC-G033", "ADC-G034", "ADC-G035"})


def _costliest(failed: Payload, members: Mapping[str, Payload]) -> str | None:
    if failed["verdict"] == "keep" or not set(failed["reasons"]) <= _FAILED_BY_GUARDS:
        return None
    guards = {n: s for n, s in failed["slices"].items() if s["margin"] is not None and s.get("needed") is None}
    at_fault = [n for n, s in guards.items() if not {s.get("step"), s.get("since_start")} <= {"holds", None}]
    if not at_fault or not members:
        return None
    cost = {m: sum(slices[n]["difference"] for n in at_fault if n in slices) for m, slices in members.items()}
    name = min(cost, key=lambda m: (cost[m], m))
    return name if cost[name] < 0 else None


def _comparison_for_test(payload: Payload) -> Payload:
    """Version 1 called a comparison of the gate a test."""
    return {("comparison" if key == "test" else key): value for key, value in payload.items()}


def _typed_look(payload: Payload) -> Payload:
    """Looks of version 1 may tell what was found in a sentence, and what has no bound as a number."""
    look = payload["look"]
    slices = {name: _typed(seen) for name, seen in look["slices"].items()}
    return {**_comparison_for_test(payload), "look": {**look, "slices": slices, "objective": _typed(look["objective"])}}


_SENTINEL = 1e6
_GAINED = {
    "improved": "improved",
    "better": "improved",
    "not shown": "not_shown",
    "not shown better": "not_shown",
    "not tested": "not_tested",
}
_HELD = {"holds": "holds", "harmed": "harmed", "not settled": "not_settled"}
_SINCE = " since the start"
_UNTOLD: Payload = {
    "margin": None,
    "declared": False,
    "weight": 1.0,
    "anchor": None,
    "level": 0.9,
    "alpha": None,
    "chance": None,
    "gained": None,
    "step": None,
    "since_start": None,
    "groups": None,
    "counting": None,
    "needed": None,
    "vouched": True,
}
"""What a slice of a look is taken to say of itself where it does not."""


def _typed(seen: Payload) -> Payload:
    found = {**_UNTOLD, **{key: value for key, value in seen.items() if key != "state"}}
    for key in ("low", "high", "standard_error", "df", "z", "bound"):
        value = found.get(key)
        if value is not None and abs(value) >= _SENTINEL:
            found[key] = None
    for part in str(seen.get("state", "")).split("; "):
        if part in _GAINED:
            found["gained"] = _GAINED[part]
        elif part in _HELD:
            found["step"] = _HELD[part]
        elif part.endswith(_SINCE) and part.removesuffix(_SINCE) in _HELD:
            found["since_start"] = _HELD[part.removesuffix(_SINCE)]
    return found


def _prunes(payload: Payload) -> Payload:
    """Before version 3 a verdict said itself what leaves the challenger."""
    return {**payload, "prunes": True}


def _without_told(payload: Payload) -> Payload:
    """DiagnosisMade had a field that nothing was ever written to."""
    return {name: value for name, value in payload.items() if name != "told"}


UPCASTS: Mapping[tuple[str, int], Callable[[Payload], Payload]] = {
    ("DiagnosisMade", 3): _without_told,
    ("IncumbentMoved", 1): _comparison_for_test,
    ("LookTaken", 1): _typed_look,
    ("VerdictReached", 1): _comparison_for_test,
    ("VerdictReached", 2): _prunes,
}
"""(kind, version) → how its payload is made one of the next version; none where nothing else changed."""
