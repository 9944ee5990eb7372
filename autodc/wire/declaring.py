"""What is made for a finding declares the finding's own slice of the gate rows as its target, before any training.

A rule was found on explore rows, so the gate rows it means are a slice that nobody has looked at before the first
comparison; a finding that comes again has the slice of before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from autodc.errors import AutodcError
from autodc.evaluation.evidence import OF_FINDING
from autodc.evaluation.slices import VALIDATION, Slice
from autodc.propose.proposal import Proposal
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.view import View
from autodc.studyfile.study import SliceSpec
from autodc.wire.inputs import Inputs
from autodc.wire.promoting import refuse_unreadable
from autodc.wire.study import cut
from autodc.wire.wishes import CONFIRMED

DECLARES = 4
"""In studies that were begun by these rules (StudyStarted.rules) findings have slices of their own."""
FEW, NO_RULE = "ADC-PROP-052", "ADC-PROP-053"

DELIVERIES_DECLARE = 5
"""In studies that were begun by these rules what is delivered for a finding declares its slice as well."""

Own = Mapping[str, str]
"""{name, finding, where}."""
Note = Mapping[str, str]
"""{code, got}: why a finding has none."""


def declared(
    inputs: Inputs, view: View, found: Sequence[Proposal]
) -> tuple[list[Proposal], tuple[Own, ...], tuple[Note, ...]]:
    """Return the proposals with their targets, the slices these name, and why findings have none.

    What is made for a confirmed finding is meant to help its slice, and all targets as before; a control is meant for
    nothing. Where a finding has no slice, the targets stay all.
    """
    if view.state.question.rules < DECLARES or inputs.sides is None:
        return list(found), (), ()
    served = dict.fromkeys(one.finding for one in found if one.finding is not None and not one.control_of)
    own: dict[str, Own] = {}
    notes: list[Note] = []
    for event in _confirmed(view.state, served):
        made = _own(inputs, view.state, event, own.values())
        if "code" in made:
            notes.append(made)
        else:
            own[event.id] = made
    targets = tuple(one.name for one in inputs.spec.targets)
    meant = [
        one
        if one.finding not in own or one.control_of
        else replace(one, targets=tuple(dict.fromkeys((*(one.targets or targets), own[one.finding]["name"]))))
        for one in found
    ]
    return meant, tuple({one["name"]: one for one in own.values()}.values()), tuple(notes)


def of_delivery(inputs: Inputs, state: State, event: ev.DatasetAdmitted) -> ev.DatasetAdmitted:
    """Return what was delivered for a request with the slice of its confirmed finding among its targets.

    Its card then has `own`, the slice, which joins before anything is trained on what was delivered, or `undeclared`:
    why there is none.
    """
    card = event.card
    if state.question.rules < DELIVERIES_DECLARE or inputs.sides is None or not card.get("request"):
        return event
    for finding in _confirmed(state, (str(card.get("finding")),)):
        own = _own(inputs, state, finding, ())
        if "code" in own:
            return replace(event, card={**card, "undeclared": dict(own)})
        targets = card.get("targets") or [one.name for one in inputs.spec.targets]
        return replace(event, card={**card, "targets": [*targets, own["name"]], "own": dict(own)})
    return event


def _confirmed(state: State, names: Iterable[str]) -> list[ev.FindingMade]:
    """Findings that are sure, and no slice of the study file already."""
    every = (state.findings[name] for name in names if name in state.findings)
    return [one for one in every if one.status == CONFIRMED and "slice" not in one.told]


def _own(inputs: Inputs, state: State, event: ev.FindingMade, others: Iterable[Own]) -> Own | Note:
    """The slice of a finding, one that has its rule already where there is one; else why there is none."""
    if not event.rule:
        got = "a cluster of an embedding that no attribute describes: nothing says which gate rows are in it"
        return _none(NO_RULE, event, got)
    known = {str(one.rule.get("where")): one.name for one in state.admitted if one.finding}
    known |= {one["where"]: one["name"] for one in others}
    name = known.get(event.rule, _free(f"{OF_FINDING}{event.id}", state))
    try:
        spec = SliceSpec(name=name, where=event.rule, role="target")
        found = _gate_side(cut(inputs, spec), inputs)
        refuse_unreadable(inputs, spec)
    except AutodcError as error:
        return _none(NO_RULE, event, f"{event.rule}: {error.brief}")
    least = inputs.spec.gate.min_rows
    if not found.is_evidence(least):
        return _none(FEW, event, f"{found.counting:.3g} of {len(found.rows)} gate rows count, {least} needed")
    return {"name": name, "finding": event.id, "where": event.rule}


def _none(code: str, event: ev.FindingMade, got: str) -> Note:
    return {"code": code, "got": f"{event.id}: {got}"}


def _gate_side(found: Slice, inputs: Inputs) -> Slice:
    assert inputs.sides is not None
    return found.only(VALIDATION, inputs.sides.gate[VALIDATION])


def _free(name: str, state: State) -> str:
    """The name, or one like it that no slice has."""
    while name in state.question.slices:
        name += ".own"
    return name
