"""What the search's own trainings say of noise: how far each lies from what all the others lead one to believe.

Calibration is of the start, and shows nothing of a deterministic learner that draws other rows with each seed, nor of
mixtures that are noisier than the start. The search trained many of these. A function of the view alone, and the same
for all looks of a comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.plan.plan import Plan
from autodc.search.surrogates.gaussian import GaussianProcess, Sample, tune
from autodc.search.threads import single_threaded
from autodc.stats.variance import Searched
from autodc.study.journal.records import ComparisonState, TrialState
from autodc.study.view import View

Array = np.ndarray[Any, Any]

LEAST = 24
"""Fewer trainings say nothing."""
MOST = 300
"""The last of so many are looked at."""
LEAST_ALIKE = 10
"""So many with a dataset that is compared speak for it by themselves."""

FEW = 16
"""More slices than this share the parameters of the objective's process."""

Values = Callable[[TrialState], Mapping[str, float]]
"""A training → oriented value of every slice, and of the objective; empty where it says nothing."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """How far the better half of the search's trainings lie from what is believed of them without themselves."""

    plans: tuple[Plan, ...] = ()
    squares: Mapping[str, Array] | None = None
    """Slice → squares, shape (plans,); None where the search is too short."""

    def of(self, comparison: ComparisonState, of_rows: Mapping[str, float]) -> dict[str, Searched]:
        """Return slice → seed variance of a difference.

        of_rows: slice → variance of one training's value that is of its rows, and is no noise of seeds.
        Twice the mean of the squares, so what the belief does not fit counts as noise. Where enough trainings hold a
        dataset that is compared, it is theirs if that is larger.
        """
        new = set(comparison.challenger.mixture.added) ^ set(comparison.incumbent.mixture.added)
        alike = np.array([bool(new.intersection(plan.mixture.added)) for plan in self.plans], dtype=bool)
        found = {}
        for name, squares in (self.squares or {}).items():
            speaking = squares
            if alike.sum() >= LEAST_ALIKE and squares[alike].mean() > squares.mean():
                speaking = squares[alike]
            noise = max(0.0, float(speaking.mean()) - of_rows.get(name, 0.0))
            found[name] = Searched(seed=2.0 * noise, df=len(speaking) / 2)
        return found


def trainings(view: View, upto: int) -> list[TrialState]:
    """The search's trainings at their full budget up to a round; they ended before its first comparison."""
    return [t for t in view.visible if _speaks(t, upto)]


@single_threaded
def missed(ended: Sequence[TrialState], values: Values, by: str) -> Missed:
    """Leave each training out of a Gaussian process of all of them, slice by slice.

    by: the value whose better half is looked at, for a challenger is of these, and what fails in a corner of the space
    tells nothing of it.
    """
    every = [(t.trial.plan, v) for t in ended if (v := values(t))][-MOST:]
    if len(every) < LEAST:
        return Missed()
    plans = [plan for plan, _ in every]
    table = {n: np.array([v[n] for _, v in every]) for n in every[0][1] if all(n in v for _, v in every)}
    features, data = described(plans)
    first = table if len(table) <= FEW else {by: table[by]}
    fitted = {name: _fitted(features, data, column) for name, column in first.items()}
    found = {name: _left_out(fitted.get(name, fitted[by]), column) for name, column in table.items()}
    believed = table[by] - found[by]
    better = np.flatnonzero(believed >= np.median(believed))
    return Missed(plans=tuple(plans[i] for i in better), squares={n: e[better] ** 2 for n, e in found.items()})


def described(plans: Sequence[Plan]) -> tuple[Array, Array]:
    """Plans as numbers, shape (n, columns), and which columns are of datasets, shape (columns,).

    Presence and weight of every dataset, its stage, the recipe, and settings by rank: the same whatever their scale.
    """
    of_data: list[Array] = []
    for name in sorted({n for p in plans for n in p.mixture.added}):
        weights = np.array([p.mixture.weight(name) for p in plans])
        of_data += [weights > 0, weights, np.array([p.stage(name) == "pretrain" for p in plans])]
    others: list[Array] = []
    for key in sorted({k for p in plans for k, _ in p.hyperparameters}):
        others += _setting([p.settings.get(key) for p in plans])
    others += [np.array([p.recipe == one for p in plans]) for one in sorted({p.recipe for p in plans})]
    columns = [np.asarray(c, dtype=np.float64) for c in (*of_data, *others)]
    table = np.column_stack(columns) if columns else np.zeros((len(plans), 0))
    moving = table.std(axis=0) > 0
    return table[:, moving], (np.arange(table.shape[1]) < len(of_data))[moving]


def _setting(values: Sequence[Any]) -> list[Array]:
    """One setting: ranks from 0 to 1 for numbers; for anything else which of its values it is."""
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        _, rank = np.unique(np.array(values, dtype=np.float64), return_inverse=True)
        return [rank.ravel() / max(1, int(rank.max()))]
    names = [repr(v) for v in values]
    return [np.array([n == one for n in names]) for one in sorted(set(names))]


def _fitted(features: Array, data: Array, values: Array) -> GaussianProcess | None:
    """The process of one value; None where nothing moves."""
    if not features.shape[1] or not values.std():
        return None
    alone, ones = np.arange(len(values)), np.ones(len(values))
    sample = Sample(features=features, target=_standard(values), noise=ones, seeds=alone, data=data)
    return GaussianProcess(sample, tune(sample))


def _left_out(process: GaussianProcess | None, values: Array) -> Array:
    """Each value less its prediction from all others, shape (n,)."""
    scale = float(values.std())
    if process is None or scale == 0.0:
        return np.asarray((values - values.mean()) * len(values) / (len(values) - 1))
    target = _standard(values)
    return np.asarray((target - process.told(target).left_out()) * scale)


def _standard(values: Array) -> Array:
    return np.asarray((values - values.mean()) / values.std())


def _speaks(one: TrialState, upto: int) -> bool:
    full = one.trial.fidelity == 1.0 and one.trial.phase == "search" and one.round <= upto
    return full and one.outcome is not None and one.outcome.status == "done"
