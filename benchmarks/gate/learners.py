"""Learners of the population worlds: ridge (no seed noise), ridge over bootstraps, and gradient steps.

Each returns what every feature says, shape (width,). All of them take `l2`, the penalty a row, so that more rows do not
change what a setting means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit

from autodc.plan.mixture import batches, epoch_rows

Array = np.ndarray[Any, Any]

BATCH, STEPS, RATE = 16, 150, 0.6
BAGS, BAG_ROWS = 3, 800


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """One dataset. x: (n, width); y: (n,), −1 or 1."""

    x: Array
    y: Array

    @cached_property
    def sums(self) -> tuple[Array, Array]:
        """The sums that a least-squares fit needs, of all its rows once."""
        return self.x.T @ self.x, self.x.T @ self.y

    def counted(self, counts: Array) -> tuple[Array, Array]:
        """The same where each row counts so often."""
        some = counts > 0
        weighed = self.x[some] * counts[some, None]
        return weighed.T @ self.x[some], weighed.T @ self.y[some]


Parts = Sequence[tuple[Part, float]]
"""Datasets and their weights."""


def ridge(parts: Parts, settings: Mapping[str, Any], rng: np.random.Generator) -> Array:
    """Least squares on −1 and 1: deterministic, unless a weight is no whole number and rows are drawn."""
    sums, rows = [], 0
    for part, weight in parts:
        size = len(part.y)
        rows += round(weight * size)
        if float(weight).is_integer():
            whole, seen = part.sums
            sums.append((weight * whole, weight * seen))
        else:
            sums.append(part.counted(np.bincount(epoch_rows(weight, size, rng), minlength=size).astype(float)))
    return _solved(sums, rows, float(settings["l2"]))


def bags(parts: Parts, settings: Mapping[str, Any], rng: np.random.Generator) -> Array:
    """The mean of a few ridge fits, each on so many rows drawn from the mixture: noisy."""
    found, size = [], sum(weight * len(part.y) for part, weight in parts)
    for _ in range(BAGS):
        rates = [BAG_ROWS * weight / size for _, weight in parts]
        counts = [rng.poisson(rate, len(part.y)).astype(float) for (part, _), rate in zip(parts, rates, strict=True)]
        sums = [part.counted(count) for (part, _), count in zip(parts, counts, strict=True)]
        found.append(_solved(sums, float(sum(count.sum() for count in counts)), float(settings["l2"])))
    return np.asarray(np.mean(found, axis=0))


def steps(parts: Parts, settings: Mapping[str, Any], rng: np.random.Generator) -> Array:
    """Logistic regression by a fixed number of gradient steps on drawn batches: noisier."""
    drawn = batches([len(part.y) for part, _ in parts], [weight for _, weight in parts], BATCH, STEPS, rng)
    x, y = np.concatenate([part.x for part, _ in parts]), np.concatenate([part.y for part, _ in parts])
    xs, hits, decay = x[drawn], (y[drawn] + 1.0) / 2.0, float(settings["l2"])
    found = np.zeros(x.shape[1])
    for number in range(STEPS):
        wrong = expit(xs[number] @ found) - hits[number]
        found -= RATE * (wrong @ xs[number] / BATCH + decay * found)
    return found


LEARNERS: Mapping[str, Callable[[Parts, Mapping[str, Any], np.random.Generator], Array]] = {
    "ridge": ridge,
    "bags": bags,
    "steps": steps,
}
"""ridge is deterministic, the others are not."""


def _solved(sums: Sequence[tuple[Array, Array]], rows: float, penalty: float) -> Array:
    whole, seen = (np.sum([one[k] for one in sums], axis=0) / max(rows, 1.0) for k in (0, 1))
    return np.asarray(np.linalg.solve(whole + (penalty + 1e-8) * np.eye(len(seen)), seen))
