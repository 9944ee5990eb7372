"""Models of the objective put together: a weighted sum of surrogates, or an average of such sums."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from autodc.search.surrogates.posterior import Function, Surrogate, one_by_one

Array = np.ndarray[Any, Any]


@final
class Weighted:
    """A weighted sum of standardised surrogates, taken to be independent."""

    def __init__(self, parts: list[tuple[float, float, float, Surrogate]]) -> None:
        """parts: (share, centre, scale, surrogate of the standardised values)."""
        self._parts = parts

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Posterior mean and sd, each of shape (m,)."""
        found = [(share, centre, scale, *part.predict(features)) for share, centre, scale, part in self._parts]
        mean = sum(share * (centre + scale * m) for share, centre, scale, m, _ in found)
        return np.asarray(mean), np.sqrt(sum((share * scale * s) ** 2 for share, _, scale, _, s in found))

    def mean(self) -> Function:
        """The posterior mean as a function, features (m, F) → (m,)."""
        return self._sum([part.mean() for *_, part in self._parts])

    def sampled(self, rng: np.random.Generator) -> Function:
        """One draw as a function."""
        return self._sum([part.sampled(rng) for *_, part in self._parts])

    def draws(self, rng: np.random.Generator, features: Array, count: int) -> Array:
        """The values at these rows of so many draws, shape (count, m)."""
        drawings = [part.drawing(features) for *_, part in self._parts]
        for _ in range(count):
            for drawing in drawings:
                drawing.draw(rng)
        parts = zip(self._parts, drawings, strict=True)
        return np.asarray(sum(share * (centre + scale * d.values()) for (share, centre, scale, _), d in parts))

    def _sum(self, functions: list[Function]) -> Function:
        def value(features: Array) -> Array:
            parts = zip(self._parts, functions, strict=True)
            return np.asarray(sum(share * (centre + scale * f(features)) for (share, centre, scale, _), f in parts))

        return value

    def difference(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Mean and sd of objective(left) − objective(right), row by row."""
        found = [(share * scale, *part.difference(left, right)) for share, _, scale, part in self._parts]
        return np.asarray(sum(f * m for f, m, _ in found)), np.sqrt(sum((f * s) ** 2 for f, _, s in found))

    def left_out(self) -> Array:
        """Prediction of every training from all others, shape (n,)."""
        return np.asarray(sum(share * (centre + scale * part.left_out()) for share, centre, scale, part in self._parts))


@final
class Averaged:
    """Several posteriors of one objective, each as likely as the others; they saw the same trainings."""

    def __init__(self, models: list[Weighted]) -> None:
        self._models = models

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Mean and sd of the mixture of posteriors, each of shape (m,)."""
        return _mixed([model.predict(features) for model in self._models])

    def mean(self) -> Function:
        """The mean of the posterior means as a function."""
        means = [model.mean() for model in self._models]
        return lambda features: np.asarray(np.mean([mean(features) for mean in means], axis=0))

    def sampled(self, rng: np.random.Generator) -> Function:
        """One draw of one of them as a function."""
        return self._models[int(rng.integers(len(self._models)))].sampled(rng)

    def draws(self, rng: np.random.Generator, features: Array, count: int) -> Array:
        """The values at these rows of so many draws, shape (count, m)."""
        return one_by_one(self, rng, features, count)

    def difference(self, left: Array, right: Array) -> tuple[Array, Array]:
        """Mean and sd of objective(left) − objective(right), row by row."""
        return _mixed([model.difference(left, right) for model in self._models])

    def left_out(self) -> Array:
        """Prediction of every training from all others, shape (n,)."""
        return np.asarray(np.mean([model.left_out() for model in self._models], axis=0))


def _mixed(found: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Mean and sd of a mixture of as many equal parts."""
    means, sds = (np.array(part) for part in zip(*found, strict=True))
    return means.mean(0), np.sqrt((sds**2).mean(0) + means.var(0))
