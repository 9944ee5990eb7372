"""The gate: the challenger's new datasets one by one, then the challenger as a whole against the incumbent."""

from __future__ import annotations

from typing import final

from autodc.plan.plan import Plan
from autodc.study.journal import events as ev
from autodc.study.phases import comparing, holding, suggesting, weighing
from autodc.study.phases.diagnose import Diagnose
from autodc.study.phases.phase import Phase
from autodc.study.phases.propose import proposes
from autodc.study.phases.search import may_begin
from autodc.study.phases.tools import Tools
from autodc.study.rules import last, pairs, prune, served, standing
from autodc.study.view import View
from autodc.studyfile.study import StudySpec

GOES_ON = 5
"""Studies that make data and were begun by these rules go on after a round of which nothing came."""


@final
class Gate(Phase):
    """The comparisons of a round. Its trainings are pairs: any comparison may use them."""

    name = "gate"
    words = "testing what the search proposes"
    purpose = "pairs of trainings for the verdicts"

    def keeps_model(self, spec: StudySpec) -> bool:
        """Where a training may go on from one, and where no last measurement trains what is handed over."""
        return spec.data.test is None or "continue" in spec.recipes

    def decide(self, view: View, tools: Tools) -> ev.Event | None:
        """Go on with the comparison under way; else open the next one the error budget and trainings pay."""
        comparison = view.state.open_comparison
        if standing.proposed(view.state) is not None:
            event = weighing.decide(view, tools)
            if event is not None or view.state.open_comparison is not None:
                return event
            return holding.next_event(view, tools) or self._over(view)
        if comparison is not None:
            return comparing.next_step(view, tools, comparison)
        going = _pruned(view) or _moved(view) or _opened(view)
        return going or holding.next_event(view, tools) or self._over(view)

    def want(self, view: View, tools: Tools) -> ev.TrialPlanned | None:
        """A pair for the comparison under way; while it waits, the next round's search, then what is due anyway."""
        return comparing.next_training(view) or suggesting.filling(view, tools) or last.ahead(view)

    def _over(self, view: View) -> ev.Event:
        """Another round, where the last one moved, something is open or may be made; else what comes after the gate."""
        state = view.state
        moved = any(m.round == state.round for m in state.moves)
        settled = frozenset(state.candidates) <= {*state.kept, *pairs.excluded(view)}
        making = proposes(view) and state.question.rules >= GOES_ON
        going = moved or not settled or making or served.serves_again(view)
        return Diagnose().begin(view) if may_begin(view) and going else view.after(self)


def _pruned(view: View) -> ev.ChallengerPruned | None:
    """Take out of the challenger what the comparison that has just ended says."""
    state, name = view.state, prune.leaving(view.state)
    if name is None:
        return None
    return ev.ChallengerPruned(
        round=state.round, horizon=view.horizon, comparison=state.comparisons[-1].id, dataset=name
    )


def _moved(view: View) -> ev.IncumbentMoved | None:
    """Advance the incumbent where the last comparison of a whole challenger says keep."""
    state = view.state
    last = state.comparisons[-1] if state.comparisons else None
    if last is None or last.verdict != "keep" or last.purpose != "whole":
        return None
    done = any(m.comparison == last.id for m in state.moves)
    return None if done else comparing.advanced(view, last, last.challenger)


def _opened(view: View) -> ev.ComparisonOpened | None:
    """The next comparison: of a member, then of the whole; None where there is none, or nothing pays it."""
    challenger = view.state.challenger
    assert challenger is not None
    if not comparing.is_planned(view):
        return None
    member = _next_member(view, challenger)
    if member is None:
        return _whole(view, challenger)
    without = challenger.without(member)
    if not pairs.can_look(view, challenger, without):
        return None
    return comparing.begun(view, "removal", challenger, without, subject=member)


def _whole(view: View, challenger: Plan) -> ev.ComparisonOpened | None:
    if challenger == view.incumbent or _tested_whole(view, challenger):
        return None
    if not pairs.can_look(view, challenger, view.incumbent):
        return None
    kept = frozenset(view.state.kept)
    new = tuple(n for n in challenger.mixture.added if n not in kept)
    kind = "tuning" if kept == set(challenger.mixture.added) else "bundle"
    subject = kind if kind == "tuning" else "+".join(new) or "removal"
    return comparing.begun(view, "whole", challenger, view.incumbent, subject=subject, kind=kind, members=new)


def _next_member(view: View, challenger: Plan) -> str | None:
    """The member to be tested next, those worth least first; kept ones last, where the context changed."""
    state = view.state
    tested = {t.subject for t in state.comparisons if t.round == state.round and t.purpose == "removal"}
    worth, kept = state.challengers[-1].worth, frozenset(state.kept)
    order = sorted(challenger.mixture.added, key=lambda n: (worth.get(n, 0.0), n))
    new = [n for n in order if n not in kept]
    for name in new:
        if name not in tested:
            return name
    return next((n for n in order if new and n in kept and n not in tested), None)


def _tested_whole(view: View, challenger: Plan) -> bool:
    mine = [t for t in view.state.comparisons if t.round == view.state.round and t.purpose == "whole"]
    return any(t.challenger == challenger for t in mine)
