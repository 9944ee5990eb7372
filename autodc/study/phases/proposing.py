"""What a round that weighs evidence together begins with: its plans, and what the search believes of every dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autodc.gate.answers import REFUSED
from autodc.gate.questions import Belief, Proposal
from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.study.journal import events as ev
from autodc.study.phases.tools import Tools
from autodc.study.rules import obvious, pairs, requests, standing
from autodc.study.rules.controls import labels_by_chance
from autodc.study.rules.tolerated import unminded
from autodc.study.view import View

UNKNOWN = 1.0
"""Standard deviation of a belief where the search knows nothing."""
ASKED_AGAIN = 5
"""Studies that were begun by these rules ask what has a price at the settings believed best for it too."""
CONTROLS_LEAVE = 5
"""In studies that were begun by these rules rows, or labels, by chance leave a whole that does not miss them."""
PAID_ONCE = 4
"""Studies that were begun by these rules (StudyStarted.rules) ask of what was made without paying it again."""


def weighs(view: View) -> bool:
    """Whether the study weighs evidence together."""
    return view.spec.gate.evidence == "together" and view.state.question.rules >= 1


def together(view: View, tools: Tools) -> ev.TogetherProposed:
    """Propose what the gate of this round is to weigh. The search's challenger was proposed before it."""
    state, spec = view.state, view.spec
    kept, out = state.kept, pairs.excluded(view)
    free = [n for n in state.candidates if n not in kept and n not in out and _is_free(view, n)]
    priced = tuple(n for n in state.candidates if n not in kept and n not in out and not _is_free(view, n))
    first = [n for n in obvious.everything(view) if n in free]
    is_first = (
        not kept and state.round == 1 and all(state.card(n).get("by", obvious.GIVEN) == obvious.GIVEN for n in free)
    )
    everything = tuple(first if is_first else free)
    best = Plan.from_dict(state.challengers[-1].plan)
    recommended = tuple(n for n in best.mixture.added if n in free)
    plans = _plans(view, tools, everything, best.without(*priced))
    if state.question.rules >= ASKED_AGAIN:
        plans["believed"] = best
    came_along = tuple(n for n in kept if not _is_apart(view, n))
    beliefs = _beliefs(view, tools, view.incumbent, came_along) if came_along else {}
    proposal = Proposal(
        everything=everything,
        recommended=recommended,
        beliefs=beliefs | _beliefs(view, tools, plans["everything"], (*everything, *recommended, *priced)),
        margins={s.name: s.margin for s in spec.slices if s.margin is not None and _is_evidence(view, s.name)},
        matters=unminded(view),
        kept=kept,
        open=came_along,
        controls=_by_chance(view, free),
        priced=priced,
        purse=requests.purse_of(spec, state),
        untouched=is_first and not state.extensions,
        tunes=plans["tuned"] != view.incumbent,
        refused=_is_refused(view, everything),
        doubt=spec.gate.in_doubt == "everything" and state.round >= spec.loop.rounds,
        again=state.question.rules >= ASKED_AGAIN,
    )
    return ev.TogetherProposed(
        round=state.round,
        horizon=view.horizon,
        plans={name: plan.to_dict() for name, plan in plans.items()},
        proposal=standing.to_json(proposal),
    )


def _by_chance(view: View, names: Sequence[str]) -> tuple[str, ...]:
    """Those that are rows by chance beside others, or whose labels are; in studies of before none is told apart."""
    if view.state.question.rules < CONTROLS_LEAVE:
        return ()
    labels = labels_by_chance(view.state)
    return tuple(n for n in names if n in labels or (view.state.card(n).get("how") or {}).get("control_of"))


def price(view: View, name: str) -> float:
    """What a dataset costs still: what was made here is paid, whatever comes of it (State.paid)."""
    paid = view.state.question.rules >= PAID_ONCE and "how" in view.state.card(name)
    return 0.0 if paid else view.state.cost(name)


def _is_refused(view: View, everything: tuple[str, ...]) -> bool:
    """Whether all this was asked of this incumbent before, and not shown; at the last, doubt may ask again."""
    state, spec = view.state, view.spec
    if spec.gate.in_doubt == "everything" and state.round >= spec.loop.rounds:
        return False
    kept = frozenset(state.kept)
    asked = (t for t in state.comparisons if t.purpose == "everything" and t.members == everything)
    return any(REFUSED & set(t.reasons) and frozenset(t.incumbent.mixture.added) == kept for t in asked)


def _plans(view: View, tools: Tools, everything: tuple[str, ...], best: Plan) -> dict[str, Plan]:
    observed, incumbent = tools.observed(view), view.incumbent
    whole = incumbent.mixture.to_dict() | obvious.whole(view, everything)
    tuned = tools.engine.settle(observed, {BASE: 1.0})
    full = tools.engine.settle(observed, whole)
    settings = tuned or incumbent
    return {
        "incumbent": incumbent,
        "tuned": settings,
        "everything": full or Plan.of(whole, dict(settings.hyperparameters), settings.recipe),
        "recommended": best,
    }


def _is_apart(view: View, name: str) -> bool:
    """Whether a comparison was about this dataset alone."""
    alone = (t for t in view.state.comparisons if t.members == (name,) and t.looks)
    return any(t.purpose in ("removal", "addition") or (t.purpose == "block" and t.verdict == "keep") for t in alone)


def _beliefs(view: View, tools: Tools, full: Plan, named: Sequence[str]) -> dict[str, Belief]:
    """What each of these datasets is worth among all that is in a plan, and them."""
    observed = tools.observed(view)
    names = tuple(dict.fromkeys(named))
    weights = {**full.mixture.to_dict(), **{n: 1.0 for n in names if n not in full.mixture}}
    plan = Plan.of(weights, dict(full.hyperparameters), full.recipe, full.pretrain)
    worth = tools.engine.beliefs(observed, plan) or {}
    harm = tools.engine.guard_beliefs(observed, plan) or {}
    rows = tools.assessor.row_spreads(view, names)
    return {
        n: Belief(
            gain=float(worth.get(n, (0.0, UNKNOWN))[0]),
            sd=float(worth.get(n, (0.0, UNKNOWN))[1]),
            rows=float(rows.get(n, 0.0)),
            guards=_harm(harm, n),
            cost=price(view, n),
        )
        for n in names
    }


def _harm(beliefs: Mapping[str, Mapping[str, tuple[float, float]]], name: str) -> dict[str, float]:
    return {guard: float(each[name][0]) for guard, each in beliefs.items() if name in each}


def _is_free(view: View, name: str) -> bool:
    return view.state.cost(name) == 0


def _is_evidence(view: View, name: str) -> bool:
    return view.state.question.slices.get(name, {}).get("needed") is None
