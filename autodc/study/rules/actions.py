"""What a round weighs its actions by: what is left of the budget, what a dataset takes of it, what is too small."""

from __future__ import annotations

import numpy as np

from autodc.evaluation import objective
from autodc.gate.questions import WHOLES
from autodc.gate.thresholds import matters
from autodc.propose.actions import Purse, Weighed
from autodc.study.journal.state import State
from autodc.study.rules import allowance, requests
from autodc.study.view import View

GATED, LIKE = 2.0, 4
"""Trainings of the gate a dataset where the study has not shown it, which counts as much as so many datasets."""
PLAIN = ("accuracy", "mae")
"""Metrics that are the mean error itself, so that gains hoped for of errors are gains of the objective."""


def of_round(state: State, number: int) -> Weighed | None:
    """What was weighed in a round; None where nothing was."""
    told = next((one.weighed for one in reversed(state.proposed.get(number, ())) if one.weighed is not None), None)
    return None if told is None else Weighed.of(told)


def ended(state: State) -> bool:
    """Whether the round under way found nothing worth its cost, so that the night ends."""
    found = of_round(state, state.round)
    return found is not None and found.ends


def promised_little(state: State) -> bool:
    """Whether it ends because all that could be done promised too little."""
    found = of_round(state, state.round)
    return found is not None and found.ends and found.promises_little


def may_end(view: View) -> bool:
    """Whether the round under way may end the night for want of promise: not the first, nor where doubt asks later."""
    return view.state.round > 1 and view.spec.gate.in_doubt != "everything"


def purse(view: View) -> Purse:
    """What is left of the study's budget, and of it to this round."""
    left, money = max(0.0, allowance.left(view)), requests.purse_of(view.spec, view.state)
    room = allowance.search_quota(view, view.state.round) / allowance.SEARCH_SHARE
    return Purse(trainings=left, room=round(min(left, room), 6), money=money)


def floor(view: View) -> float | None:
    """A gain that is too small to matter; None where hopes are not in the unit of the objective.

    They are counted in errors of all rows: they are so where the one target is all rows and the metric the mean error.
    """
    targets = view.spec.targets
    whole = len(targets) == 1 and targets[0].where is None and targets[0].source is None
    if view.spec.metrics.primary not in PLAIN or not whole:
        return None
    known = calibrated(view)
    return matters(view.spec.metrics.primary, float(np.mean(known)) if known else None)


def gated(state: State) -> float:
    """Trainings of the gate a dataset, as the study goes; the whole is asked once, whatever is in it."""
    asked = [t for t in state.comparisons if t.purpose not in WHOLES and t.verdict is not None]
    names = {name for t in asked for name in t.members}
    return (GATED * LIKE + sum(t.trainings for t in asked)) / (LIKE + len(names))


def calibrated(view: View, *, searched: bool = False) -> list[float]:
    """The objective of the start, a calibration training each. searched: on the rows that the search sees."""
    weights = objective.weights(view.state.question.slices)
    ended = [t.outcome for t in view.visible if t.trial.phase == "calibration" and t.outcome is not None]
    values = [objective.mean(one.searched if searched else one.slices, weights) for one in ended]
    return [value for value in values if value is not None]
