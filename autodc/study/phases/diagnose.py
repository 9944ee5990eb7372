"""Diagnose: where does the incumbent fail, on which explore rows, and why? It trains nothing and decides nothing."""

from __future__ import annotations

from typing import final

from autodc.study.journal import events as ev
from autodc.study.phases import diagnosing, requesting, suggesting
from autodc.study.phases.phase import Phase
from autodc.study.phases.propose import Propose, proposes
from autodc.study.phases.search import may_begin
from autodc.study.phases.tools import Tools
from autodc.study.view import View


@final
class Diagnose(Phase):
    """The beginning of a round. While it waits for an outcome, the search of the round goes on."""

    name = "diagnose"
    words = "looking for where the incumbent fails"

    def takes_up(self, view: View) -> bool:
        """Where there is another round."""
        return may_begin(view)

    def begin(self, view: View) -> ev.PhaseStarted:
        """Another round begins with it; with what comes after it where nothing is to be looked for."""
        if not diagnosing.is_due(view):
            return Propose().begin(view)
        return ev.PhaseStarted(round=view.state.round + 1, phase=self.name)

    def decide(self, view: View, tools: Tools) -> ev.Event | None:
        """Look, and tell what was found; then data are made for it."""
        if diagnosing.waits(view, tools):
            return None
        told = diagnosing.next_event(view, tools)
        if told is None and not proposes(view):
            told = requesting.next_event(view)
        return told or view.after(self)

    def want(self, view: View, tools: Tools) -> ev.TrialPlanned | None:
        """What the search of the round would train first."""
        return suggesting.beginning(view, tools)
