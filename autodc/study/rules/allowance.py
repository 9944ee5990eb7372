"""Who may spend what: the trainings of a study divided among calibration, search, gate and the last measurement."""

from __future__ import annotations

import math

from autodc.study.journal.events import RULES
from autodc.study.journal.state import State
from autodc.study.view import View
from autodc.studyfile.study import StudySpec

FINAL_SEEDS = 5
"""Fresh seeds an arm gets on the sealed test, where the budget is large enough."""

FINAL_SHARE = 0.125
"""At most this share of the budget goes to the last measurement."""

BASELINE_SHARE = 0.0625
"""At most this share of the budget goes to the obvious baselines of the last measurement, but a seed each."""

LEAST_BEYOND = 20
"""A study of fewer trainings has none left for them."""

BASELINES = 2
"""They are so many: the base tuned, and everything tuned."""

CALIBRATION_SHARE = 0.1
"""At most this share of the budget goes to calibration, but two trainings at least."""

CREDIT_SEEDS = 3
"""Fresh seeds that each further arm of the account of the gain gets, where the budget is large enough."""

CREDIT_SHARE = 0.0125
"""At most this share of the budget goes to each of its two further arms; below a training they are not trained."""

SEARCH_SHARE = 0.6
"""Share of what a round may spend that goes to search; the gate has the rest."""

FIRST_TURNS = 4 / 3
"""Where more rounds may follow, a round's search leaves a quarter of its share to them: they ask again only of what is
undecided, and what nobody needs goes to the settings of what is kept."""

CRUMB = 1e-6
"""Sums of fidelities are compared to within this share of a training."""

TRAINS_AHEAD = 6
"""In studies that were begun by these rules the start's arm of the last measurement is trained while slots are idle."""

LEAST_ROUND = 6
"""A round that could spend fewer trainings is not begun."""


def cap(view: View) -> float:
    """Trainings the study may spend in all; infinite where only rounds bound it."""
    limit, most = view.state.limit, asked(view.spec)
    return most if limit is None else min(most, limit.trainings)


def asked(spec: StudySpec) -> float:
    """Trainings the study file allows; infinite where only rounds bound it."""
    return spec.budget.trainings if spec.budget.trainings is not None else math.inf


def calibration_runs(spec: StudySpec) -> int:
    """A/A trainings of the start."""
    if spec.budget.trainings is None:
        return spec.gate.calibration
    return max(2, min(spec.gate.calibration, int(CALIBRATION_SHARE * spec.budget.trainings)))


def calibration_planned(state: State) -> int:
    """A/A trainings as they were planned when the study began, whatever its budget is now."""
    return next((p.planned for p in state.phases if p.phase == "calibration"), 0)


def final_seeds(spec: StudySpec, rules: int = RULES) -> int:
    """Fresh seeds start and end are to get in the last measurement; without a test set no more than the baselines."""
    if spec.data.test is None:
        return baseline_seeds(spec, rules)
    if spec.budget.trainings is None:
        return FINAL_SEEDS
    return max(1, min(FINAL_SEEDS, int(FINAL_SHARE * spec.budget.trainings / 2)))


def baseline_seeds(spec: StudySpec, rules: int = RULES) -> int:
    """Fresh seeds each obvious baseline is to get in it. rules: of the study (StudyStarted.rules)."""
    budget = spec.budget.trainings
    if rules < 1 or (budget is not None and budget < LEAST_BEYOND):
        return 0
    return FINAL_SEEDS if budget is None else max(1, min(FINAL_SEEDS, int(BASELINE_SHARE * budget / BASELINES)))


def left(view: View) -> float:
    """Trainings left for search and gate: what the phases after the last verdict need is set apart."""
    room = cap(view) - view.state.spent + trained_ahead(view.state)
    for phase in reversed(view.closing):
        room -= phase.apart(view.spec, view.state.question.rules)
    return room


def trains_ahead(state: State) -> bool:
    """Whether the last measurement may be trained before it begins."""
    return state.question.rules >= TRAINS_AHEAD and not any(one.phase == "test" for one in state.phases)


def trained_ahead(state: State) -> int:
    """Trainings of the last measurement that were planned before it began: they are in what is set apart for it."""
    if not trains_ahead(state):
        return 0
    return round(sum(count for (phase, _), count in state.planned.items() if phase == "test"))


def credit_seeds(spec: StudySpec) -> int:
    """Fresh seeds set apart for each further arm of the account of the gain."""
    if spec.budget.trainings is None:
        return CREDIT_SEEDS
    return min(CREDIT_SEEDS, int(CREDIT_SHARE * spec.budget.trainings))


def search_quota(view: View, round_number: int) -> int:
    """Search trials of a round, those already planned for it included."""
    spec, planned = view.spec, view.state.charged("search", round_number)
    share = search_share(spec, left(view) + planned, spec.loop.rounds - round_number + 1)
    return max(math.ceil(planned - CRUMB), share)


def search_share(spec: StudySpec, room: float, rounds_left: int) -> int:
    """Search trials of a round, of so many trainings for search and gate in it and the rounds after it."""
    turns = min(rounds_left, FIRST_TURNS) if spec.gate.evidence == "together" else rounds_left
    return int(min(spec.search.trials_per_round, max(0.0, SEARCH_SHARE * room / turns)))


DELIVERED = 1
"""Datasets a round that are counted on where the study has an inbox."""


def planned_tests(spec: StudySpec) -> int:
    """N of the error budget, fixed before the first training: as declared, else what may be asked at most."""
    if spec.gate.planned_tests is not None:
        return spec.gate.planned_tests
    made = spec.loop.proposals if spec.loop.makes_data else 0
    delivered = 0 if spec.data.inbox is None else DELIVERED
    return comparisons(spec.loop.rounds, len(spec.data.candidates), made + delivered)


def comparisons(rounds: int, given: int, proposed: int = 0) -> int:
    """Comparisons that a study may ask for: each candidate on the roster and one whole challenger, once a round.

    proposed: the most datasets that proposers add in a round; those of round r are on the roster from r on.
    """
    return rounds * (given + 1) + proposed * rounds * (rounds + 1) // 2
