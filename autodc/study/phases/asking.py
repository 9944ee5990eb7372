"""Which plans a question of evidence together compares, at which level, and whether that can be paid."""

from __future__ import annotations

from autodc.gate.levels import level_of_whole
from autodc.gate.questions import Arm, Question
from autodc.gate.together import PAIRS, SET_APART
from autodc.plan.plan import Plan
from autodc.study.journal import events as ev
from autodc.study.phases import comparing
from autodc.study.phases.tools import Tools
from autodc.study.rules import pairs, standing
from autodc.study.view import View

KINDS = {
    "removal": "dataset",
    "addition": "dataset",
    "tuning": "tuning",
    "weights": "tuning",
    "block": "block",
    "harm": "block",
    "pruning": "block",
}
"""Purpose → kind of the decision; the others are bundles."""

FAINT = 0.1
"""What is recommended at a lower weight leaves where it is not believed to help …"""
LEAST = 0.25
"""… and else stays at no less than this weight: what helps is asked to leave, not tuned away."""


class ArmPlans:
    """Plans of questions, the recommended weights of what is held among them; worked out once a decision."""

    def __init__(self, view: View, tools: Tools, event: ev.TogetherProposed) -> None:
        self._view, self._tools, self._event = view, tools, event
        self._known: dict[frozenset[str], Plan] = {}

    def plan(self, arm: Arm) -> Plan:
        """The plan of an arm."""
        try:
            return standing.plan_of(self._event, self._view.state, arm)
        except KeyError:
            return self._recommended(arm.members)

    def payable(self, question: Question) -> bool:
        """Whether trainings and error budget are left, and there is a difference to be asked about."""
        view = self._view
        if question.level == "member" and not comparing.is_planned(view):
            return False
        arms = self.plan(question.challenger), self.plan(question.incumbent)
        if arms[0] == arms[1]:
            return False
        return pairs.can_look(view, *arms, _once(question), SET_APART.get(question.purpose, 0))

    def _recommended(self, members: frozenset[str]) -> Plan:
        if members not in self._known:
            others = frozenset(self._view.state.candidates) - members
            plan = self._tools.engine.recommend(self._tools.observed(self._view), members, others).plan
            beliefs = standing.proposal_of(self._event.proposal).beliefs
            helps = {n for n in members if n not in beliefs or beliefs[n].gain > 0}
            least = min(LEAST, self._view.spec.search.max_weight)
            weights = plan.mixture.to_dict() | {n: max(least, plan.mixture.weight(n)) for n in helps}
            faint = [n for n in members - helps if plan.mixture.weight(n) < FAINT]
            full = Plan.of(weights, dict(plan.hyperparameters), plan.recipe, plan.pretrain)
            self._known[members] = full.without(*faint)
        return self._known[members]


def begun(view: View, question: Question, plans: ArmPlans) -> ev.ComparisonOpened:
    """Open the comparison of a question."""
    members, kind = question.members, KINDS.get(question.purpose, "bundle")
    return comparing.begun(
        view,
        question.purpose,
        plans.plan(question.challenger),
        plans.plan(question.incumbent),
        subject="+".join(members) if members else "tuning",
        kind="dataset" if kind == "block" and len(members) == 1 else kind,
        members=members,
        spends=None if question.level == "member" else _spends(view, question),
        pairs=_once(question),
        all_rows=question.all_rows,
    )


def _once(question: Question) -> int | None:
    """Pairs of what claims nothing, and is looked at once."""
    return PAIRS if question.level == "none" else None


def _spends(view: View, question: Question) -> tuple[float, float]:
    """Level of a whole and what of the error budget it spends; what claims nothing is told at it and spends none."""
    alpha = level_of_whole(view.spec.gate.fdr, view.spec.loop.rounds, first=question.level != "rest")
    return alpha, 0.0 if question.level == "none" else alpha
