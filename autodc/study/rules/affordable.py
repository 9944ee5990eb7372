"""What a budget can decide, before anything is trained: whether the gate of a round can ask anything at all."""

from __future__ import annotations

import math
from bisect import bisect_left

from autodc.gate.together import PAIRS, SET_APART
from autodc.study.phases.order import set_apart
from autodc.study.rules import allowance
from autodc.studyfile.study import StudySpec

SPARE = 2
"""Trainings more than counted that the search of the next round may take while the gate waits."""
MOST = 100_000
"""Larger budgets are not looked for."""


def gate_room(spec: StudySpec) -> float:
    """Trainings that are left for the gate of the first round once its search is over."""
    room = allowance.asked(spec) - set_apart(spec)
    return room - allowance.search_share(spec, room, spec.loop.rounds)


def needed(spec: StudySpec) -> tuple[int, int]:
    """Trainings without which the gate asks nothing of candidates, and with which it surely does.

    At the first look one arm is new, or both are; weighed together, what is set apart comes on top, for harm must be
    able to leave them again; and while the gate waits, the search of the next round goes on.
    """
    first, together = spec.gate.looks[0], spec.gate.evidence == "together"
    apart = SET_APART["everything"] if together else 0
    return first + apart, 2 * first + apart + (SPARE if spec.loop.rounds > 1 else 0)


def ample(spec: StudySpec) -> int:
    """Trainings of the gate that take the candidates to the last look together, and each of them alone."""
    count = len(spec.data.candidates)
    wholes = 2 * spec.gate.looks[-1] + 2 * PAIRS if spec.gate.evidence == "together" else spec.gate.looks[-1]
    return wholes + count * spec.gate.looks[-1]


def budget_for(spec: StudySpec, trainings: int) -> int | None:
    """The smallest `budget.trainings` that leaves the first gate so many trainings; None where none does."""
    found = bisect_left(range(MOST + 1), float(trainings), lo=2, key=lambda budget: gate_room(_with(spec, budget)))
    return found if found <= MOST else None


def unpaid(spec: StudySpec) -> list[str]:
    """Say that the budget compares no candidate, or may not, and which one would; nothing where it surely does."""
    asked = allowance.asked(spec)
    least, sure = needed(spec)
    if math.isinf(asked) or not spec.data.candidates or (room := gate_room(spec)) >= sure:
        return []
    enough, most = budget_for(spec, sure), budget_for(spec, ample(spec))
    does = "compares no candidate, so nothing can be kept" if room < least else "may compare no candidate"
    words = (
        f"budget.trainings: {asked:g} {does}: after the search of a round the gate has {max(0.0, room):g} trainings, "
        f"a comparison takes {least} to {sure}"
    )
    if enough is not None:
        them = "them together, at the first look" if spec.gate.evidence == "together" else "one of them"
        words += f". {enough} compare {them}"
    if most is not None:
        words += f"; about {most} take each of the {len(spec.data.candidates)} to the last look"
    return [words]


def _with(spec: StudySpec, trainings: int) -> StudySpec:
    return spec.model_copy(update={"budget": spec.budget.model_copy(update={"trainings": trainings})})
