"""What was made, row by row: for what, by whom, its verdict, and what it did beside as many rows by chance."""

from __future__ import annotations

from typing import Any

from autodc.review import by_chance, lineage, requests, together
from autodc.review.numbers import Numbers, listed
from autodc.review.wording import VERDICTS, of_finding
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State

FEW = 3
"""So many names are told one by one; of more, how many."""


def row(state: State, name: str, beside: list[str], numbers: Numbers) -> dict[str, Any]:
    """A dataset that was made. beside: its controls."""
    card = state.card(name)
    told = (lineage.proposal_of(state, name).get("words") or "", requests.about_delivery(state, name))
    return {
        "name": name,
        "finding": card.get("finding"),
        "what": "; ".join(part for part in told if part),
        "by": card.get("by"),
        "rows": int(card.get("rows") or 0),
        "cost": float(card.get("cost") or 0.0),
        "verdict": state.verdict(name),
        "verdict_words": VERDICTS[state.verdict(name)],
        "measured": _measured(state, name, numbers),
        "control": "; ".join(_told(state, other, numbers) for other in beside),
        "chance": by_chance.verdict(state, name),
        "chance_words": by_chance.sentence(state, name),
    }


def _told(state: State, name: str, numbers: Numbers) -> str:
    return f"{name}: {VERDICTS[state.verdict(name)]}, {_measured(state, name, numbers)}"


def _measured(state: State, name: str, numbers: Numbers) -> str:
    """What a dataset did to the targets together, as its comparison says."""
    comparison = together.telling(state, name)
    if comparison is None or not comparison.looks:
        return "not compared"
    turned = comparison.sign * comparison.typed_looks[-1].objective.difference
    others = [one for one in comparison.members if one != name]
    own = _on_own(state, name, comparison, numbers)
    if not others:
        return f"{numbers.signed(turned)}{own}"
    with_them = listed(others) if len(others) < FEW else f"{len(others)} others"
    return f"{numbers.signed(turned)} with {with_them}{own}"


def _on_own(state: State, name: str, comparison: ComparisonState, numbers: Numbers) -> str:
    """What it did to the slice of the finding for which it was made."""
    slices, sign = comparison.typed_looks[-1].slices, comparison.sign
    own = [one for one in state.card(name).get("targets") or () if one in state.of_findings and one in slices]
    return "".join(f"; {numbers.signed(sign * slices[one].difference)} on the {of_finding(one)}" for one in own)
