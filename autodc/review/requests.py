"""What people are asked for, in values and words; and whether what was delivered keeps what was expected of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from autodc.gate.types import SliceLook
from autodc.propose.requests import rate
from autodc.review import findings, request_alternatives, together
from autodc.review.findings import Errors
from autodc.review.numbers import count, listed, short
from autodc.review.wording import VERDICTS
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.rules.requests import delivered, is_gone, is_open
from autodc.study.view import spec_of

FOLDER = "requests"
"""Of a run: one file a request for people, one for programs."""
SHEET = "to_label.csv"
"""In the folder of a request: rows of the pool, to be labelled."""
CARDS, PICTURES = "cards", "pictures"
"""Names of the arrays of a sheet that is stored: all but pictures as JSON in UTF-8, and these, (n, h, w, 3)."""
PLAIN = {"classification": ("accuracy",), "regression": ("mae",)}
"""Metrics that are the mean error itself, so that a gain of one is a gain of the other."""


def requests(state: State) -> list[dict[str, Any]]:
    """All of them in the form of the contract, those of highest priority first, what was delivered last."""
    return [_dict(state, one, rank) for one, rank in _ranked(state)]


def views(state: State) -> list[dict[str, Any]]:
    """The same with their words."""
    return [view(state, one, rank) for one, rank in _ranked(state)]


def request(state: State, name: str) -> dict[str, Any]:
    """One of them with its words."""
    return next(one for one in views(state) if one["id"] == name)


def view(state: State, one: ev.RequestMade, rank: int | None) -> dict[str, Any]:
    """A request with its words. rank: its place among those that are open."""
    shares = _is_classification(state)
    numbers = Errors([*one.inside.values(), *one.gain.values()], shares)
    finding = findings.view(state.findings[one.finding], shares)
    instead = request_alternatives.made_instead(state, one)
    return {
        **_dict(state, one, rank),
        "words": finding["words"],
        "which": _which(finding, one),
        "sentence": finding["sentence"],
        "is_rule": finding["kind"] == "attributes",
        "why": [*finding["apart"], *finding["why"]],
        "unlabelled": finding["unlabelled"],
        "before": numbers.plain(one.inside["before"]),
        "inside_words": gain_words(numbers, one.inside),
        "gain_words": gain_words(numbers, one.gain),
        "gain_short": gain_words(numbers, one.gain, unit=False),
        "basis": _basis(one),
        "steps": [
            {
                "rows": round(step["rows"]),
                "gain": gain_words(numbers, step),
                "inside": gain_words(numbers, {key: step[f"inside_{key}"] for key in ("low", "mid", "high")}),
            }
            for step in one.steps
            if "inside_mid" in step
        ],
        "cost_words": _cost_words(one),
        "until_words": f"{_until_words(state, one)}{request_alternatives.due_words(state)}",
        "how": _how(state, one),
        "tonight": request_alternatives.alternative_words(state, one, instead, numbers),
        "instead": instead,
        "lead_days": request_alternatives.lead_days(state),
        "kept_words": [promise_words(each, numbers) for each in _deliveries(state, one)],
        "exhibit": one.exhibit,
        "stored_sheet": str(one.label.get("sheet", "")),
    }


def about_delivery(state: State, name: str) -> str:
    """Whether a dataset that was delivered for a request keeps what was expected; empty for any other."""
    one = state.requests.get(str(state.card(name).get("request")))
    if one is None:
        return ""
    numbers = Errors([*one.inside.values(), *one.gain.values()], _is_classification(state))
    none = state.card(name).get("undeclared")
    why = "" if none is None else f"; its finding has no slice of its own: {none['got']}"
    return promise_words(_delivery(state, one, name), numbers) + why


def short_dict(one: Mapping[str, Any]) -> dict[str, Any]:
    """What a table of requests needs of one. one: of `views`."""
    names = ("id", "status", "priority", "which", "rows", "gain_short", "before", "cost", "price", "finding", "file")
    return {**{name: one[name] for name in names}, "kept_words": list(one["kept_words"])}


def gain_words(numbers: Errors, gain: Mapping[str, float], *, unit: bool = True) -> str:
    """A gain with its interval. unit: whether its unit is said."""
    if not numbers.shares:
        return f"{numbers.plain(gain['mid'])} ({numbers.plain(gain['low'])} to {numbers.plain(gain['high'])})"
    low, mid, high = (100 * gain[key] for key in ("low", "mid", "high"))
    places = 0 if max(abs(low), abs(high)) >= 10 else 1
    said = f"{mid:.{places}f}{' points' if unit else ''} ({low:.{places}f} to {high:.{places}f})"
    return said.replace("-", "−")


def promise_words(told: Mapping[str, Any], numbers: Errors) -> str:
    """What came of one delivery, held against what was expected of so many rows."""
    head = f"{told['dataset']} was delivered for {told['request']} ({count(told['rows'], 'row')})"
    if told["measured"] is None:
        return f"{head}: {VERDICTS[told['verdict']]}, not measured yet"
    seen, expected = told["measured"], gain_words(numbers, told["expected"])
    together_with = f" together with {listed(told['beside'])}" if told["beside"] else ""
    span = "" if seen["low"] is None else f" ({numbers.span(seen['low'], seen['high'])})"
    measured = f"{numbers.signed(seen['difference'])}{span} on {told['on']}{together_with}"
    return f"{head}: {VERDICTS[told['verdict']]}; expected {expected}, measured {measured}: {_KEPT[told['kept']]}"


_KEPT = {
    "more": "more than was expected",
    "yes": "it kept its promise",
    "no": "it did not keep its promise",
    "open": "whether it keeps its promise is open",
    "other": "the two are not of one measure, so its verdict alone tells",
}


def _ranked(state: State) -> list[tuple[ev.RequestMade, int | None]]:
    """Open ones in order of priority, numbered; then those that something was delivered for, and what is gone."""
    waiting = [one for one in state.requests.values() if is_open(state, one.id)]
    others = [one for one in state.requests.values() if one not in waiting]

    def urgent(one: ev.RequestMade) -> tuple[Any, ...]:
        sure = state.findings[one.finding].status == "confirmed"
        return (not sure, *(-part for part in rate(one.gain["mid"], one.cost)), one.round, one.priority)

    return [*((one, k + 1) for k, one in enumerate(sorted(waiting, key=urgent))), *((one, None) for one in others)]


def _status(state: State, name: str) -> str:
    if delivered(state, name):
        return "delivered"
    return "gone" if is_gone(state, name) else "open"


def _dict(state: State, one: ev.RequestMade, rank: int | None) -> dict[str, Any]:
    finding, card = state.findings[one.finding], state.card("base")
    return {
        "id": one.id,
        "finding": one.finding,
        "rule": finding.rule,
        "status": _status(state, one.id),
        "finding_status": finding.status,
        "priority": rank,
        "rows": one.rows,
        "gain": dict(one.gain),
        "inside": dict(one.inside),
        "cost": one.cost,
        "price": one.price,
        "budget_left": one.purse,
        "until_round": one.until,
        "round": one.round,
        "targets": list(one.targets),
        "like": one.like,
        "inputs": dict(card.get("inputs") or {}),
        "file": f"{FOLDER}/{one.id}.md",
        "to_label": _to_label(one),
        "delivered": _deliveries(state, one),
    }


def _to_label(one: ev.RequestMade) -> dict[str, Any] | None:
    """The rows of the pool that are to be labelled; None where rows are to be found."""
    if not one.label:
        return None
    return {"rows": len(one.label["rows"]), "of": one.label.get("matching"), "sheet": f"{FOLDER}/{one.id}/{SHEET}"}


def _deliveries(state: State, one: ev.RequestMade) -> list[dict[str, Any]]:
    return [_delivery(state, one, name) for name in delivered(state, one.id)]


def _delivery(state: State, one: ev.RequestMade, name: str) -> dict[str, Any]:
    """A dataset that was delivered for a request, beside what was expected of as many rows."""
    rows = int(state.card(name).get("rows") or 0)
    comparison = together.telling(state, name)
    told: dict[str, Any] = {
        "dataset": name,
        "request": one.id,
        "rows": rows,
        "verdict": state.verdict(name),
        "measured": None,
        "expected": dict(one.gain),
        "on": "all rows",
        "beside": [],
        "kept": "open",
    }
    if comparison is None or not comparison.looks:
        return told
    look = comparison.typed_looks[-1]
    step = min(one.steps, key=lambda s: abs(math.log(max(rows, 1) / max(s["rows"], 1))), default={**one.gain})
    where, on, expected, comparable = _measured_on(state, one, step, look.slices)
    seen: SliceLook = look.objective if where is None else look.slices[where]
    sign = comparison.sign
    ends = [None if end is None else sign * end for end in (seen.low, seen.high)]
    low, high = ends if sign > 0 else ends[::-1]
    told |= {
        "measured": {"difference": sign * seen.difference, "low": low, "high": high, "level": seen.level},
        "expected": expected,
        "on": on,
        "beside": [other for other in comparison.members if other != name],
    }
    return told | {"kept": _kept(told) if comparable else "other"}


def _measured_on(
    state: State, one: ev.RequestMade, step: Mapping[str, float], slices: Mapping[str, SliceLook]
) -> tuple[str | None, str, dict[str, float], bool]:
    """The slice that tells whether a promise is kept, its words, what was expected on it, whether both are one measure.

    That of the finding where there is one, else one of all rows, else the objective.
    """
    spec, rule = spec_of(state), state.findings[one.finding].rule
    plain = spec.metrics.primary in PLAIN.get(spec.task.kind, ())
    own = {a.name for a in state.admitted if a.rule.get("where") == rule}
    own |= {s.name for s in spec.slices if s.where == rule} | {str(state.findings[one.finding].told.get("slice"))}
    inside = {key: step.get(f"inside_{key}", one.inside[key]) for key in ("low", "mid", "high")}
    everywhere = {key: step[key] for key in ("low", "mid", "high")}
    if named := next((name for name in slices if name in own), None):
        return named, f"slice {named}", inside, plain
    whole = {s.name for s in spec.slices if s.where is None and s.source is None}
    if named := next((name for name in slices if name in whole), None):
        return named, "all rows", everywhere, plain
    return None, "the objective", everywhere, False


def _kept(told: Mapping[str, Any]) -> str:
    """More, yes, no or open: the interval that was measured against the one that was expected."""
    seen, expected = told["measured"], told["expected"]
    if seen["low"] is not None and seen["low"] > expected["high"]:
        return "more"
    if told["verdict"] == "keep" and seen["difference"] >= expected["low"]:
        return "yes"
    beyond = seen["high"] is not None and seen["high"] < expected["low"]
    return "no" if beyond or told["verdict"] == "drop" else "open"


def _is_classification(state: State) -> bool:
    return spec_of(state).task.kind == "classification"


def _which(finding: Mapping[str, Any], one: ev.RequestMade) -> str:
    """Rows that are wanted, as they follow on `500 rows`."""
    of = "of the pool, to be labelled, " if one.label else ""
    return f"{of}{'where' if finding['kind'] == 'attributes' else 'like those of'} {finding['words']}"


def _basis(one: ev.RequestMade) -> str:
    if one.like is not None:
        return f"by the learning curve of {one.like}, whose rows are like these"
    return "no trainings differ in rows of this kind, so it is weighed from how such errors usually fall"


def _cost_words(one: ev.RequestMade) -> str:
    if one.price is None:
        return "no price of a row is known (data.pool.cost_per_row, or the cost of a candidate, would tell)"
    words = f"{short(one.cost)} at {short(one.price)} a row"
    if one.purse is None:
        return f"{words}; budget.cost sets no limit"
    return f"{words}, {'more than the' if one.cost > one.purse else 'of the'} {short(one.purse)} left of budget.cost"


def _until_words(state: State, one: ev.RequestMade) -> str:
    status = _status(state, one.id)
    if status == "gone":
        return "no more: in the last diagnosis this weakness is gone"
    if status == "delivered":
        return "something was delivered; more of it is taken too"
    if one.until is not None and state.finished is None and state.round < one.until:
        return f"before round {one.until} begins; later rounds take it too"
    if state.finished is None and state.round < spec_of(state).loop.rounds:
        return f"before round {state.round + 1} begins; later rounds take it too"
    return "for another night: the study goes on with it when the same command is given again"


def _how(state: State, one: ev.RequestMade) -> str:
    inbox = spec_of(state).data.inbox
    if one.label:
        return _how_labelled(state, one, inbox)
    if inbox is None:
        return (
            "the study file has no `data.inbox`: name a folder there, or add the rows as one of `data.candidates` "
            f"whose name begins with {one.id}"
        )
    return f"put it into the inbox ({inbox}) under a name that begins with {one.id}, such as `{one.id}.npz`"


def _how_labelled(state: State, one: ev.RequestMade, inbox: str | None) -> str:
    pool = spec_of(state).data.pool
    oracle = None if pool is None else pool.oracle
    fill = f"fill in the label of every row of {FOLDER}/{one.id}/{SHEET}, `?` where nobody can tell, and "
    ways = [f"put it into the inbox ({inbox}) as `{one.id}.csv`"] if inbox is not None else []
    ways += [f"write its ids and labels into {oracle} (data.pool.oracle)"] if oracle is not None else []
    if not ways:
        return f"{fill}name a folder for it in the study file (`data.inbox`): put it there as `{one.id}.csv`"
    return f"{fill}{', or '.join(ways)}"
