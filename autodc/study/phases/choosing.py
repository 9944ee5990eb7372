"""What a round does next, by expected gain per cost: all that may be done is weighed, and what is made follows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

import numpy as np

from autodc.plan.plan import Plan
from autodc.propose.actions import GOING, SUSPECTED, Action, Deed, Weighed, of_search, weigh
from autodc.propose.chance import affordable, beside_chosen, with_controls
from autodc.propose.gain_calibration import Truth
from autodc.propose.proposal import Proposal
from autodc.study.journal import events as ev
from autodc.study.phases.tools import Tools
from autodc.study.rules import actions, allowance, gain_outcomes, pairs, requests
from autodc.study.view import View

SEARCHED = 2.0
"""Trainings of the search a dataset: it is seen in a mixture and out of it."""
RIVALS = 24
"""Settings that were tried last, of which one may be the better one."""
DAY = 86400.0
_ROWS = ("pool", "generate")
_NOTES = {"dear": "ADC-PROP-006", "later": "ADC-PROP-095", "little": "ADC-PROP-096"}


def settled(view: View, tools: Tools, event: ev.ProposalsMade) -> ev.ProposalsMade:
    """The same with what was picked, in its order, and why; notes tell of what was not. event: all that may be made."""
    every = beside_chosen([Proposal.of(one) for one in event.proposals])
    found = weighed(view, tools, every)
    notes = [
        {"code": _NOTES[one.fate], "got": _told(one, found)}
        for one in found.actions
        if one.fate in _NOTES and one.kind not in GOING
    ]
    chosen, dear = affordable(with_controls(every, found.made), actions.purse(view).money)
    notes += [{"code": _NOTES["dear"], "got": f"{c.name} costs {c.cost:g}, {left:g} is left"} for c, left in dear]
    targets = {name for one in chosen for name in one.targets or ()}
    return replace(
        event,
        proposals=tuple(one.to_dict() for one in chosen),
        notes=(*event.notes, *notes),
        slices=tuple(one for one in event.slices if one["name"] in targets),
        weighed=found.to_dict(),
    )


def weighed(view: View, tools: Tools, proposals: Sequence[Proposal]) -> Weighed:
    """Weigh all that may be done in this round. proposals: what may be made, controls among them."""
    state = view.state
    each = SEARCHED + actions.gated(state)
    controls = [one for one in proposals if one.control_of]
    sure = {name for name, one in state.findings.items() if one.status == "confirmed"}
    truths = gain_outcomes.truths(view)
    found = [_made(one, each, controls, sure) for one in proposals if not one.control_of]
    if state.question.rules >= gain_outcomes.CORRECTS:
        found = [_corrected(one, truths) for one in found]
    found += [*_open(view), *_tuning(view, tools), *_waiting(view, each)]
    weighed_ = weigh(found, actions.purse(view), actions.floor(view), may_end=actions.may_end(view))
    return replace(weighed_, truths=truths)


def _corrected(one: Action, truths: Mapping[str, Truth]) -> Action:
    """The same, what is hoped of it times what came true of its kind; and what that is where it was not doubted."""
    if one.expected is None:
        return one
    ratio = truths[one.kind].ratio if one.kind in truths else 1.0
    expected = round(ratio * one.expected, 6)
    doubted = one.kind == "finding" and not one.confirmed
    return replace(one, expected=expected, hoped=one.expected, at_best=expected / SUSPECTED if doubted else None)


def _told(one: Action, found: Weighed) -> str:
    """An action that is not done, as a note tells it."""
    gain = "" if one.expected is None else f", {one.expected:+.3g} expected"
    match one.fate:
        case "dear":
            return f"{one.name} costs {one.cost:g}, {found.money or 0.0:g} is left"
        case "later":
            return f"{one.name} would take {one.trainings:.3g} trainings{gain}; the round has {found.room:.3g}"
        case _:
            return f"{one.name}{gain}, and less than {found.floor or 0.0:.3g} matters to nobody"


def _made(one: Proposal, each: float, controls: Sequence[Proposal], sure: Set[str]) -> Action:
    """One proposal. each: trainings a dataset; sure: findings that are confirmed."""
    beside = [(c, len(c.control_of)) for c in controls if one.name in c.control_of]
    kind: Deed = "more" if one.more_of else "finding" if one.by in _ROWS else "mend"
    return Action(
        kind=kind,
        name=one.name,
        expected=one.expected if one.expected > 0 or kind != "mend" else None,
        trainings=round(each + sum(each / among for _, among in beside), 2),
        cost=round(one.cost + sum(c.cost / among for c, among in beside), 6),
        finding=one.finding,
        confirmed=kind == "finding" and one.finding in sure,
    )


def _open(view: View) -> list[Action]:
    """Candidates on the roster that are undecided."""
    state, out = view.state, pairs.excluded(view)
    names = [n for n in state.candidates if n not in state.kept and n not in out]
    if not names:
        return []
    effects = state.challengers[-1].effects if state.challengers else {}
    known = all(n in effects for n in names)
    gain = sum(max(0.0, float(effects[n]["gain"])) for n in names) if known else None
    return [
        Action(kind="open", name="open", expected=_rounded(gain), trainings=round(actions.gated(state) * len(names), 2))
    ]


def _tuning(view: View, tools: Tools) -> list[Action]:
    """The search alone: other settings for what is kept."""
    state, spec = view.state, view.spec
    if not spec.search_space and len(spec.recipes) < 2:
        return []
    trainings = float(allowance.search_quota(view, state.round))
    return [
        Action(kind="tune", name="tune", expected=_rounded(_of_tuning(view, tools, trainings)), trainings=trainings)
    ]


def _of_tuning(view: View, tools: Tools, trainings: float) -> float | None:
    """What so many trainings of the most promising settings would bring; None before the search has tried any."""
    own, tried = view.incumbent, [t.trial.plan for t in view.visible if t.trial.phase == "search"]
    weights = own.mixture.to_dict()
    plans = [
        Plan.of(weights, dict(p.hyperparameters), own.recipe, own.pretrain) for p in tried if p.recipe == own.recipe
    ]
    rivals = [p for p in dict.fromkeys(reversed(plans)) if p != own][:RIVALS]
    draws = tools.engine.outlook(tools.observed(view), [own, *rivals]) if rivals else None
    if draws is None:
        return None
    lead = draws[:, 1:] - draws[:, :1]
    seen = actions.calibrated(view, searched=True)
    noise = float(np.std(seen, ddof=1)) if len(seen) > 1 else 0.0
    return max(of_search(float(m), float(s), noise, trainings) for m, s in zip(lead.mean(0), lead.std(0), strict=True))


def _waiting(view: View, each: float) -> list[Action]:
    """What people were asked for and have not brought."""
    state, lead = view.state, view.spec.data.lead_time
    return [
        Action(
            kind="wait",
            name=one.id,
            expected=one.gain["mid"],
            trainings=round(each, 2),
            cost=one.cost,
            finding=one.finding,
            days=None if lead is None else lead / DAY,
        )
        for one in state.requests.values()
        if requests.is_open(state, one.id)
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
