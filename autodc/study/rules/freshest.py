"""What a plan scores, by the trainings that say it best."""

from __future__ import annotations

from collections.abc import Mapping

from autodc.plan.plan import Plan
from autodc.study.journal.records import PAIRED
from autodc.study.view import View


def freshest(view: View, plan: Plan | None) -> list[Mapping[str, float]]:
    """Oriented scores of a plan's freshest trainings, slice by slice.

    Those after the last verdict where there are some, for nothing was chosen by them; else those of pairs.
    """
    mine = [t for t in view.state.trials if t.trial.plan == plan and t.outcome is not None and t.outcome.slices]
    closing = [t.outcome.slices for t in mine if t.outcome is not None and view.closes(t.trial.phase)]
    return closing or [t.outcome.slices for t in mine if t.outcome is not None and t.trial.phase in PAIRED]
