"""Where a round that weighs evidence together stands: the questions of `together` answered by the journal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from autodc.gate.answers import answered
from autodc.gate.questions import Answer, Arm, Belief, Proposal, Question, Settled
from autodc.gate.together import replay
from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.study.journal import events as ev
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State


def proposed(state: State) -> ev.TogetherProposed | None:
    """What the round under way began with; None where it does not weigh evidence together, or not yet."""
    last = state.proposals[-1] if state.proposals else None
    return last if last is not None and last.round == state.round else None


def of_round(state: State) -> list[ComparisonState]:
    """Its comparisons, in order."""
    return [t for t in state.comparisons if t.round == state.round]


def stands(event: ev.TogetherProposed, state: State, payable: Callable[[Question], bool]) -> Question | Settled:
    """The next question of the round, or how it ends.

    payable: whether trainings and error budget are left to ask it. A question that the journal passed over was not
    payable when its turn came.
    """
    p, mine = proposal_of(event.proposal), of_round(state)
    answers: list[Answer] = []
    where: dict[int, int] = {}
    at = 0
    while True:
        found = replay(p, answers)
        if isinstance(found, Settled):
            return Settled(end=found.end, by=None if found.by is None else mine[where[found.by]].id)
        if at < len(mine) and _is_asked(found, mine[at]):
            where[len(answers)] = at
            answers.append(answer(mine[at]))
            at += 1
        elif at < len(mine) or not payable(found):
            answers.append(Answer(paid=False))
        else:
            return found


def answer(comparison: ComparisonState) -> Answer:
    """What a comparison that ended showed."""
    if not comparison.looks:
        return Answer(paid=False)
    both = comparison.combined
    combined = None if both is None else (both["mean"], both["sd"])
    return answered(comparison.typed_looks[-1], comparison.verdict, comparison.reasons, combined)


def plan_of(event: ev.TogetherProposed, state: State, arm: Arm) -> Plan:
    """The plan of an arm. Raises KeyError for `weighted` before its comparison was opened."""
    if arm.plan != "weighted":
        return restricted(Plan.from_dict(event.plans[arm.plan]), arm)
    weighted = next((t for t in of_round(state) if t.purpose == "weights"), None)
    if weighted is None:
        raise KeyError(arm.plan)
    gone = frozenset(weighted.incumbent.mixture.added) - frozenset(weighted.challenger.mixture.added)
    return restricted(weighted.challenger, arm.without(gone))


def restricted(plan: Plan, arm: Arm) -> Plan:
    """A plan with these members alone, those it has not at weight 1."""
    weights = {BASE: 1.0, **{n: plan.mixture.weight(n) or 1.0 for n in arm.members}}
    weights |= {n: weights[n] / 2 for n in arm.halved if n in weights}
    return Plan.of(weights, dict(plan.hyperparameters), plan.recipe, plan.pretrain)


def to_json(p: Proposal) -> dict[str, Any]:
    """JSON form; what is infinite is null."""
    return {
        "everything": list(p.everything),
        "recommended": list(p.recommended),
        "beliefs": {n: _belief(b) for n, b in p.beliefs.items()},
        "margins": dict(p.margins),
        "matters": p.matters,
        "kept": list(p.kept),
        "open": list(p.open),
        "controls": list(p.controls),
        "priced": list(p.priced),
        "purse": p.purse if math.isfinite(p.purse) else None,
        "untouched": p.untouched,
        "tunes": p.tunes,
        "refused": p.refused,
        "doubt": p.doubt,
        "again": p.again,
    }


def proposal_of(value: Mapping[str, Any]) -> Proposal:
    """Read the JSON form back."""
    names = ("everything", "recommended", "kept", "open", "controls", "priced")
    return Proposal(
        **{
            **value,
            **{key: tuple(value.get(key, ())) for key in names},
            "beliefs": {n: Belief(**b) for n, b in value["beliefs"].items()},
            "purse": math.inf if value["purse"] is None else value["purse"],
        }
    )


def _belief(one: Belief) -> dict[str, Any]:
    return {"gain": one.gain, "sd": one.sd, "rows": one.rows, "guards": dict(one.guards), "cost": one.cost}


def _is_asked(question: Question, comparison: ComparisonState) -> bool:
    """What is recommended at next to nothing is not in the plan of `weighted`, though it is in the arm."""
    arm, plan = question.challenger, comparison.challenger
    same = question.purpose == comparison.purpose and question.members == comparison.members
    return same and (arm.plan == "weighted" or arm.members == frozenset(plan.mixture.added))
