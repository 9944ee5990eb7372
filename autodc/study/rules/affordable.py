"""What a budget can decide, before anything is trained: whether the gate of a round can ask anything at all."""

from __future__ import annotations

import math

from autodc.gate.together import PAIRS, SET_APART
from autodc.study.journal.events import RULES
from autodc.study.phases.order import ORDER
from autodc.study.rules import allowance
from autodc.studyfile.study import StudySpec

FILLS = 1
"""A search training of the next round that is planned while the gate has nothing to train yet."""
MOST = 100_000
"""Larger budgets are not looked for."""


def gate_room(spec: StudySpec) -> float:
    """Trainings that are left for the gate of the first round once its search is over."""
    room = allowance.asked(spec) - sum(phase.apart(spec, RULES) for phase in ORDER)
    turns = min(spec.loop.rounds, allowance.FIRST_TURNS) if spec.gate.evidence == "together" else spec.loop.rounds
    return room - int(min(spec.search.trials_per_round, max(0.0, allowance.SEARCH_SHARE * room / turns)))


def needed(spec: StudySpec) -> int:
    """Trainings without which the gate asks nothing of candidates: two arms at the first look, and what is set apart.

    Weighed together, harm that they do must be able to leave them again.
    """
    apart = SET_APART["everything"] + FILLS if spec.gate.evidence == "together" else 0
    return 2 * spec.gate.looks[0] + apart


def ample(spec: StudySpec) -> int:
    """Trainings of the gate that take the candidates to the last look together, and each of them alone."""
    count = len(spec.data.candidates)
    wholes = 2 * spec.gate.looks[-1] + 2 * PAIRS if spec.gate.evidence == "together" else spec.gate.looks[-1]
    return wholes + count * spec.gate.looks[-1]


def budget_for(spec: StudySpec, trainings: int) -> int | None:
    """The smallest `budget.trainings` that leaves the first gate so many trainings; None where none does."""
    low, high = 2, MOST
    if gate_room(_with(spec, high)) < trainings:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if gate_room(_with(spec, middle)) >= trainings else (middle + 1, high)
    return low


def unpaid(spec: StudySpec) -> list[str]:
    """Say that the budget compares no candidate, and which one would; nothing where it does."""
    asked = allowance.asked(spec)
    if math.isinf(asked) or not spec.data.candidates or gate_room(spec) >= needed(spec):
        return []
    least, most = budget_for(spec, needed(spec)), budget_for(spec, ample(spec))
    them = "them together, at the first look" if spec.gate.evidence == "together" else "one of them, at the first look"
    words = (
        f"budget.trainings: {asked:g} compares no candidate, so nothing can be kept: after the search of a round the "
        f"gate has {max(0.0, gate_room(spec)):g} trainings, a comparison takes {needed(spec)}"
    )
    if least is not None:
        words += f". {least} compare {them}"
    if most is not None:
        words += f"; about {most} take each of the {len(spec.data.candidates)} to the last"
    return [words]


def _with(spec: StudySpec, trainings: int) -> StudySpec:
    return spec.model_copy(update={"budget": spec.budget.model_copy(update={"trainings": trainings})})
