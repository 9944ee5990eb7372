"""A mixture: dataset name → weight, the expected number of times each of its examples is drawn per epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.large import distinct_values
from autodc.program import epoch_rows as epoch_rows

BASE = "base"
MANY = 1 << 20
"""Of longer epochs no more is drawn than is needed."""
Rows = np.ndarray[Any, np.dtype[np.int64]]


@final
@dataclass(frozen=True, slots=True)
class Mixture:
    """Weights by dataset name, sorted; a dataset of weight 0 is not in it, the base always weighs 1."""

    weights: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, weights: Mapping[str, float]) -> Mixture:
        """Build from name → weight; zeros are left out, weights are rounded to 4 digits, the base is added."""
        kept, bad = [(BASE, 1.0)], dict[str, float]()
        for name, given in weights.items():  # of every trial that a journal tells: one pass
            weight = round(float(given), 4)
            if name == BASE:
                continue
            if not 0 <= weight < math.inf:  # NaN among them
                bad[name] = weight
            elif weight:
                kept.append((name, weight))
        if bad:
            raise ValueError(f"a weight is a number from 0 up, found {bad}")
        kept.sort()
        return cls(tuple(kept))

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return iter(self.weights)

    def __contains__(self, name: object) -> bool:
        return any(name == known for known, _ in self.weights)

    def weight(self, name: str) -> float:
        """The weight of a dataset, 0 where it is not in the mixture."""
        return dict(self.weights).get(name, 0.0)

    @property
    def added(self) -> tuple[str, ...]:
        """The datasets beside the base, sorted."""
        return tuple(name for name, _ in self.weights if name != BASE)

    def without(self, *names: str) -> Mixture:
        """The same mixture with these datasets left out."""
        return Mixture.of({name: weight for name, weight in self.weights if name not in names})

    def with_weight(self, name: str, weight: float) -> Mixture:
        """The same mixture with this dataset at this weight."""
        return Mixture.of({**dict(self.weights), name: weight})

    def to_dict(self) -> dict[str, float]:
        """Name → weight."""
        return dict(self.weights)


def batches(
    sizes: Sequence[int], weights: Sequence[float], batch_size: int, steps: int, rng: np.random.Generator
) -> np.ndarray[Any, Any]:
    """Return row positions in the concatenation of the datasets, shape (steps, batch_size), int64.

    Epochs follow one another without a seam: each holds the exact draws of every dataset (`epoch_rows`), shuffled
    together, so a fixed number of steps sets the training budget and the weights set only what it is spent on.
    Raises ValueError where one epoch would be empty.
    """
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64) if len(sizes) else np.zeros(0, np.int64)
    pairs = list(zip(sizes, weights, starts.tolist(), strict=True))
    epoch_size = sum(round(weight * size) for size, weight, _ in pairs)
    if epoch_size == 0:
        raise ValueError(f"an epoch has no rows: sizes {list(sizes)}, weights {list(weights)}")
    wanted = steps * batch_size
    if epoch_size > MANY and wanted < epoch_size // 4:
        return _drawn(pairs, epoch_size, wanted, rng).reshape(steps, batch_size)
    epochs = []
    for _ in range(-(-wanted // epoch_size)):
        rows = np.concatenate([start + epoch_rows(weight, size, rng) for size, weight, start in pairs])
        epochs.append(rng.permutation(rows))
    flat = np.concatenate(epochs)[:wanted] if epochs else np.zeros(0)
    return flat.astype(np.int64).reshape(steps, batch_size)


def _drawn(pairs: Sequence[tuple[int, float, int]], epoch_size: int, wanted: int, rng: np.random.Generator) -> Rows:
    """The first draws of an epoch of very many, in the same shares, without the others.

    Copies of a row and rows of a share are told apart by their place in the epoch; pairs: size, weight and start.
    """
    places, found, begin = _distinct(epoch_size, wanted, rng), np.empty(wanted, dtype=np.int64), 0
    for size, weight, start in pairs:
        count = round(weight * size)
        inside = np.flatnonzero((places >= begin) & (places < begin + count))
        within, begin = places[inside] - begin, begin + count
        rest = within >= (count // size if size else 0) * size
        within[rest] = _distinct(size, int(rest.sum()), rng)
        found[inside] = start + within % max(1, size)
    return found


def _distinct(of: int, count: int, rng: np.random.Generator) -> Rows:
    """So many of the numbers below `of`, each once at most, in any order."""
    if 2 * count > of:
        return rng.permutation(of)[:count]
    found = np.zeros(0, dtype=np.int64)
    while len(found) < count:
        found = distinct_values(np.concatenate([found, rng.integers(0, of, count - len(found))]))
    return rng.permutation(found)
