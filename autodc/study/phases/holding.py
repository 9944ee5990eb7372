"""Chosen rows are held against as many by chance when the comparisons of a round are over: it trains nothing.

What the slice of its finding kept is held there: the objective hardly shows what it was kept for.
"""

from __future__ import annotations

from autodc.propose.chance import said
from autodc.study.journal import events as ev
from autodc.study.phases.propose import weighs
from autodc.study.phases.tools import Tools
from autodc.study.rules import controls
from autodc.study.view import View


def next_event(view: View, tools: Tools) -> ev.ControlCompared | None:
    """The next kept dataset beside its control; None where all that can be told is told."""
    if not weighs(view):
        return None
    found = controls.next_contrast(view)
    if found is None:
        return None
    arms = found.without_control, found.without_subject
    told = tools.assessor.contrast(view, *arms, found.seeds)
    own = {**tools.assessor.contrast(view, *arms, found.seeds, found.own)} if found.own else None
    gain, by = (found.gain, told) if own is None else (found.own_gain, own)
    alone = not found.beside and (own is not None or not found.by_slice)
    return ev.ControlCompared(
        round=view.state.round,
        horizon=view.horizon,
        subject=found.subject,
        control=found.control,
        gain=found.gain,
        difference=told["difference"],
        low=told["low"],
        high=told["high"],
        pairs=len(found.seeds),
        says=said(gain, by["difference"], by["low"], by["high"], alone=alone),
        beside=found.beside,
        own=None if own is None else {"slice": found.own, "gain": found.own_gain, **own},
    )
