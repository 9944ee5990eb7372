"""Which findings people are asked to bring data for: those that matter, and for which nothing was or can be made."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence, Set
from typing import Any

import numpy as np

from autodc.plan.mixture import BASE
from autodc.propose.requests import Ask, Weakness, ask, in_order
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.view import View
from autodc.studyfile.study import StudySpec

COVERED = 0.5
"""Share of a finding's rows from which an open request is one for it too."""


def due(view: View, proposed: Collection[str] = ()) -> tuple[ev.RequestMade, ...]:
    """The requests of the round, the first the most urgent: the same view, the same requests.

    proposed: findings of the last diagnosis for which something is made in this round. Suspicions are asked for only
    where the round confirmed nothing, for most of them are luck; nothing is asked for twice while it is open.
    """
    state, spec = view.state, view.spec
    looked = state.diagnosed(view.incumbent)
    if looked is None or not looked.made.rows:
        return ()
    found = [state.findings[name] for name in looked.ids]
    sure = [one for one in found if one.status == "confirmed"]
    made = sum(one.finding in looked.ids for one in state.requests.values())
    open_rows = [set(state.findings[one.finding].ids) for one in state.requests.values() if is_open(state, one.id)]
    taken: list[ev.FindingMade] = []
    for one in sure or found:
        rows = set(one.ids)
        if one.id in proposed or not rows or any(covers(each, rows) for each in open_rows):
            continue
        open_rows.append(rows)
        taken.append(one)
    left = max(0, spec.loop.findings - made)
    offered = _offered(state)
    asks = [_ask(view, one, looked.made.rows, offered.get(one.id)) for one in taken]
    worthwhile = [one for one in in_order(asks) if one.gain["mid"] > 0][:left]
    first, rank = len(state.requests) + 1, made + 1
    return tuple(
        _event(view, one, f"R{first + k}", rank + k, offered.get(one.finding)) for k, one in enumerate(worthwhile)
    )


def most_rows(view: View, finding: str) -> int:
    """The most rows that a request of now would ask for a finding of the last diagnosis, were they all there."""
    looked = view.state.diagnosed(view.incumbent)
    assert looked is not None
    return _ask(view, view.state.findings[finding], looked.made.rows).rows


def is_open(state: State, name: str) -> bool:
    """Whether nothing was delivered for a request, and its weakness is still there."""
    return not delivered(state, name) and not is_gone(state, name)


def is_gone(state: State, name: str) -> bool:
    """Whether the last diagnosis that saw rows found nothing that has half of the request's rows."""
    looked = next((one for one in reversed(state.diagnoses) if one.made.rows and one.is_whole), None)
    finding = state.requests[name].finding
    if looked is None or finding in looked.ids:
        return False
    rows = set(state.findings[finding].ids)
    return not any(covers(set(state.findings[one].ids), rows) for one in looked.ids)


def delivered(state: State, name: str) -> tuple[str, ...]:
    """The datasets that were delivered for a request, in the order they came."""
    return tuple(one for one in state.candidates if state.card(one).get("request") == name)


def covers(others: Set[int], rows: Set[int]) -> bool:
    """Whether others hold so large a share of these rows that what is done for them is done for these."""
    return len(others & rows) >= COVERED * len(rows)


def price_of(spec: StudySpec, state: State) -> float | None:
    """What a row costs: of the pool, else the usual one of what is given, else of a generator; None: nobody says."""
    if spec.data.pool is not None and spec.data.pool.cost_per_row > 0:
        return spec.data.pool.cost_per_row
    cards = [state.card(name) for name in state.candidates]
    given = [float(c["cost"]) / c["rows"] for c in cards if c.get("by") == "given" and c.get("cost") and c.get("rows")]
    if given:
        return float(np.median(given))
    made = [one.cost_per_row for one in spec.data.generators if one.cost_per_row > 0]
    return min(made) if made else None


def purse_of(spec: StudySpec, state: State) -> float:
    """What is left of budget.cost once all is paid that was kept or made (`State.paid`)."""
    return math.inf if spec.budget.cost is None else max(0.0, spec.budget.cost - state.paid)


def _ask(view: View, one: ev.FindingMade, looked_at: int, offered: Mapping[str, Any] | None = None) -> Ask:
    """What is asked for a finding. looked_at: explore rows of the diagnosis; offered: as of `_offered`."""
    state, spec = view.state, view.spec
    return ask(
        _weakness(view, one, looked_at),
        int(state.card(BASE).get("rows") or 0),
        price=price_of(spec, state) or 0.0,
        purse=purse_of(spec, state),
        there=None if offered is None else len(offered["arguments"]["rows"]),
    )


def _weakness(view: View, one: ev.FindingMade, looked_at: int) -> Weakness:
    """looked_at: explore rows of the diagnosis."""
    error, classes = one.error, view.spec.task.kind == "classification"
    scale = None if classes else max(error["inside"], error["outside"], 1e-12)
    more: Sequence[dict[str, object]] = one.told.get("more_rows", ())
    return Weakness(
        id=one.id,
        is_sure=one.status == "confirmed",
        inside=error["inside"] if error["inside"] > 0 else max(0.0, error["difference"]),  # a score has no least error
        difference=error["difference"],
        low=error["low"],
        high=error["high"],
        share=len(one.ids) / looked_at,
        scale=scale,
        more_rows=more,
    )


def _offered(state: State) -> dict[str, Mapping[str, Any]]:
    """Finding → rows of the pool for it that lack labels, as the round chose them, where nobody was asked about any."""
    asked = {(one.label["pool"], row) for one in state.requests.values() if one.label for row in one.label["rows"]}
    every = (one for made in state.proposed.get(state.round, ()) for one in made.to_label)
    return {
        str(one["finding"]): one
        for one in every
        if not any((one["arguments"]["pool"], row) in asked for row in one["arguments"]["rows"])
    }


def _event(view: View, one: Ask, name: str, rank: int, offered: Mapping[str, Any] | None) -> ev.RequestMade:
    state, spec = view.state, view.spec
    price, purse = price_of(spec, state), purse_of(spec, state)
    rows = {} if offered is None else {**offered["arguments"], "rows": offered["arguments"]["rows"][: one.rows]}
    finding = state.findings[one.finding]
    own = finding.told.get("slice")
    targets = {each.name for each in spec.slices if each.role == "target"}
    makers = [*(["pool"] if spec.data.pool else []), *(each.name for each in spec.data.generators)]
    return ev.RequestMade(
        id=name,
        round=state.round,
        horizon=view.horizon,
        finding=one.finding,
        rows=one.rows,
        gain=one.gain,
        inside=one.inside,
        steps=one.steps,
        cost=one.cost,
        price=price,
        purse=None if math.isinf(purse) else purse,
        priority=rank,
        until=state.round + 1 if state.round < spec.loop.rounds and not view.closes(state.phase) else None,
        targets=(own,) if own in targets else (),
        like=one.like,
        exhibit=finding.exhibit,
        label=rows,
        told={"makers": makers} if makers else {},
    )
