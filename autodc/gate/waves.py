"""Which of several passers advances, where all were compared with one incumbent in parallel (DESIGN §11.7).

Only one may: each was shown better alone, nobody has shown them better together, and their losses on guards add up.
The others are compared again, with the incumbent that the best one makes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from autodc.gate.types import Look


def best_passer(looks: Mapping[str, Look]) -> str:
    """Return the subject that advances: the one whose objective is surely the highest.

    looks: subject → last look of a comparison that said keep, at least one. The lower end of the objective's interval
    is compared, so that a lucky one of one pair does not pass a sure one of five; ties go to the larger difference,
    then to the first name. A value of the set alone: the order of the comparisons does not matter.
    """

    def order(name: str) -> tuple[float, float, str]:
        objective = looks[name].objective
        return (math.inf if objective.low is None else -objective.low, -objective.difference, name)

    return min(looks, key=order)
