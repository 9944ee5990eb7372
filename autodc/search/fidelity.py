"""Cheap trainings: whether they rank plans as full ones do, and which of them earn a longer training.

Successive halving with asynchronous promotion (ASHA; Li et al. 2020, A System for Massively Parallel Hyperparameter
Tuning): a plan goes one rung up as soon as it is among the best share of its rung. It is used only where the rank
correlation with full trainings was measured in the study and is high enough.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from autodc.stats.rank import spearman

ETA = 3
"""One of so many goes a rung up, and its training there is so many times as long."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Spearman's correlation of cheap with full trainings of the same plans and seeds, and its 95% interval.

    pairs: plans trained both ways without a failure; correlation is None where too few are left or all are equal.
    """

    pairs: int
    correlation: float | None = None
    low: float | None = None
    high: float | None = None

    def holds(self, least: float) -> bool:
        """Whether plans may be left out by what a cheap training says of them."""
        return self.correlation is not None and self.correlation >= least


def agreement(cheap: Mapping[int, float], full: Mapping[int, float]) -> Agreement:
    """Compare objectives of plans; a plan that failed in either training is left out."""
    both = sorted(n for n in cheap if n in full and math.isfinite(cheap[n]) and math.isfinite(full[n]))
    found = spearman(np.array([cheap[n] for n in both]), np.array([full[n] for n in both]))
    if found is None:
        return Agreement(pairs=len(both))
    return Agreement(pairs=len(both), correlation=found[0], low=found[1], high=found[2])


def rungs(low: float) -> tuple[float, ...]:
    """The fidelities of the ladder, from `low` to 1 by factors of ETA; the last step may be shorter."""
    levels = [low]
    while levels[-1] * ETA < 1.0 / math.sqrt(ETA):
        levels.append(round(levels[-1] * ETA, 6))
    return (*levels, 1.0)


def promotion(
    ladder: tuple[float, ...], values: Mapping[float, Mapping[int, float]], planned: Mapping[float, frozenset[int]]
) -> tuple[int, float] | None:
    """Say which plan is trained next at which higher fidelity, or None where nobody has earned it.

    values: fidelity → plan → objective of a finished training, −inf where it failed; planned: fidelity → plans that
    have a training there, finished or not. The highest rung that can promote does, its best plan first.
    """
    halving = Halving(ladder)
    for level, plans in planned.items():
        for plan in plans:
            halving.plan(level, plan)
    for level, known in values.items():
        for plan, value in known.items():
            halving.tell(level, plan, value)
    return halving.promotion()


@final
class Halving:
    """The same, told one by one."""

    def __init__(self, ladder: tuple[float, ...]) -> None:
        self._steps = list(reversed(list(itertools.pairwise(ladder))))
        self._above = dict(itertools.pairwise(ladder))
        self._known = dict.fromkeys(ladder, 0)
        self._best: dict[float, list[tuple[float, int]]] = {level: [] for level in ladder}
        self._waiting: dict[float, list[tuple[float, int]]] = {level: [] for level in ladder}
        self._planned: dict[float, set[int]] = {level: set() for level in ladder}
        self._values: dict[tuple[float, int], float] = {}

    def plan(self, level: float, plan: int) -> None:
        """A plan has a training at this fidelity, finished or not."""
        if level not in self._planned:
            return
        self._planned[level].add(plan)
        for below, above in self._steps:
            if above == level and (below, plan) in self._values:
                place = (-self._values[below, plan], plan)
                waiting = self._waiting[below]
                i = bisect.bisect_left(waiting, place)
                if waiting[i : i + 1] == [place]:
                    del waiting[i]

    def tell(self, level: float, plan: int, value: float) -> None:
        """A training at this fidelity is finished; −inf: it failed. Each is told once."""
        if level not in self._known:
            return
        self._known[level] += 1
        self._values[level, plan] = value
        if math.isfinite(value):
            bisect.insort(self._best[level], (-value, plan))
            if plan not in self._planned.get(self._above.get(level, math.nan), ()):
                bisect.insort(self._waiting[level], (-value, plan))

    def promotion(self) -> tuple[int, float] | None:
        """Which plan is trained next at which higher fidelity, or None where nobody has earned it."""
        for below, above in self._steps:
            first = self._waiting[below][:1]
            if first and bisect.bisect_left(self._best[below], first[0]) < self._known[below] // ETA:
                return first[0][1], above
        return None
