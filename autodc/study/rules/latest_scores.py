"""What a plan scores, by the trainings that say it best."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.plan.plan import Plan
from autodc.study.journal.records import PAIRED, TrialState
from autodc.study.view import View


def freshest(view: View, plan: Plan | None) -> list[Mapping[str, float]]:
    """Oriented scores of a plan's freshest trainings, slice by slice."""
    return [t.outcome.slices for t in freshest_trials(view, plan) if t.outcome is not None]


def freshest_trials(view: View, plan: Plan | None) -> list[TrialState]:
    """A plan's freshest trainings.

    Those after the last verdict where there are some, for nothing was chosen by them; else those of pairs.
    """
    mine = scored_trials(view, plan)
    return [t for t in mine if view.closes(t.trial.phase)] or [t for t in mine if t.trial.phase in PAIRED]


def scored_trials(view: View, plan: Plan | None) -> list[TrialState]:
    """All trainings of a plan that came to an end with scores."""
    return [t for t in view.state.trials if t.trial.plan == plan and t.outcome is not None and t.outcome.slices]
