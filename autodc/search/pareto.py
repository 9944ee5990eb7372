"""Several objectives at once: every trial searches for one random weighting of them; what none beats is the front.

A trial's weights are a function of (seed, number). Each objective has a surrogate of its own; the augmented Chebyshev
value of their means, and of one draw of each, is what a proposal maximises. Sources: ParEGO (Knowles 2006) for the
scalarisation, Paria, Kandasamy and Póczos 2019 for random scalarisations of Thompson draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.plan.plan import Plan
from autodc.search.engine import FrontPoint, Observation, SearchProblem
from autodc.search.history import History
from autodc.search.space import Space
from autodc.search.surrogates.guards import Guards
from autodc.search.surrogates.modeller import Modeller, SelectingModeller
from autodc.search.surrogates.posterior import Function, Model, one_by_one
from autodc.search.threads import single_threaded

Array = np.ndarray[Any, Any]

SPREAD = 0.3
"""Concentration of the weights: below 1 the ends of the front are searched as well as its middle."""

AUGMENT = 0.05
"""Share of the weighted sum in the augmented Chebyshev value (ParEGO)."""

LEAST_RANGE = 0.2
"""An objective's scale is its range on the front, but at least this share of its range over all trainings."""


def undominated(values: Array) -> Array:
    """Which rows of values (n, m), up is better, no other row beats: as good in all and better in one. Shape (n,)."""
    other, own = values[None, :, :], values[:, None, :]
    beaten = np.all(other >= own, axis=2) & np.any(other > own, axis=2)
    return np.asarray(~beaten.any(axis=1))


def weights(seed: int, number: int, count: int) -> Array:
    """The weights of trial `number`, random with sum 1, more often near one objective alone, shape (count,)."""
    return np.asarray(seeds.generator(seed, "search", "weights", number).dirichlet(np.full(count, SPREAD)))


@final
class Tradeoffs:
    """The surrogates of what is searched for beside the objective; what they keep is for speed."""

    def __init__(self, space: Space, problem: SearchProblem) -> None:
        self._space, self._limits = space, problem.limits
        self._modellers = self._made(problem.tradeoffs)
        self._limited = self._made(problem.limits)

    def _made(self, names: Iterable[str]) -> dict[str, SelectingModeller]:
        return {n: SelectingModeller(self._space.features, self._space.data_features, {n: 1.0}) for n in names}

    @single_threaded
    def weighed(
        self, modeller: Modeller, history: History, observed: Sequence[Observation], seed: int, number: int
    ) -> WeighedModeller:
        """A modeller whose objective is that of trial `number`."""
        models = self._models(history, observed)
        values = np.column_stack([history.objective, *(h.objective for _, h in models)])
        return WeighedModeller(modeller, [m for m, _ in models], values, weights(seed, number, values.shape[1]))

    @single_threaded
    def front(self, modeller: Modeller, history: History, observed: Sequence[Observation]) -> tuple[FrontPoint, ...]:
        """The plans trained in full that none is believed to beat, by posterior mean."""
        good = [i for i, o in enumerate(observed) if o.number >= 0 and o.fidelity >= 1 and not history.failed[i]]
        if not self._modellers or not good:
            return ()
        trainings: dict[Plan, list[int]] = {}
        for i in good:
            trainings.setdefault(observed[i].plan, []).append(i)
        rows = np.array([same[0] for same in trainings.values()])
        raw = sum((history.shares[n] * v for n, v in history.raw.items()), np.zeros(len(history)))
        features = self._space.features(history.rows[rows])
        mean, sd = modeller.objective(history).predict(features)
        beside = [m.predict(features)[0] for m, _ in self._models(history, observed)]
        chosen = np.flatnonzero(undominated(np.column_stack([mean, *beside])))
        points = []
        for j in sorted(chosen, key=lambda j: -mean[j]):
            plan = observed[rows[j]].plan
            same = trainings[plan]
            seen = {
                n: float(np.mean(found))
                for n in self._modellers
                if (found := [observed[i].tradeoffs[n] for i in same if n in observed[i].tradeoffs])
            }
            points.append(
                FrontPoint(
                    plan=plan,
                    mean=float(mean[j]),
                    sd=float(sd[j]),
                    tradeoffs={n: float(b[j]) for n, b in zip(self._modellers, beside, strict=True)},
                    seen=float(np.mean(raw[same])),
                    seen_tradeoffs=seen,
                    trials=tuple(observed[i].number for i in same),
                )
            )
        return tuple(points)

    @single_threaded
    def beyond(self, history: History, observed: Sequence[Observation], start: Array) -> Function | None:
        """Rows → by how much more than is allowed they are believed to cost, in logarithms; None: nothing is limited.

        start: the row that limits are measured from. What no training measured holds nothing.
        """
        known = {n: m for n, m in self._limited.items() if any(n in one.tradeoffs for one in observed)}
        if not known:
            return None
        origin = self._space.features(start[None])
        means = [model.mean() for model, _ in self._models(history, observed, known)]
        least = [float(mean(origin)[0]) - np.log(self._limits[n]) for n, mean in zip(known, means, strict=True)]

        def excess(rows: Array) -> Array:
            features = self._space.features(rows)
            over = [np.maximum(0.0, end - mean(features)) for end, mean in zip(least, means, strict=True)]
            return np.asarray(np.sum(over, axis=0))

        return excess

    def _models(
        self,
        history: History,
        observed: Sequence[Observation],
        modellers: Mapping[str, SelectingModeller] | None = None,
    ) -> list[tuple[Model, History]]:
        found = []
        for name, modeller in (self._modellers if modellers is None else modellers).items():
            if ("beside", name) not in history.memo:
                history.memo["beside", name] = History.told(
                    rows=history.rows,
                    raw={name: np.array([o.tradeoffs.get(name, np.nan) for o in observed], dtype=float)},
                    fidelity=np.ones(len(history)),
                    seeds=history.seeds,
                    shares={name: 1.0},
                )
            told = history.memo["beside", name]
            found.append((modeller.objective(told), told))
        return found


@final
class WeighedModeller:
    """Makes models of the augmented Chebyshev value of several objectives, in the units of the first."""

    def __init__(self, modeller: Modeller, others: Sequence[Model], values: Array, shares: Array) -> None:
        """values: (n, m), all objectives as told, up is better; shares: (m,), the weights."""
        self._modeller, self._others, self._shares = modeller, others, shares
        front = values[undominated(values)]
        scale = np.maximum(np.ptp(front, axis=0), LEAST_RANGE * np.ptp(values, axis=0))
        self._best, self._scale = front.max(0), np.where(scale > 0, scale, 1.0)

    def objective(self, history: History) -> Weighed:
        """The weighed objective."""
        models = [self._modeller.objective(history), *self._others]
        return Weighed(models, self._best, self._scale, self._shares)

    def believed(self, history: History) -> Weighed:
        """The weighed objective."""
        return self.objective(history)

    def slice(self, name: str, history: History) -> Model:
        """The model of one slice."""
        return self._modeller.slice(name, history)

    def guards(self, history: History) -> Guards | None:
        """The many guards together."""
        return self._modeller.guards(history)


@final
class Weighed:
    """A posterior over the augmented Chebyshev value."""

    def __init__(self, models: Sequence[Model], best: Array, scale: Array, shares: Array) -> None:
        self._models, self._best, self._scale, self._shares = models, best, scale, shares

    def predict(self, features: Array) -> tuple[Array, Array]:
        """The value of the posterior means, and the first objective's sd, each of shape (m,)."""
        found = [model.predict(features) for model in self._models]
        return self._value(np.column_stack([mean for mean, _ in found])), found[0][1]

    def mean(self) -> Function:
        """The value of the posterior means, as a function."""
        return self._joined([model.mean() for model in self._models])

    def sampled(self, rng: np.random.Generator) -> Function:
        """The value of one joint draw of every objective, as a function."""
        return self._joined([model.sampled(rng) for model in self._models])

    def _joined(self, functions: Sequence[Function]) -> Function:
        return lambda features: self._value(np.column_stack([f(features) for f in functions]))

    def draws(self, rng: np.random.Generator, features: Array, count: int) -> Array:
        """Draws at these rows, shape (count, m)."""
        return one_by_one(self, rng, features, count)

    def difference(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Difference of the values of the posterior means, and the first objective's sd of it, row by row."""
        gap = self.predict(left)[0] - self.predict(right)[0]
        return gap, self._models[0].difference(left, right)[1]

    def left_out(self) -> Array:
        """The value of the predictions of every training from all others, shape (n,)."""
        return self._value(np.column_stack([model.left_out() for model in self._models]))

    def _value(self, values: Array) -> Array:
        """Least weighted distance to the best of each, augmented; in units of the first objective. Shape (n,)."""
        parts = self._shares * (values - self._best) / self._scale
        return np.asarray((parts.min(1) + AUGMENT * parts.sum(1)) * self._scale[0])
