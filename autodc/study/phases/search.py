"""Search: mixtures and settings are tried, round by round, and at the end of a round a challenger is proposed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from autodc.plan.plan import Plan
from autodc.search.engine import natural
from autodc.study.journal import events as ev
from autodc.study.phases import proposing, suggesting
from autodc.study.phases.phase import Phase
from autodc.study.phases.tools import Tools
from autodc.study.rules import allowance, last, pairs, standing
from autodc.study.view import View

BEFORE = ("diagnose", "propose")
"""The phases with which a round begins that has one of them."""


@final
class Search(Phase):
    """The search's share of a round. The gate fills idle slots with trainings of the next round's."""

    name = "search"
    words = "searching mixtures and hyperparameters"
    purpose = "mixtures and settings that were tried"

    def takes_up(self, view: View) -> bool:
        """Where there is another round."""
        return may_begin(view)

    def begin(self, view: View) -> ev.PhaseStarted:
        """A round goes on with it after the diagnosis, and begins with it where there was none."""
        upcoming = view.state.round + (view.state.phase not in BEFORE)
        quota = allowance.search_quota(view, upcoming)
        return ev.PhaseStarted(round=upcoming, phase=self.name, planned=quota)

    def decide(self, view: View, tools: Tools) -> ev.Event | None:
        """Propose a challenger when all trainings of the round are visible; then the gate."""
        state = view.state
        if suggesting.is_searching(view):
            return None
        if any(not view.closes(t.trial.phase) and t.round <= state.round for t in view.hidden):
            return None
        if state.challengers and state.challengers[-1].round == state.round:
            if proposing.weighs(view) and standing.proposed(state) is None:
                return proposing.together(view, tools)
            return view.after(self)
        return _challenger(view, tools)

    def want(self, view: View, tools: Tools) -> ev.TrialPlanned | None:
        """The next plan of this round; of the next one, or what is due anyway, while this one's last trainings run."""
        if suggesting.is_searching(view):
            return suggesting.training(view, tools, view.state.round)
        return suggesting.filling(view, tools) or last.ahead(view)


def may_begin(view: View) -> bool:
    """Whether another round is asked for, and what is left pays it."""
    return view.state.round < view.spec.loop.rounds and allowance.left(view) >= allowance.LEAST_ROUND


def _challenger(view: View, tools: Tools) -> ev.ChallengerProposed:
    best = tools.engine.recommend(tools.observed(view), frozenset(view.state.kept), pairs.excluded(view))
    plan = _affordable(view, best.plan.without(*_worthless(view, best.worth)), best.worth)
    return ev.ChallengerProposed(
        round=view.state.round,
        horizon=view.horizon,
        plan=plan.to_dict(),
        mean=best.mean,
        sd=best.sd,
        worth={n: float(w) for n, w in best.worth.items()},
        effects={
            n: {"gain": float(g), "sd": float(s), "weight": float(best.weights.get(n, 1.0))}
            for n, (g, s) in best.effects.items()
        },
        front=_front(view, tools),
    )


def _front(view: View, tools: Tools) -> tuple[Mapping[str, Any], ...]:
    """The front so far, trade-offs as the user knows them, the objective oriented."""
    if not view.spec.search.objectives:
        return ()
    return tuple(
        {
            "trials": list(point.trials),
            "plan": point.plan.to_dict(),
            "objective": {"estimate": point.mean, "sd": point.sd, "observed": point.seen},
            "tradeoffs": {
                name: {
                    "estimate": natural(value),
                    "observed": natural(point.seen_tradeoffs[name]) if name in point.seen_tradeoffs else None,
                }
                for name, value in point.tradeoffs.items()
            },
        }
        for point in tools.engine.front(tools.observed(view))
    )


def _worthless(view: View, worth: Mapping[str, float]) -> tuple[str, ...]:
    kept = frozenset(view.state.kept)
    return tuple(n for n, w in worth.items() if w <= 0 and n not in kept)


def _affordable(view: View, plan: Plan, worth: Mapping[str, float]) -> Plan:
    """Leave out what the cost budget cannot pay, the least worth its price first."""
    limit = view.spec.budget.cost
    if limit is None:
        return plan
    price = {name: view.state.cost(name) for name in view.state.candidates}
    kept = frozenset(view.state.kept)
    new = [n for n in plan.mixture.added if n not in kept and price[n] > 0]
    for name in sorted(new, key=lambda n: (worth.get(n, 0.0) / price[n], n)):
        if sum(price[n] for n in plan.mixture.added) <= limit:
            break
        plan = plan.without(name)
    return plan
