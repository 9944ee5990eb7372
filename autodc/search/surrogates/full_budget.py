"""A surrogate of trainings of every fidelity, asked about full ones."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from autodc.search.surrogates.posterior import Drawing, Function, Surrogate

Array = np.ndarray[Any, Any]


@final
class AtFull:
    """A surrogate whose last feature is what a training lacks of the full budget, asked about full trainings."""

    def __init__(self, model: Surrogate) -> None:
        self._model = model

    def means(self, features: Array) -> Array:
        """Posterior means of several targets, shape (m, targets)."""
        return self._model.means(_at_full(features))

    def told(self, target: Array) -> AtFull:
        """The same posterior given another target."""
        return AtFull(self._model.told(target))

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Posterior mean and sd, each of shape (m,)."""
        return self._model.predict(_at_full(features))

    def mean(self) -> Function:
        """The posterior mean as a function, features (m, F) → (m,)."""
        mean = self._model.mean()
        return lambda features: mean(_at_full(features))

    def sampled(self, rng: np.random.Generator) -> Function:
        """One draw as a function."""
        drawn = self._model.sampled(rng)
        return lambda features: drawn(_at_full(features))

    def drawing(self, features: Array) -> Drawing:
        """Many draws at these rows."""
        return self._model.drawing(_at_full(features))

    def difference(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Mean and sd of f(left) − f(right), row by row."""
        return self._model.difference(_at_full(left), _at_full(right))

    def left_out(self) -> Array:
        """Prediction of every training, at its own fidelity, from all others, shape (n,)."""
        return self._model.left_out()


def _at_full(features: Array) -> Array:
    return np.column_stack([features, np.zeros(len(features))])
