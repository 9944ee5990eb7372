"""The story of a night, round by round: finding, what was made for it, verdict, and what the better model fails at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autodc.evaluation.evidence import FINDING
from autodc.gate import reasons
from autodc.gate.questions import WHOLES
from autodc.plan.plan import Plan
from autodc.review import actions, deliveries, findings, lineage, round_datasets
from autodc.review.numbers import Numbers, as_sentence, count, listed
from autodc.review.wording import of_finding
from autodc.study.journal import events as ev
from autodc.study.journal.records import ComparisonState, DiagnosisState
from autodc.study.journal.state import State
from autodc.study.rules.requests import covers
from autodc.study.view import spec_of

_NOTED = dict.fromkeys(("ADC-PROP-052", "ADC-PROP-053"), "Judged by the study's targets alone")
"""Code of a note → what it says, where that is not that something was not made."""


def rounds(state: State, numbers: Numbers) -> list[dict[str, Any]]:
    """Each round in which anything was found, made or delivered; nothing where all was given and nothing asked for."""
    made = [name for name in state.candidates if lineage.maker_of(state, name) != lineage.GIVEN]
    controls = {name: tuple(lineage.proposal_of(state, name).get("control_of", ())) for name in made}
    found: dict[int, list[dict[str, Any]]] = {}
    for name in made:
        card = state.card(name)
        beside = [other for other in made if name in controls[other]]
        one = round_datasets.row(state, name, beside, numbers) | {"control_of": list(controls[name])}
        found.setdefault(int(card.get("round") or 0), []).append(one)
    for number in (*(one.round for one in state.requests.values()), *state.proposed):
        found.setdefault(number, [])
    told = [_round(state, number, rows, numbers) for number, rows in sorted(found.items())]
    return [one for one in told if one["rows"] or ((one["notes"] or one["asked"]) and state.proposed)]


def _round(state: State, number: int, rows: Sequence[dict[str, Any]], numbers: Numbers) -> dict[str, Any]:
    looked = _looked(state, number)
    served = {row["finding"] for row in rows}
    shown = [] if looked is None else [state.findings[name] for name in looked.ids]
    order = {name: k for k, name in enumerate(() if looked is None else looked.ids)}
    in_order = sorted(rows, key=lambda row: order.get(str(row["finding"]), len(order)))
    behind = [row for row in in_order if not row["control_of"]]
    return {
        "round": number,
        "before": _before(state, number, looked),
        "findings": [_finding(state, one, served) for one in shown],
        "next": [as_sentence(words) for words in actions.sentences(state, number)],
        "weighed": actions.rows(state, number),
        "rows": [*behind, *(row for row in in_order if row["control_of"])],
        "notes": _notes(state, number),
        "asked": _asked(state, number),
        "after": _after(state, number, numbers),
    }


def _looked(state: State, number: int) -> DiagnosisState | None:
    """The diagnosis that a round began with; None where the model was the one of before. Its end has one of its own."""
    ends = {Plan.from_dict(one.plan) for one in state.moves if one.round == number}
    ends |= {Plan.from_dict(one.plan) for one in state.polished if one.round == number}
    mine = (one for one in state.diagnoses if one.made.round == number and one.made.rows and one.plan not in ends)
    return next(mine, None)


def _before(state: State, number: int, looked: DiagnosisState | None) -> str:
    """What became of the findings of the round before, and what is new."""
    if looked is None:
        return "The model is the one of the round before, and so are its weaknesses." if number > 1 else ""
    earlier = next((d for d in reversed(state.diagnoses) if d.made.round < number and d.made.rows), None)
    sure = sum(state.findings[name].status == "confirmed" for name in looked.ids)
    said = f"{count(len(looked.ids), 'weakness', 'weaknesses')} found, {sure} of them confirmed on rows of their own"
    if not looked.ids:
        said = "nothing was found at which it fails more than elsewhere"
    if earlier is None:
        return f"The model of the start was looked at: {said}."
    now = [set(state.findings[name].ids) for name in looked.ids]
    gone = [n for n in earlier.ids if not any(_is_same(rows, set(state.findings[n].ids)) for rows in now)]
    sure_gone = [name for name in gone if state.findings[name].status == "confirmed"]
    told = f"The better model was looked at again: {said}."
    return f"{told} Gone since: {listed(sure_gone)}, confirmed before." if sure_gone else told


def _is_same(rows: set[int], other: set[int]) -> bool:
    return bool(other) and covers(rows, other)


def _finding(state: State, one: ev.FindingMade, served: set[Any]) -> dict[str, Any]:
    view = findings.view(one, spec_of(state).task.kind == "classification")
    asked = [r.id for r in state.requests.values() if r.finding == one.id]
    what = "" if one.id in served else f"asked for as {listed(asked)}" if asked else "nothing was made for it"
    names = ("id", "words", "status", "sentence", "exhibit")
    return {**{key: view[key] for key in names}, "left": what}


def _after(state: State, number: int, numbers: Numbers) -> str:
    """What the round ended with."""
    move = next((one for one in reversed(state.moves) if one.round == number), None)
    if move is None:
        under_way = state.round == number and state.finished is None
        return "It is under way." if under_way else "Nothing was shown better, so the model stays."
    whole = next(
        (t for t in state.comparisons if t.round == number and t.purpose in WHOLES and t.verdict == "keep" and t.looks),
        None,
    )
    if whole is None:
        return "A better model took over."
    return f"A better model took over: {_whole(state, whole, numbers)}."


def _whole(state: State, whole: ComparisonState, numbers: Numbers) -> str:
    """Where a whole was ahead: on the targets, or on the slices of findings for which it was kept."""
    look, members = whole.typed_looks[-1], whole.members
    offered = next((one.proposal["everything"] for one in state.proposals if one.round == whole.round), members)
    who, was = listed(members), "was" if len(members) == 1 else "together were"
    if set(members) == set(offered):
        who, was = "all that was new", "together was"
    on_targets = numbers.signed(look.objective.difference)
    if reasons.KEPT_FINDING not in whole.reasons:
        return f"{who} {was} {on_targets} ahead on the targets"
    own = {name: seen for name, seen in look.slices.items() if seen.role == FINDING and seen.gained == "improved"}
    cured = listed(f"{numbers.signed(seen.difference)} ahead on the {of_finding(name)}" for name, seen in own.items())
    return f"{who} {was} {cured}; on the targets {on_targets}, shown neither better nor worse"


def _notes(state: State, number: int) -> list[str]:
    """What was not made in a round, and why."""
    words = [f"Not made: {one.name}. {deliveries.problem_words(one.problems)}" for one in _refused(state, number)]
    for event in state.proposed.get(number, ()):
        words += [f"{_NOTED.get(note['code'], 'Not made')}: {note['got']} [{note['code']}]." for note in event.notes]
    return words


def _asked(state: State, number: int) -> str:
    """What was asked for where nothing was made."""
    asked = [one for one in state.requests.values() if one.round == number]
    if not asked:
        return ""
    return f"Asked for where nothing was made: {listed(f'{one.id} for {one.finding}' for one in asked)}."


def _refused(state: State, number: int) -> list[ev.ProposalRefused]:
    return [one for one in state.unmade.values() if one.round == number]
