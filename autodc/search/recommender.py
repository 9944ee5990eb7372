"""The plan believed best: highest posterior mean, guards held, few datasets; and what every dataset is worth in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.search.history import History
from autodc.search.proposal import GUARD_WEIGHT, PARENTS, mutate
from autodc.search.space import OUT, Space
from autodc.search.surrogates.models import Model, Modeller

Array = np.ndarray[Any, Any]

GENERATIONS = 12
CHILDREN = 300
LEVELS = (0.25, 0.4, 0.55, 0.7, 0.85, 1.0)
PLAIN = 0.7
DOUBT = 0.5


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
        self, space: Space, modeller: Modeller, history: History, guards: Mapping[str, float], start: Array, seed: int
    ) -> None:
        self._space, self._start, self._history, self._seed = space, start, history, seed
        self._model: Model = modeller.objective(history)
        self._guards = [
            (modeller.slice(name, history), margin) for name, margin in guards.items() if name in history.slices
        ]

    def choose(self, required: Array, excluded: Array) -> Choice:
        """Recommend. required, excluded: columns of weights that must be above 0, or are 0."""
        best = self._climb(required, excluded, "best")
        best = self._prune(best, required)
        others = np.setdiff1d(self._space.weights, required)
        tuned = self._climb(required, others, "tuned")
        mean, sd = self._model.predict(self._space.features(best[None]))
        effects, levels = {}, {}
        for column in self._space.weights:
            effects[int(column)], levels[int(column)] = self._effect(best, int(column))
        return Choice(row=best, mean=float(mean[0]), sd=float(sd[0]), effects=effects, levels=levels, tuned=tuned)

    def _climb(self, required: Array, excluded: Array, name: str) -> Array:
        """Evolve from the best known rows; the same history gives the same row."""
        rng = seeds.generator(self._seed, "search", "recommend", name, len(self._history))
        rows = self._held(np.vstack([self._history.rows, self._start[None]]), required, excluded)
        for _ in range(GENERATIONS):
            value = self.value(rows)
            rows = rows[np.argsort(-value, kind="stable")[:PARENTS]]
            children = mutate(self._space, rows[rng.integers(len(rows), size=CHILDREN)], rng)
            rows = np.unique(np.vstack([rows, self._held(children, required, excluded)]), axis=0)
        return np.asarray(rows[int(np.argmax(self.value(rows)))])

    def value(self, rows: Array) -> Array:
        """Posterior mean less what guards are violated by."""
        features = self._space.features(rows)
        value = self._model.predict(features)[0]
        origin = np.repeat(self._space.features(self._start[None]), len(rows), axis=0)
        for model, margin in self._guards:
            gap, _ = model.difference(features, origin)
            value = value - GUARD_WEIGHT * np.maximum(0.0, -margin - gap)
        return np.asarray(value)

    def _prune(self, row: Array, required: Array) -> Array:
        """Leave out, one by one, what is worth less than doubt: every useless member costs the gate dearly."""
        while True:
            members = [int(c) for c in self._space.weights if row[c] > 0 and c not in required]
            if not members:
                return row
            losses = {c: self._loss(row, c) for c in members}
            column = min(members, key=lambda c: losses[c][0] - DOUBT * losses[c][1])
            mean, sd = losses[column]
            if mean > DOUBT * sd:
                return row
            row = self._without(row, column)

    def _effect(self, row: Array, column: int) -> tuple[tuple[float, float], float]:
        """Gain of a dataset at its best level, with its sd; where it is in, the loss of leaving it out."""
        if row[column] > 0:
            return self._loss(row, column), float(row[column])
        rows = np.repeat(row[None], len(LEVELS), axis=0)
        rows[:, column] = LEVELS
        origin = np.repeat(row[None], len(LEVELS), axis=0)
        mean, sd = self._model.difference(self._space.features(rows), self._space.features(origin))
        best = int(np.argmax(mean))
        return (float(mean[best]), float(sd[best])), LEVELS[best]

    def _loss(self, row: Array, column: int) -> tuple[float, float]:
        left = self._without(row, column)
        mean, sd = self._model.difference(self._space.features(row[None]), self._space.features(left[None]))
        return float(mean[0]), float(sd[0])

    def _without(self, row: Array, column: int) -> Array:
        left = row.copy()
        left[column] = 0.0
        return np.asarray(self._space.snap(left[None])[0])

    def _held(self, rows: Array, required: Array, excluded: Array) -> Array:
        rows = np.array(rows)
        rows[:, excluded] = 0.0
        rows[:, required] = np.where(rows[:, required] >= OUT, rows[:, required], PLAIN)
        return self._space.snap(rows)
