"""RegMix style: mixtures from Dirichlet draws, LightGBM on the objective, the best of many simulated mixtures.

Source: Liu et al., RegMix: Data Mixture as Regression for Language Model Pre-training, 2024, arXiv 2407.01492, and its
code: strengths from 0.1 to 5, LightGBM at learning rate 0.01, the mean of the 100 best of the simulated. Proportions of
the added data become weights (p · K, within the cap), so that the amount of data is that of everything at weight 1; the
hyperparameters are drawn with them and are columns of the regression, since RegMix itself tunes none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import lightgbm
import numpy as np

from autodc import seeds
from autodc.search import Observation, Plan, SearchProblem
from autodc.search.encoding import PlanEncoding

Array = np.ndarray[Any, Any]
Train = Callable[[Plan, str], Observation]

WEAKEST, STRONGEST = 0.1, 5.0
SIMULATED, BEST = 10_000, 100
TREES = 1000
LEAST_ROWS = 8


class RegMix:
    """A design that looks at nothing, and a regression at the end."""

    def __init__(self, problem: SearchProblem, seed: int) -> None:
        self._problem, self._seed = problem, seed
        self._encoding = PlanEncoding(problem)

    def run(self, train: Train) -> None:
        """Train the design."""
        number = 0
        while True:
            rows = self._draw(1, seeds.generator(self._seed, "design", number))
            train(self._encoding.plan(rows[0]), f"design-{number}")
            number += 1

    def pick(self, seen: Sequence[Observation]) -> Plan:
        """The mean of the best simulated mixtures, at the hyperparameters of the best."""
        good = [o for o in seen if o.values]
        if len(good) < LEAST_ROWS:
            return self._problem.start
        rows = np.array([self._encoding.row(o.plan) for o in good])
        target = np.array([sum(w * o.values[n] for n, w in self._problem.targets.items()) for o in good])
        model = lightgbm.LGBMRegressor(
            n_estimators=TREES, learning_rate=0.01, min_child_samples=5, num_threads=1, verbosity=-1
        )
        model.fit(self._columns(rows), target)
        drawn = self._draw(SIMULATED, seeds.generator(self._seed, "simulate"))
        order = np.argsort(-model.predict(self._columns(drawn)), kind="stable")[:BEST]
        row = drawn[order[0]].copy()
        weights = self._encoding.space.weights
        row[weights] = np.sqrt((drawn[order][:, weights] ** 2).mean(0))
        return self._encoding.plan(self._encoding.space.snap(row[None])[0])

    def _draw(self, count: int, rng: np.random.Generator) -> Array:
        """Rows of the cube: Dirichlet proportions of one strength each, the rest uniform."""
        space, size = self._encoding.space, len(self._problem.datasets)
        rows = space.random(rng, count)
        strength = np.exp(rng.uniform(np.log(WEAKEST), np.log(STRONGEST), (count, 1)))
        drawn = np.maximum(rng.standard_gamma(np.broadcast_to(strength, (count, size))), 1e-12)
        weights = size * drawn / drawn.sum(1, keepdims=True)
        rows[:, space.weights] = np.sqrt(np.minimum(weights, self._problem.max_weight) / self._problem.max_weight)
        return space.snap(rows)

    def _columns(self, rows: Array) -> Array:
        """What the regression sees: weights as they are, not their roots."""
        columns = rows.copy()
        weights = self._encoding.space.weights
        columns[:, weights] = self._problem.max_weight * columns[:, weights] ** 2
        return columns
