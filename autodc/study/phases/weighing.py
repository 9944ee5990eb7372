"""The gate of a round that weighs evidence together: the next comparison, what its look says, how the round ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from autodc.gate import reasons
from autodc.gate.answers import SHOWN, answered
from autodc.gate.combine import of_leaving, with_belief
from autodc.gate.noise import OBJECTIVE
from autodc.gate.questions import LEAVING, WHOLES, Answer, Question, Settled
from autodc.gate.thresholds import SURE
from autodc.gate.together import SET_APART
from autodc.gate.types import Look
from autodc.plan.plan import Plan
from autodc.study.journal import events as ev
from autodc.study.journal.records import ComparisonState
from autodc.study.phases import comparing
from autodc.study.phases.asking import ArmPlans, begun
from autodc.study.phases.tools import Tools
from autodc.study.rules import standing
from autodc.study.rules.tolerated import tolerated
from autodc.study.view import View


def decide(view: View, tools: Tools) -> ev.Event | None:
    """The next event of the comparisons of a round; None: it waits, or it is over."""
    comparison, event = view.state.open_comparison, standing.proposed(view.state)
    assert event is not None
    if comparison is not None:
        return _step(view, tools, comparison, event)
    plans = ArmPlans(view, tools, event)
    found = standing.stands(event, view.state, plans.payable)
    if isinstance(found, Question):
        return begun(view, found, plans)
    return _moved(view, event, found)


def _step(view: View, tools: Tools, comparison: ComparisonState, event: ev.TogetherProposed) -> ev.Event | None:
    """Go on with the comparison under way."""
    if comparison.looks and comparison.pairs is not None:
        return _weighed(view, tools, comparison, event)
    found = comparing.next_step(view, tools, comparison, SET_APART.get(comparison.purpose, 0))
    if isinstance(found, ev.VerdictReached):
        return _told(view, found, comparison)
    return found


def _told(view: View, found: ev.VerdictReached, comparison: ComparisonState) -> ev.VerdictReached:
    """What was only not shown is undecided: a drop says what was shown (DESIGN §11.6).

    A block that the whole has in it need not be shown again: it is kept where it is better, 95% sure.
    """
    verdict, codes = found.verdict, found.reasons
    whole = comparison.purpose in WHOLES
    if verdict == "drop" and not SHOWN & set(codes) and reasons.NO_CHANGE not in codes:
        verdict = "undecided"
    if codes == (reasons.OVER_LIMIT,):  # nothing was said of the evidence
        return replace(found, verdict=verdict)
    if whole and verdict == "keep":
        codes = codes if reasons.KEPT_FINDING in codes else (reasons.WHOLE, *codes)
    elif whole:
        codes = (reasons.WHOLE_NOT_SHOWN, *codes)
    elif comparison.purpose == "block":
        free = not any(view.state.cost(name) for name in comparison.members)
        if verdict != "keep" and free and comparison.looks and standing.answer(comparison).backed:
            return replace(found, verdict="keep", reasons=(reasons.TOGETHER, _by_what(_shown(view))))
        codes = (reasons.TOGETHER if verdict == "keep" else reasons.NOT_APART, *codes)
    return replace(found, verdict=verdict, reasons=codes)


def _weighed(view: View, tools: Tools, comparison: ComparisonState, event: ev.TogetherProposed) -> ev.VerdictReached:
    """The verdict of a comparison that is looked at once, by gate rows and belief together."""
    purpose, p = comparison.purpose, standing.proposal_of(event.proposal)
    found = None if purpose == "weights" else combined(view, tools, comparison)
    answer = answered(comparison.typed_looks[-1], None, (), found)
    verdict: str = "undecided"
    codes: tuple[str, ...] = (reasons.NOT_APART,)
    beside: tuple[str, ...] = ()
    if answer.over:
        codes = (reasons.LEFT_UNASKED,) if purpose == "harm" else (reasons.LEFT,) if purpose == "weights" else codes
        codes = (*codes, reasons.OVER_LIMIT)
    elif purpose == "doubt":
        verdict, codes = "keep", (reasons.IN_DOUBT,)
    elif purpose == "block":
        verdict, codes = _block(view, comparison, answer)
    elif purpose == "weights":
        codes = (reasons.TAKEN if answer.seems_better else reasons.LEFT,)
    elif found is not None and answer.costs_nothing(p.matters):
        harmful = standing.answer(comparison).low > 0
        beside = () if harmful else _stand_ins(view, tools, comparison)
        code = reasons.HARMFUL if harmful else (reasons.REDUNDANT if beside else reasons.WORTHLESS)
        verdict, codes = "drop", (code, reasons.PRUNED) if purpose == "pruning" else (code,)
    elif purpose == "harm":
        codes = (reasons.LEFT_UNASKED,)
    elif purpose == "pruning" and set(comparison.members) <= {*p.controls} and not answer.is_missed:
        codes = (reasons.NOT_MISSED,)
    event_ = comparing.ended(view, comparison, verdict, codes)
    return replace(event_, beside=beside, combined=None if found is None else {"mean": answer.mean, "sd": answer.sd})


def _stand_ins(view: View, tools: Tools, comparison: ComparisonState) -> tuple[str, ...]:
    """What stands in for datasets that help the base alone and are worth nothing here: it helps the same rows."""
    bare = comparison.challenger.without(*comparison.challenger.mixture.added)
    more = bare.mixture.to_dict() | {n: comparison.incumbent.mixture.weight(n) for n in comparison.members}
    helped = Plan.of(more, dict(bare.hyperparameters), bare.recipe, comparison.incumbent.pretrain)
    draws = tools.engine.outlook(tools.observed(view), [helped, bare])
    if draws is None:
        return ()
    gain = draws[:, 0] - draws[:, 1]
    if float(np.mean(gain)) <= SURE * float(np.std(gain)):
        return ()
    return tools.assessor.stand_ins(view, comparison.members, comparison.challenger.mixture.added)


def _block(view: View, comparison: ComparisonState, answer: Answer) -> tuple[str, tuple[str, ...]]:
    """A block that the whole has shown: it is the whole, or what is left of it still is better."""
    shown = _shown(view)
    cured = reasons.KEPT_FINDING in shown.reasons and _cures(view, comparison, answer)
    if shown.challenger != comparison.challenger and not (answer.ahead or cured):
        return "undecided", (reasons.NOT_APART,)
    return "keep", (reasons.TOGETHER, _by_what(shown))


def _shown(view: View) -> ComparisonState:
    """The whole of this round that was kept."""
    wholes = [t for t in standing.of_round(view.state) if t.purpose in (*WHOLES, "doubt")]
    return next(t for t in reversed(wholes) if t.verdict == "keep")


def _by_what(whole: ComparisonState) -> str:
    """What a whole was kept for: in doubt, for the slice of a finding, or for the objective."""
    if whole.purpose == "doubt":
        return reasons.IN_DOUBT
    return reasons.KEPT_FINDING if reasons.KEPT_FINDING in whole.reasons else reasons.WHOLE


def _cures(view: View, comparison: ComparisonState, answer: Answer) -> bool:
    """Whether what is left of a whole that was kept for the slice of a finding is ahead there.

    No such slice may be worse, nothing may be shown to harm, and the objective not to lose more than is tolerated.
    """
    own = [s for s in comparison.typed_looks[-1].slices.values() if s.is_own]
    lost = answer.mean + SURE * answer.sd < -tolerated(view)
    return any(s.difference > 0 for s in own) and not (answer.misses or answer.harmed or lost)


def combined(view: View, tools: Tools, comparison: ComparisonState) -> tuple[float, float] | None:
    """The objective's difference by gate rows and by what the search believes of explore rows; None: not measured."""
    look = comparison.typed_looks[-1]
    seen = look.objective
    if reasons.NO_CHANGE in look.reasons or _same_targets(look):
        return 0.0, 0.0
    if seen.standard_error is None:
        return None
    belief = _belief(view, tools, comparison)
    return with_belief((seen.difference, seen.standard_error, seen.df), belief, tools.assessor.explore_share)


def _same_targets(look: Look) -> bool:
    """Whether no row of a target differed in any pair: then no noise of other trainings is asked."""
    seed, residual, df = look.noise.get(OBJECTIVE, (1.0, 1.0, 0.0))
    return df > 0 and look.objective.difference == seed == residual == 0.0


def _belief(view: View, tools: Tools, comparison: ComparisonState) -> tuple[float, float] | None:
    """What the search believes of the difference, and how surely; None where it knows nothing."""
    observed = tools.observed(view)
    draws = tools.engine.outlook(observed, [comparison.challenger, comparison.incumbent])
    if draws is None:
        return None
    difference = draws[:, 0] - draws[:, 1]
    mean, sd = float(np.mean(difference)), float(np.std(difference))
    if comparison.purpose not in LEAVING:
        return mean, sd
    worth = tools.engine.beliefs(observed, comparison.incumbent) or {}
    return of_leaving((mean, sd), [worth[n] for n in comparison.members if n in worth])


def _moved(view: View, event: ev.TogetherProposed, found: Settled) -> ev.IncumbentMoved | None:
    """Advance the incumbent to the arm the round ends with."""
    state = view.state
    if found.end is None or found.by is None or any(m.round == state.round for m in state.moves):
        return None
    plan = standing.plan_of(event, state, found.end)
    return None if plan == view.incumbent else comparing.advanced(view, state.comparisons[found.by], plan)
