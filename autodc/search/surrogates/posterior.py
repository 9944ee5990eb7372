"""What can be asked of a model of the objective, of a surrogate of one standardised target, and of who makes models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, Any]
Function = Callable[[Array], Array]


class Posterior(Protocol):
    """What one believes of a noiseless function of the features, after some trainings."""

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Posterior mean and sd, each of shape (m,)."""
        ...

    def mean(self) -> Function:
        """The posterior mean as a function, features (m, F) → (m,)."""
        ...

    def sampled(self, rng: np.random.Generator) -> Function:
        """One draw as a function."""
        ...

    def difference(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Mean and sd of f(left) − f(right), row by row."""
        ...

    def left_out(self) -> Array:
        """Prediction of every training from all others, shape (n,)."""
        ...


class Model(Posterior, Protocol):
    """A posterior over the objective, or a slice, in its own units."""

    def draws(self, rng: np.random.Generator, features: Array, count: int) -> Array:
        """The values at these rows of so many draws, shape (count, m)."""
        ...


class Surrogate(Posterior, Protocol):
    """A posterior over one standardised target, or over several that share a kernel."""

    def drawing(self, features: Array) -> Drawing:
        """Many draws at these rows."""
        ...

    def means(self, features: Array) -> Array:
        """Posterior means where it was given several targets, shape (m, targets)."""
        ...

    def told(self, target: Array) -> Surrogate:
        """The same posterior given another target."""
        ...


class Drawing(Protocol):
    """Many draws of a surrogate at the same rows: what is random one by one, what costs much together."""

    def draw(self, rng: np.random.Generator) -> None:
        """Take from `rng` what one draw takes."""
        ...

    def values(self) -> Array:
        """The values of all draws, shape (count, m)."""
        ...


def one_by_one(model: Posterior, rng: np.random.Generator, features: Array, count: int) -> Array:
    """Draw `count` times, shape (count, m)."""
    return np.array([model.sampled(rng)(features) for _ in range(count)])
