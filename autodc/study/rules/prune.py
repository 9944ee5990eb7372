"""Which dataset leaves the challenger after a comparison of the gate."""

from __future__ import annotations

from autodc.gate.retreat import costliest
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State

RETREATS = 2
"""How many members a challenger may give up, one by one, where its guards alone fail it as a whole."""


def leaving(state: State) -> str | None:
    """The dataset that the last comparison of this round takes out of its challenger, where it still is in it."""
    last = state.comparisons[-1] if state.comparisons else None
    if last is None or last.round != state.round or last.verdict is None or last.challenger != state.challenger:
        return None
    if last.purpose == "removal":
        return None if stays(last.verdict, last.subject in state.kept) else last.subject
    return _given_up(state, last) if last.purpose == "whole" else None


def stays(verdict: str, kept: bool) -> bool:
    """Whether a member stays in the challenger: a new one only when kept, an old one unless it is shown useless."""
    return verdict == "keep" or (kept and verdict == "undecided")


def _given_up(state: State, whole: ComparisonState) -> str | None:
    """The member that a whole challenger gives up where its guards alone failed it; at most RETREATS a round."""
    mine = [t for t in state.comparisons if t.round == whole.round]
    if not whole.looks or sum(t.purpose == "whole" for t in mine) > RETREATS:
        return None
    removals = [t for t in mine if t.purpose == "removal" and t.subject in whole.members and t.looks]
    return costliest(whole.typed_looks[-1], {t.subject: t.typed_looks[-1] for t in removals})
