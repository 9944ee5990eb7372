"""The story of what was made: finding, proposal, verdict, round by round, each with its control beside it."""

from __future__ import annotations

from typing import Any

from autodc.gate.questions import LEAVING
from autodc.review import deliveries, findings, lineage, requests, together
from autodc.review.numbers import Numbers, listed
from autodc.review.wording import VERDICTS, of_finding
from autodc.study.journal import events as ev
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State
from autodc.study.view import spec_of

_NOTED = dict.fromkeys(("ADC-PROP-052", "ADC-PROP-053"), "Judged by the study's targets alone")
"""Code of a note → what it says, where that is not that something was not made."""


def rounds(state: State, numbers: Numbers) -> list[dict[str, Any]]:
    """Round → what was made or delivered in it, controls beside what they stand by; nothing where all was given."""
    made = [name for name in state.candidates if lineage.maker_of(state, name) != lineage.GIVEN]
    controls = {name: tuple(lineage.proposal_of(state, name).get("control_of", ())) for name in made}
    found: dict[int, list[dict[str, Any]]] = {}
    for name in made:
        if controls[name]:
            continue
        card = state.card(name)
        beside = [other for other in made if name in controls[other]]
        found.setdefault(int(card.get("round") or 0), []).append(_row(state, name, beside, numbers))
    for number in (*(one.round for one in state.requests.values()), *state.proposed):
        found.setdefault(number, [])
    told = [{"round": number, "rows": rows, "notes": _notes(state, number)} for number, rows in sorted(found.items())]
    return [one for one in told if one["rows"] or (one["notes"] and state.proposed)]


def _row(state: State, name: str, beside: list[str], numbers: Numbers) -> dict[str, Any]:
    card = state.card(name)
    finding = state.findings.get(str(card.get("finding")))
    words = "" if finding is None else findings.view(finding, spec_of(state).task.kind == "classification")["words"]
    told = (lineage.proposal_of(state, name).get("words") or "", requests.about_delivery(state, name))
    return {
        "name": name,
        "finding": card.get("finding"),
        "words": words,
        "what": "; ".join(part for part in told if part),
        "by": card.get("by"),
        "rows": int(card.get("rows") or 0),
        "cost": float(card.get("cost") or 0.0),
        "verdict": state.verdict(name),
        "verdict_words": VERDICTS[state.verdict(name)],
        "measured": _measured(state, name, numbers),
        "control": "; ".join(_told(state, other, numbers) for other in beside),
    }


def _told(state: State, name: str, numbers: Numbers) -> str:
    return f"{name}: {VERDICTS[state.verdict(name)]}, {_measured(state, name, numbers)}"


def _measured(state: State, name: str, numbers: Numbers) -> str:
    """What a dataset did to the targets together, as its comparison says."""
    comparison = together.telling(state, name)
    if comparison is None or not comparison.looks:
        return "not compared"
    seen = comparison.typed_looks[-1].objective
    turned = -seen.difference if comparison.purpose in LEAVING else seen.difference
    others = [one for one in comparison.members if one != name]
    with_others = f" with {listed(others)}" if others else ""
    return f"{numbers.signed(turned)}{with_others}{_on_own(state, name, comparison, numbers)}"


def _on_own(state: State, name: str, comparison: ComparisonState, numbers: Numbers) -> str:
    """What it did to the slice of the finding for which it was made."""
    slices, sign = comparison.typed_looks[-1].slices, -1 if comparison.purpose in LEAVING else 1
    own = [one for one in state.card(name).get("targets") or () if one in state.of_findings and one in slices]
    return "".join(f"; {numbers.signed(sign * slices[one].difference)} on the {of_finding(one)}" for one in own)


def _notes(state: State, number: int) -> list[str]:
    """What was not made in a round, and what was asked for."""
    asked = [one for one in state.requests.values() if one.round == number]
    words = [f"Not made: {one.name}. {deliveries.problem_words(one.problems)}" for one in _refused(state, number)]
    for event in state.proposed.get(number, ()):
        words += [f"{_NOTED.get(note['code'], 'Not made')}: {note['got']} [{note['code']}]." for note in event.notes]
    if asked:
        words.append(f"Asked for where nothing was made: {listed(f'{one.id} for {one.finding}' for one in asked)}.")
    return words


def _refused(state: State, number: int) -> list[ev.ProposalRefused]:
    return [one for one in state.unmade.values() if one.round == number]
