"""Cheap trainings in a study: measured against full ones first, then, where they agree, most plans stop at one."""

from __future__ import annotations

import math
from typing import final

from autodc.search.fidelity import Halving, agreement, rungs
from autodc.study.journal import events as ev
from autodc.study.journal.state import State, TrialState
from autodc.studyfile.study import FidelitySpec, StudySpec

TWIN = "cheap twin"
PROMOTED = "promoted"


def of_fresh(spec: StudySpec, state: State) -> float:
    """The fidelity of a plan that is trained for the first time."""
    wanted = spec.search.fidelity
    return wanted.low if wanted is not None and state.fidelity is not None and state.fidelity.used else 1.0


def again(spec: StudySpec, state: State, excluded: frozenset[str], ladder: Ladder) -> tuple[int, float, str] | None:
    """Say which suggested trial is trained again, at which fidelity and why, before anything new is suggested.

    excluded: datasets that are out; plans with one of them are not promoted.
    """
    wanted = spec.search.fidelity
    if wanted is None:
        return None
    if state.fidelity is None:
        first = (n for n in state.suggested[: wanted.pairs] if (wanted.low, n) not in state.again)
        return next(((n, wanted.low, TWIN) for n in first), None)
    if not state.fidelity.used:
        return None
    found = ladder.promotion(spec, state, rungs(wanted.low), excluded)
    return None if found is None else (*found, PROMOTED)


def measured(spec: StudySpec, state: State) -> ev.FidelityMeasured | None:
    """Hold cheap trainings against full ones as soon as all pairs are visible, once a study."""
    wanted = spec.search.fidelity
    if wanted is None or state.fidelity is not None or not _visible(wanted, state):
        return None
    roots = state.suggested[: wanted.pairs]
    cheap = {n: objective(spec, state, state.again[wanted.low, n]) for n in roots}
    full = {n: objective(spec, state, n) for n in roots}
    found = agreement(cheap, full)
    return ev.FidelityMeasured(
        round=state.round,
        horizon=state.horizon,
        fidelity=wanted.low,
        pairs=found.pairs,
        correlation=found.correlation,
        low=found.low,
        high=found.high,
        used=found.holds(wanted.least_correlation),
    )


def objective(spec: StudySpec, state: State, number: int) -> float:
    """The oriented objective of a finished training; −inf where it failed."""
    outcome = state.trials[number].outcome
    weights = state.objective
    if outcome is None or any(not math.isfinite(outcome.slices.get(n, math.nan)) for n in weights):
        return -math.inf
    return sum(w * outcome.slices[n] for n, w in weights.items()) / sum(weights.values())


def _visible(wanted: FidelitySpec, state: State) -> bool:
    roots = state.suggested[: wanted.pairs]
    needed = [*roots, *(state.again.get((wanted.low, n), math.inf) for n in roots)]
    return len(roots) == wanted.pairs and max(needed) < state.horizon


@final
class Ladder:
    """Who has earned a longer training, kept up with the state; it can be derived anew at any time."""

    def __init__(self) -> None:
        self._of: tuple[tuple[float, ...], frozenset[str]] | None = None
        self._halving = Halving(())
        self._planned = self._told = 0

    def promotion(
        self, spec: StudySpec, state: State, ladder: tuple[float, ...], excluded: frozenset[str]
    ) -> tuple[int, float] | None:
        """The suggested trial to be trained again, and at which fidelity. excluded: plans with these are left out."""
        if self._of != (ladder, excluded):
            self._of, self._halving, self._planned, self._told = (ladder, excluded), Halving(ladder), 0, 0
        for one in state.trials[self._planned :]:
            if one.trial.phase == "search":
                self._halving.plan(one.trial.fidelity, _root(one))
        self._planned = len(state.trials)
        for one in state.trials[self._told : state.horizon]:
            if one.trial.phase == "search" and not excluded & set(one.trial.plan.mixture.added):
                value = objective(spec, state, one.trial.number)
                self._halving.tell(one.trial.fidelity, _root(one), value)
        self._told = state.horizon
        return self._halving.promotion()


def _root(one: TrialState) -> int:
    return one.trial.number if one.of is None else one.of
