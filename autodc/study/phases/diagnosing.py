"""Rules of a diagnosis, whichever phase asks for one: when it is due, what it waits for, what it tells next."""

from __future__ import annotations

from autodc.study.journal import events as ev
from autodc.study.journal.records import PAIRED
from autodc.study.phases.tools import Tools
from autodc.study.view import View

DIAGNOSED = 2
"""Studies that were begun by these rules (StudyStarted.rules) are diagnosed; those of before go on without."""


def is_due(view: View) -> bool:
    """Whether the incumbent is still to be looked at."""
    if view.state.question.rules < DIAGNOSED or not view.spec.loop.findings:
        return False
    known = view.state.diagnosed(view.incumbent)
    return known is None or not known.is_whole


def waits(view: View, tools: Tools) -> bool:
    """Whether the predictions of the incumbent are still to come, or not visible yet."""
    if tools.diagnoser is None or view.state.diagnosed(view.incumbent) is not None:
        return False
    shown = view.state.shown_by(view.incumbent)
    if shown is not None:
        return shown >= view.horizon
    return any(t.trial.plan == view.incumbent and t.trial.phase in PAIRED for t in view.hidden)


def next_event(view: View, tools: Tools) -> ev.Event | None:
    """The diagnosis of the incumbent, then its findings one by one; None where all is told, or nothing can be."""
    if tools.diagnoser is None or not is_due(view):
        return None
    known = view.state.diagnosed(view.incumbent)
    number = view.state.shown_by(view.incumbent) if known is None else known.made.trial
    made, findings = tools.diagnosed(view, number)
    if known is None:
        return made
    return findings[len(known.ids)] if len(known.ids) < min(len(findings), known.made.findings) else None
