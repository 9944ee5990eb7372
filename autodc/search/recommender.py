"""The plan believed best: highest posterior mean, guards held, few datasets; and what every dataset is worth in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.search.coordinate_exchange import ascend
from autodc.search.history import History
from autodc.search.proposal import GUARD_WEIGHT
from autodc.search.space import OUT, Fixed, Space
from autodc.search.surrogates.modeller import Modeller
from autodc.search.surrogates.posterior import Function, Model

Array = np.ndarray[Any, Any]

PARENTS = 3
ROUNDS = 20
LEVELS = (0.25, 0.4, 0.55, 0.7, 0.85, 1.0)
PLAIN = 0.7
DOUBT = 0.15


UNUSUAL = 0.25
"""What is unusual is recommended where it is believed to gain this many times the doubt in its gain."""

FORBIDDEN = 1e4
"""What costs more than is allowed is worth so many times less than all that was seen differs by."""

EDGE, INSIDE = 0.03, 0.15
"""A number nearer than the one to an end of its range is asked about at the other."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A recommended row, its posterior, and column of every weight → effect (mean, sd) and the u it is at."""

    row: Array
    mean: float
    sd: float
    effects: Mapping[int, tuple[float, float]]
    levels: Mapping[int, float]
    tuned: Array


@final
class Recommender:
    """Maximises the posterior mean of one history."""

    def __init__(
        self,
        space: Space,
        modeller: Modeller,
        history: History,
        guards: Mapping[str, float],
        start: Array,
        seed: int,
        plain: bool = True,
        beyond: Function | None = None,
    ) -> None:
        """plain: what is unusual, and not believed to be worth it, is taken back.

        beyond: by how much more than is allowed rows are believed to cost; no such row is recommended where one is not.
        """
        self._plainer, self._beyond = plain, beyond
        self._forbidden = FORBIDDEN * (float(np.ptp(history.objective)) or 1.0)
        self._space, self._start, self._history, self._seed = space, start, history, seed
        self._model: Model = modeller.believed(history)
        self._mean = self._model.mean()
        self._together = modeller.guards(history)
        self._margins = np.array([guards[n] for n in self._together.names]) if self._together else np.zeros(0)
        alone = {} if self._together else {n: m for n, m in guards.items() if n in history.slices}
        self._guards = [(modeller.slice(name, history).mean(), margin) for name, margin in alone.items()]

    def choose(self, required: Array, excluded: Array) -> Choice:
        """Recommend. required, excluded: columns of weights that must be above 0, or are 0."""
        best = self._climb(lambda rows: self._held(rows, required, excluded), "best")
        best = self._plain(self._prune(best, required))
        others = np.setdiff1d(self._space.weights, required)
        tuned = self._climb(lambda rows: self._held(rows, required, others), "tuned")
        mean, sd = self._model.predict(self._space.features(best[None]))
        effects, levels = self._effects(best)
        return Choice(row=best, mean=float(mean[0]), sd=float(sd[0]), effects=effects, levels=levels, tuned=tuned)

    def settle(self, fixed: Fixed) -> Array:
        """The row with these columns fixed whose other columns, its settings, are believed best."""
        row = self._climb(lambda rows: self._space.hold(rows, fixed), "settle", self._space.moving(fixed))
        return self._plain(row, fixed)

    def _climb(self, held: Callable[[Array], Array], name: str, moving: Array | None = None) -> Array:
        """Climb from the best known rows; the same history gives the same row."""
        rng = seeds.generator(self._seed, "search", "recommend", name, len(self._history))
        starts = np.unique(np.vstack([self._history.rows, self._start[None]]), axis=0)
        rows, values = ascend(self._space, self.value, starts, held, rng, PARENTS, ROUNDS, moving)
        return np.asarray(rows[int(np.argmax(values))])

    def value(self, rows: Array) -> Array:
        """Posterior mean less what guards are violated by."""
        features, origin = self._space.features(rows), self._space.features(self._start[None])
        value = self._mean(features)
        for guard, margin in self._guards:
            value = value - GUARD_WEIGHT * np.maximum(0.0, guard(origin) - margin - guard(features))
        if self._together is not None:
            below = self._together.means(origin) - self._margins - self._together.means(features)
            value = value - GUARD_WEIGHT * np.maximum(0.0, below).sum(axis=1)
        if self._beyond is not None:
            excess = self._beyond(rows)
            value = value - self._forbidden * np.where(excess > 0, 1.0 + excess, 0.0)
        return np.asarray(value)

    def _prune(self, row: Array, required: Array) -> Array:
        """Leave out, one by one, what is worth less than doubt: every useless member costs the gate dearly."""
        while True:
            members = [int(c) for c in self._space.weights if row[c] > 0 and c not in required]
            if not members:
                return row
            means, sds = self._losses(row, members)
            least = int(np.argmin(means - DOUBT * sds))
            if means[least] > DOUBT * sds[least]:
                return row
            row = self._without(row, members[least])

    def _plain(self, row: Array, fixed: Fixed | None = None) -> Array:
        """Take back, one by one, what is unusual and not believed to be worth it: see `plainer`.

        A posterior mean that is flat, or bends on a hair, would otherwise end at the edge of its range by habit.
        """
        if not self._plainer:
            return row
        held = frozenset[int]() if fixed is None else frozenset(int(c) for c in fixed.columns)
        while True:
            other = np.array([r for c, r in plainer(self._space, row) if c not in held])
            if not len(other):
                return row
            if fixed is not None:
                other = self._space.hold(other, fixed)
            _, sds = self._gains(np.repeat(row[None], len(other), axis=0), other)
            gains = self.value(row[None]) - self.value(other) - UNUSUAL * sds
            least = int(np.argmin(gains))
            if gains[least] > 0:
                return row
            row = other[least]

    def _effects(self, row: Array) -> tuple[dict[int, tuple[float, float]], dict[int, float]]:
        """Gain of every dataset at its best level, with its sd, and that level.

        Where it is in: the loss of leaving it out.
        """
        inside = [int(c) for c in self._space.weights if row[c] > 0]
        outside = [int(c) for c in self._space.weights if row[c] <= 0]
        effects, levels = {}, {}
        means, sds = self._losses(row, inside)
        for column, mean, sd in zip(inside, means, sds, strict=True):
            effects[column], levels[column] = (float(mean), float(sd)), float(row[column])
        rows = np.repeat(row[None], len(outside) * len(LEVELS), axis=0)
        rows[np.arange(len(rows)), np.repeat(np.array(outside, dtype=int), len(LEVELS))] = np.tile(LEVELS, len(outside))
        means, sds = self._gains(rows, np.repeat(row[None], len(rows), axis=0))
        for i, column in enumerate(outside):
            best = i * len(LEVELS) + int(np.argmax(means[i * len(LEVELS) : (i + 1) * len(LEVELS)]))
            effects[column], levels[column] = (float(means[best]), float(sds[best])), LEVELS[best - i * len(LEVELS)]
        return effects, levels

    def _losses(self, row: Array, columns: list[int]) -> tuple[Array, Array]:
        """What leaving out each of these datasets alone costs, mean and sd."""
        left = np.repeat(row[None], len(columns), axis=0)
        left[np.arange(len(columns)), columns] = 0.0
        left = self._space.snap(left)
        return self._gains(np.repeat(row[None], len(columns), axis=0), left)

    def _gains(self, rows: Array, origin: Array) -> tuple[Array, Array]:
        if not len(rows):
            return np.zeros(0), np.zeros(0)
        return self._model.difference(self._space.features(rows), self._space.features(origin))

    def _without(self, row: Array, column: int) -> Array:
        left = row.copy()
        left[column] = 0.0
        return np.asarray(self._space.snap(left[None])[0])

    def _held(self, rows: Array, required: Array, excluded: Array) -> Array:
        rows = np.array(rows)
        rows[:, excluded] = 0.0
        rows[:, required] = np.where(rows[:, required] >= OUT, rows[:, required], PLAIN)
        return self._space.snap(rows)


def plainer(space: Space, row: Array) -> list[tuple[int, Array]]:
    """Of every weight that is in and not 1, and every number at the end of its range: the row with 1, or inside.

    Of a recipe that says what becomes of datasets: plain training in its place.
    """
    found = []
    for column, dimension in enumerate(space.dimensions):
        u = float(row[column])
        if dimension.kind == "weight" and u > 0 and dimension.high >= 1:
            other = dimension.unit(1.0)
        elif dimension.kind == "number" and min(u, 1 - u) < EDGE:
            other = INSIDE if u < EDGE else 1 - INSIDE
        elif any(one.column == column and one.code == u for one in space.idle):
            other = dimension.unit(dimension.rest)
        else:
            continue
        changed = row.copy()
        changed[column] = other
        changed = space.snap(changed[None])[0]
        if dimension.value(changed[column]) != dimension.value(u) and space.active(row[None])[0, column]:
            found.append((column, changed))
    return found
