"""Which way the metric of a study gets better, from the journal alone: to read a study, the metric is not needed."""

from __future__ import annotations

from autodc.study.journal.state import State
from autodc.study.view import spec_of
from autodc.studyfile.names import METRICS, Better

GUESSED = (
    "the journal is of an older autodc and does not say whether {name} is better when higher or lower; from the "
    "study's numbers it is taken to be better when {better}: where that is wrong, every value of it has the wrong sign"
)


def better(state: State) -> Better:
    """The direction that the journal tells; of an older journal, that of the named metric, or what its numbers tell."""
    told = state.question.metric.get("better")
    if told is not None:
        return "lower" if told == "lower" else "higher"
    known = METRICS.get(spec_of(state).metrics.primary)
    return known.better if known is not None else _from_numbers(state)


def natural(state: State, oriented: float) -> float:
    """Turn an oriented score back into the units a user knows."""
    return -oriented if better(state) == "lower" else oriented


def guessed(state: State) -> str:
    """A word of warning where the direction is what the numbers tell, else empty."""
    name = spec_of(state).metrics.primary
    if state.question.metric or name in METRICS:
        return ""
    return GUESSED.format(name=name, better=better(state))


def _from_numbers(state: State) -> Better:
    """Scores in the journal are turned so that up is better, values on the test set are as the user knows them."""
    scores = [t.outcome.slices for t in state.trials if t.outcome is not None and t.outcome.slices]
    if state.measured is not None and scores:
        products = [value * scores[-1][n] for n, value in state.measured.after.items() if n in scores[-1]]
        if any(products):
            return "lower" if sum(products) < 0 else "higher"
    values = [value for slices in scores for value in slices.values()]
    return "lower" if values and max(values) <= 0 and min(values) < 0 else "higher"
