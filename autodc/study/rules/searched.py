"""What the search's own trainings say of noise: how far each lies from what all the others lead one to believe.

Calibration is of the start, and shows nothing of a deterministic learner that draws other rows with each seed, nor of
mixtures that are noisier than the start. The search trained hundreds of these. A function of the view alone, and the
same for all looks of a comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autodc.plan.plan import Plan
from autodc.stats.residuals import leave_one_out
from autodc.stats.variance import Searched
from autodc.study.journal.records import ComparisonState, TrialState
from autodc.study.view import View

Array = np.ndarray[Any, Any]

LEAST = 12
"""Fewer trainings of the better half say nothing."""
LEAST_ALIKE = 6
"""So many with a dataset that is compared speak for it by themselves."""

Values = Callable[[TrialState], Mapping[str, float]]


def residuals(
    view: View, comparison: ComparisonState, values: Values, by: str, of_rows: Mapping[str, float]
) -> dict[str, Searched]:
    """Return slice → seed variance of a difference; nothing where the search is too short.

    values: a training → oriented value of every slice, and of the objective; by: the value whose better half of
    trainings is looked at, for a challenger is of these and what fails in a corner of the space tells nothing of it;
    of_rows: slice → variance of one training's value that is of its rows, and is no noise of seeds.
    Twice the mean square of the leave-one-out residuals of a ridge, so misfit counts as noise. Where enough trainings
    hold a dataset that is compared, theirs if it is larger.
    """
    ended = [t for t in view.visible if _speaks(t, comparison.round)]
    every = [(t, v) for t in ended if (v := values(t))]
    if len(every) < 2 * LEAST:
        return {}
    missed, _ = leave_one_out(described([t.trial.plan for t, _ in every]), np.array([v[by] for _, v in every]))
    believed = np.array([v[by] for _, v in every]) - missed
    better = [every[i] for i in np.flatnonzero(believed >= np.median(believed))]
    features = described([t.trial.plan for t, _ in better])
    new = set(comparison.challenger.mixture.added) ^ set(comparison.incumbent.mixture.added)
    alike = np.array([bool(new & set(t.trial.plan.mixture.added)) for t, _ in better])
    found = {}
    for name in better[0][1]:
        if not all(name in v for _, v in better):
            continue
        squares, df = _squares(features, np.array([v[name] for _, v in better]))
        noise, known = float(squares.mean()), df
        if alike.sum() >= LEAST_ALIKE and float(squares[alike].mean()) > noise:
            noise, known = float(squares[alike].mean()), max(1.0, df * float(alike.mean()))
        found[name] = Searched(seed=2.0 * max(0.0, noise - of_rows.get(name, 0.0)), df=known)
    return found


def described(plans: Sequence[Plan]) -> Array:
    """Plans as numbers, shape (n, columns): presence and weight of every dataset, settings by rank, recipe.

    Ranks are the same whatever the scale of a setting; their squares let a best value lie inside.
    """
    columns: list[Array] = []
    for name in sorted({n for p in plans for n in p.mixture.added}):
        weights = np.array([p.mixture.weight(name) for p in plans])
        columns += [weights > 0, weights, np.array([p.stage(name) == "pretrain" for p in plans])]
    for key in sorted({k for p in plans for k, _ in p.hyperparameters}):
        columns += _setting([p.settings.get(key) for p in plans])
    columns += [np.array([p.recipe == one for p in plans]) for one in sorted({p.recipe for p in plans})]
    return np.column_stack([np.asarray(c, dtype=np.float64) for c in columns]) if columns else np.zeros((len(plans), 0))


def _setting(values: Sequence[Any]) -> list[Array]:
    """One setting: ranks and their squares for numbers; for anything else which of its values it is."""
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        _, rank = np.unique(np.array(values, dtype=np.float64), return_inverse=True)
        place = rank.ravel() / max(1, int(rank.max())) - 0.5
        return [place, place**2]
    names = [repr(v) for v in values]
    return [np.array([n == one for n in names]) for one in sorted(set(names))]


def _squares(features: Array, values: Array) -> tuple[Array, float]:
    missed, df = leave_one_out(features, values)
    return missed**2, df


def _speaks(one: TrialState, upto: int) -> bool:
    """Whether a training is one of the search's, at its full budget, that ended before the round's comparisons."""
    full = one.trial.fidelity == 1.0 and one.trial.phase == "search" and one.round <= upto
    return full and one.outcome is not None and one.outcome.status == "done"
