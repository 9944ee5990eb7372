"""Propose: data are made for what was found. It is settled first, made on workers, and joins as it was settled.

Whatever is settled in a round is made before the search of that round knows of it, so that the same decisions follow
however long it takes; meanwhile the first trainings of the search run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

from autodc.study.journal import events as ev
from autodc.study.phases import choosing, requesting, suggesting
from autodc.study.phases.phase import Phase
from autodc.study.phases.search import Search
from autodc.study.phases.tools import Tools
from autodc.study.rules import actions
from autodc.study.view import View

MEANWHILE = 2
"""Trainings of the search that are planned while data are made: they know nothing of what comes."""
PROPOSES = 3
"""Studies that were begun by these rules (StudyStarted.rules) make data; those of before go on without."""

WEIGHS = 4
"""Studies that were begun by these rules make what is expected to gain most for its cost, and end where nothing is."""


@final
class Propose(Phase):
    """Between the look at where the incumbent fails and the search."""

    name = "propose"
    words = "making data for what was found"

    def begin(self, view: View) -> ev.PhaseStarted:
        """A round goes on with it after the diagnosis; with the search where nothing may be made."""
        if not proposes(view):
            return Search().begin(view)
        upcoming = view.state.round + (view.state.phase != "diagnose")
        return ev.PhaseStarted(round=upcoming, phase=self.name)

    def decide(self, view: View, tools: Tools) -> ev.Event | None:
        """Settle what is made, let it in one by one, ask people for what nobody here can make; then the search."""
        if tools.maker is None:
            return view.after(self)
        if view.state.round not in view.state.proposed:
            made = tools.maker.proposals(view)
            return choosing.settled(view, tools, made) if weighs(view) else made
        awaited = view.state.awaited
        if not awaited:
            return requesting.next_event(view, _served(view)) or self._over(view)
        return self._meanwhile(view, tools) or tools.maker.outcome(view, awaited[0])

    def declares(self, view: View) -> Sequence[Mapping[str, Any]]:
        """Those of all that is proposed in this round."""
        return [one for made in view.state.proposed.get(view.state.round, ()) for one in made.slices]

    def awaits(self, view: View) -> bool:
        """Whether anything is still being made."""
        return bool(view.state.awaited)

    def _over(self, view: View) -> ev.PhaseStarted:
        """The search; where nothing promises what it costs, what comes after the last verdict of the rounds."""
        gate = view.named("gate")
        return view.after(self) if gate is None or not actions.ended(view.state) else view.after(gate)

    def _meanwhile(self, view: View, tools: Tools) -> ev.TrialPlanned | None:
        """What the search of the round would train first, a few, whether what is made is there already or not."""
        charged = view.state.charged("search", view.state.round)
        if charged >= MEANWHILE or len(view.hidden) >= view.spec.search.lag:
            return None
        return suggesting.beginning(view, tools)


def _served(view: View) -> set[str]:
    """The findings for which anything was made."""
    made = (one for one in view.state.to_make if one["name"] in view.state.roster)
    return {str(one["finding"]) for one in made if one.get("finding")}


def proposes(view: View) -> bool:
    """Whether data may be made in the rounds of a study."""
    return view.state.question.rules >= PROPOSES and view.spec.loop.makes_data


def weighs(view: View) -> bool:
    """Whether a round weighs what may be done by its cost."""
    return proposes(view) and view.state.question.rules >= WEIGHS
