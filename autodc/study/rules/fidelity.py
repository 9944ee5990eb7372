"""Cheap trainings in a study: measured against full ones first, then, where they agree, most plans stop at one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import final

from autodc.evaluation import objective
from autodc.search.fidelity import Halving, agreement, rungs
from autodc.study.journal import events as ev
from autodc.study.journal.records import TrialState
from autodc.study.view import View
from autodc.studyfile.study import FidelitySpec

TWIN = "cheap twin"
PROMOTED = "promoted"


def of_fresh(view: View) -> float:
    """The fidelity of a plan that is trained for the first time."""
    wanted, state = view.spec.search.fidelity, view.state
    return wanted.low if wanted is not None and state.fidelity is not None and state.fidelity.used else 1.0


def again(view: View, excluded: frozenset[str], ladder: Ladder) -> tuple[int, float, str] | None:
    """Say which suggested trial is trained again, at which fidelity and why, before anything new is suggested.

    excluded: datasets that are out; plans with one of them are not promoted.
    """
    wanted, state = view.spec.search.fidelity, view.state
    if wanted is None:
        return None
    if state.fidelity is None:
        first = (n for n in state.suggested[: wanted.pairs] if (wanted.low, n) not in state.again)
        return next(((n, wanted.low, TWIN) for n in first), None)
    if not state.fidelity.used:
        return None
    found = ladder.promotion(view, rungs(wanted.low), excluded)
    return None if found is None else (*found, PROMOTED)


def measured(view: View) -> ev.FidelityMeasured | None:
    """Hold cheap trainings against full ones as soon as all pairs are visible, once a study."""
    wanted, state = view.spec.search.fidelity, view.state
    if wanted is None or state.fidelity is not None or not _visible(wanted, view):
        return None
    roots = state.suggested[: wanted.pairs]
    weights = objective.searched(state.question.slices)
    cheap = {n: _reached(state.trials[state.again[wanted.low, n]], weights) for n in roots}
    full = {n: _reached(state.trials[n], weights) for n in roots}
    found = agreement(cheap, full)
    return ev.FidelityMeasured(
        round=state.round,
        horizon=view.horizon,
        fidelity=wanted.low,
        pairs=found.pairs,
        correlation=found.correlation,
        low=found.low,
        high=found.high,
        used=found.holds(wanted.least_correlation),
    )


def _reached(one: TrialState, weights: Mapping[str, float]) -> float:
    """The oriented objective of a finished training; −inf where it failed."""
    value = None if one.outcome is None else objective.mean(one.outcome.searched, weights)
    return -math.inf if value is None else value


def _visible(wanted: FidelitySpec, view: View) -> bool:
    state = view.state
    roots = state.suggested[: wanted.pairs]
    needed = [*roots, *(state.again.get((wanted.low, n), math.inf) for n in roots)]
    return len(roots) == wanted.pairs and max(needed) < view.horizon


@final
class Ladder:
    """Who has earned a longer training, kept up with the state; it can be derived anew at any time."""

    def __init__(self) -> None:
        self._of: tuple[tuple[float, ...], frozenset[str]] | None = None
        self._halving = Halving(())
        self._planned = self._told = 0

    def promotion(self, view: View, ladder: tuple[float, ...], excluded: frozenset[str]) -> tuple[int, float] | None:
        """The suggested trial to be trained again, and at which fidelity. excluded: plans with these are left out."""
        if self._of != (ladder, excluded):
            self._of, self._halving, self._planned, self._told = (ladder, excluded), Halving(ladder), 0, 0
        state, weights = view.state, objective.searched(view.state.question.slices)
        for one in state.trials[self._planned :]:
            if one.trial.phase == "search" and one.trial.forks is None:
                self._halving.plan(one.trial.fidelity, _root(one))
        self._planned = len(state.trials)
        for one in state.trials[self._told : view.horizon]:
            if (
                one.trial.phase == "search"
                and one.trial.forks is None
                and not excluded & set(one.trial.plan.mixture.added)
            ):
                self._halving.tell(one.trial.fidelity, _root(one), _reached(one, weights))
        self._told = view.horizon
        return self._halving.promotion()


def _root(one: TrialState) -> int:
    return one.trial.number if one.of is None else one.of
