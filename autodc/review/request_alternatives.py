"""A request beside tonight: what rows made for the same weakness are expected to bring, and what an order adds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from autodc.review import action_words, actions
from autodc.review.findings import Errors
from autodc.review.numbers import count, listed
from autodc.review.wording import VERDICTS
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.rules.requests import covers
from autodc.study.view import spec_of

DAY = 86400.0


def made_instead(state: State, one: ev.RequestMade) -> dict[str, Any] | None:
    """Rows made tonight for the same weakness, and what the request's own curve expects of them; None: there are none.

    left: what the rows of the request would bring beyond them.
    """
    wanted, made = set(state.findings[one.finding].ids), dict[str, int]()
    for name in state.candidates:
        card = state.card(name)
        of = state.findings.get(str(card.get("finding")))
        if of is None or card.get("request") or int(card.get("round") or 0) < one.round:
            continue  # what was there before is in the model that the request is about
        if covers(set(of.ids), wanted):
            made[name] = int(card["rows"])
    if not made:
        return None
    rows = sum(made.values())
    brings, both = gain_at(one, rows), gain_at(one, rows + one.rows)
    return {"datasets": made, "rows": rows, "brings": brings, "of": one.gain["mid"], "left": max(0.0, both - brings)}


def gain_at(one: ev.RequestMade, rows: float) -> float:
    """What so many rows of the kind are expected to bring, between the sizes that the request tells; no more beyond."""
    known = sorted({0.0: 0.0, float(one.rows): one.gain["mid"], **{s["rows"]: s["mid"] for s in one.steps}}.items())
    return round(float(np.interp(rows, [n for n, _ in known], [gain for _, gain in known])), 6)


def alternative_words(state: State, one: ev.RequestMade, known: Mapping[str, Any] | None, numbers: Errors) -> str:
    """What is made for the same rows while people are waited for, weighed against what is asked for.

    known: of `made_instead`; numbers: how errors of the request are written.
    """
    said = partial(_amount, numbers)
    best = actions.best_tonight(state, one.round)
    first = f" What the study does meanwhile: {best}." if best else ""
    if known is not None:
        names = [f"{name} ({VERDICTS[state.verdict(name)]})" for name in known["datasets"]]
        return (
            f"{count(known['rows'], 'row')} made tonight for the same rows, {listed(names)}, are expected to bring "
            f"{said(known['brings'])} of its {said(known['of'])}; beyond them, {count(one.rows, 'row')} ordered would "
            f"bring about {said(known['left'])} more. Order only what they leave.{first}"
        )
    if one.label:
        of = one.label.get("matching")
        many = f"{len(one.label['rows'])} of the {of} that match, the likest to failures" if of else "some of them"
        return f"The pool has such rows, and they lack nothing but labels: {many}, are on the sheet."
    makers = one.told.get("makers", ())
    if makers:
        return f"Nothing could be made for it tonight: {listed(map(str, makers))} had nothing for these rows.{first}"
    return (
        "Nothing that this study may draw on makes such rows; a pool (`data.pool`) or a generator "
        f"(`data.generators`) would, in the same night.{first}"
    )


def _amount(numbers: Errors, gain: float) -> str:
    return f"{100 * gain:.1f} points" if numbers.shares else numbers.plain(gain)


def due_words(state: State) -> str:
    """How long people take; empty where the study file does not say."""
    lead = spec_of(state).data.lead_time
    return "" if lead is None else f"; people take about {action_words.lead(lead / DAY)} to bring it"


def lead_days(state: State) -> float | None:
    """How many days a delivery takes (data.lead_time); None where nobody says it."""
    lead = spec_of(state).data.lead_time
    return None if lead is None else round(lead / DAY, 3)
