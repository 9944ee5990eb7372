"""Probes: a number known of every dataset before the first training, believed as far as this study bears it out.

The models are fitted to what is left of the objective after b·Σ_d u_d z_d, where z are the probes as standard scores,
and predict with it: a prior mean of every strength. b is the least-squares slope of the trainings so far, shrunk by
what a useless probe would show (the positive-part rule of James and Stein 1961) and never below 0, so that a useless
probe comes to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.search.encoding import weight_name
from autodc.search.engine import SearchProblem
from autodc.search.history import History
from autodc.search.space import Space
from autodc.search.surrogates.guards import Guards
from autodc.search.surrogates.ladder import fitted_to
from autodc.search.surrogates.link import is_known, linked
from autodc.search.surrogates.modeller import Modeller, SelectingModeller
from autodc.search.surrogates.posterior import Function, Model

Array = np.ndarray[Any, Any]

SHRINK = 2.0
"""A slope is shrunk by this many times the square that chance gives it."""


def modeller_of(space: Space, problem: SearchProblem) -> Modeller:
    """The modeller of a problem, with its clusters, and its probes where they tell datasets apart."""
    guards = tuple(problem.guards)
    inner = SelectingModeller(space.features, space.data_features, problem.targets, space.cluster_features, guards)
    tilt = slopes(space, {weight_name(name): value for name, value in problem.probes.items()})
    return inner if tilt is None else ProbedModeller(inner, space, tilt, problem.targets)


def slopes(space: Space, probes: Mapping[str, float]) -> Array | None:
    """Probes by weight's dimension as standard scores of every feature, shape (F,), 0 where there is none.

    None where they tell nothing apart.
    """
    known = np.array([probes[d.name] for d in space.dimensions if d.name in probes], dtype=float)
    if len(known) < 2 or float(np.ptp(known)) == 0.0:
        return None
    names = [
        space.dimensions[i].name if at else "" for (i, _, _), at in zip(space.features_of, space.strengths, strict=True)
    ]
    return np.array([(probes[n] - known.mean()) / known.std() if n in probes else 0.0 for n in names])


LEAST = 6
"""Trainings that did not fail, before a probe is believed at all."""

TINY = 1e-12


@final
class ProbedModeller:
    """A modeller of what the probes do not say."""

    def __init__(self, inner: SelectingModeller, space: Space, tilt: Array, targets: Mapping[str, float]) -> None:
        self._inner, self._space, self._tilt, self._targets = inner, space, tilt, frozenset(targets)

    def objective(self, history: History) -> Model:
        """The model of the objective."""
        slope = self.slope(history)
        return Tilted(self._inner.objective(self._rest(history, slope)), slope * self._tilt)

    def believed(self, history: History) -> Model:
        """The model that is recommended by."""
        slope = self.slope(history)
        return Tilted(self._inner.believed(self._rest(history, slope)), slope * self._tilt)

    def slice(self, name: str, history: History) -> Model:
        """The model of one slice; the probes speak of the targets alone."""
        slope = self.slope(history)
        model = self._inner.slice(name, self._rest(history, slope))
        return Tilted(model, slope * self._tilt) if name in self._targets else model

    def guards(self, history: History) -> Guards | None:
        """The many guards together; the probes speak of the targets among them alone."""
        slope = self.slope(history)
        found = self._inner.guards(self._rest(history, slope))
        if found is None:
            return None
        meant = np.array([name in self._targets for name in found.names], dtype=float)
        return found.tilted(np.outer(slope * self._tilt, meant))

    def slope(self, history: History) -> float:
        """How far the probes are believed: b, from the first trainings, as many as parameters are fitted to.

        The amount of data, Σ_d u_d, is held apart: it is no merit of the datasets that happen to be in.
        """
        count = fitted_to(len(history))
        key = (self, "slope", count)
        if key not in history.memo:
            history.memo[key] = self._slope(history.head(count))
        return float(history.memo[key])

    def _slope(self, head: History) -> float:
        good = ~head.failed
        if good.sum() < LEAST:
            return 0.0
        features = self._space.features(head.rows[good])
        amount = features[:, self._space.strengths].sum(1)
        others = np.column_stack([np.ones(len(features)), amount])
        x, y = (_left(v, others) for v in (features @ self._tilt, head.objective[good]))
        square = float(x @ x)
        found = float(x @ y) / square if square > TINY else 0.0
        if found <= 0.0:
            return 0.0
        chance = float(((y - found * x) ** 2).sum()) / (len(x) - 3) / square
        return found * max(0.0, 1.0 - SHRINK * chance / found**2)

    def _rest(self, history: History, slope: float) -> History:
        if (self, slope) not in history.memo:
            said = slope * (self._space.features(history.rows) @ self._tilt)
            known = {n: linked(history, n) - said if n in self._targets else v for n, v in history.soft.items()}
            history.memo[self, slope] = History.told(
                rows=history.rows,
                raw={n: v - said if n in self._targets else v for n, v in history.raw.items()},
                soft=known if is_known(history) else None,
                fidelity=history.fidelity,
                seeds=history.seeds,
                shares=history.shares,
            )
        rest: History = history.memo[self, slope]
        return rest


@final
@dataclass(frozen=True)
class Tilted:
    """A posterior plus a known linear function; tilt: shape (F,)."""

    model: Model
    tilt: Array

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Posterior mean and sd, each of shape (m,)."""
        mean, sd = self.model.predict(features)
        return mean + features @ self.tilt, sd

    def mean(self) -> Function:
        """The posterior mean as a function."""
        return self._tilted(self.model.mean())

    def sampled(self, rng: np.random.Generator) -> Function:
        """One draw as a function."""
        return self._tilted(self.model.sampled(rng))

    def draws(self, rng: np.random.Generator, features: Array, count: int) -> Array:
        """Draws at these rows, shape (count, m)."""
        return np.asarray(self.model.draws(rng, features, count) + features @ self.tilt)

    def _tilted(self, function: Function) -> Function:
        return lambda features: np.asarray(function(features) + features @ self.tilt)

    def difference(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Mean and sd of objective(left) − objective(right), row by row."""
        gap, sd = self.model.difference(left, right)
        return gap + (left - right) @ self.tilt, sd

    def left_out(self) -> Array:
        """Prediction of every training from all others, without what the probes say of it, shape (n,)."""
        return self.model.left_out()


def _left(values: Array, others: Array) -> Array:
    """What a least-squares fit by the columns of `others` leaves of values."""
    return np.asarray(values - others @ np.linalg.lstsq(others, values, rcond=None)[0])
