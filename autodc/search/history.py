"""What the search has seen, as arrays: rows of the cube, slices, and an objective that failures are part of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.search.surrogates.gaussian import Sample

Array = np.ndarray[Any, Any]

LOW_TAIL = 3.0
CRASH_NOISE = 5.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One finished training: its row, its seed, and slice → oriented metric; no values where it failed."""

    row: Array
    seed: int
    values: Mapping[str, float]
    fidelity: float = 1.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Finished trainings in order.

    rows: (n, D); raw: slice → (n,) as observed; slices: name → (n,), penalties in place of what is missing;
    objective: (n,), the same; failed: (n,); fidelity: (n,), share of a full training; seeds: (n,);
    shares: slice → share in the objective.
    """

    rows: Array
    raw: Mapping[str, Array]
    slices: Mapping[str, Array]
    objective: Array
    failed: Array
    fidelity: Array
    seeds: Array
    shares: Mapping[str, float]

    @classmethod
    def of(cls, records: Sequence[Record], width: int, targets: Mapping[str, float], others: Sequence[str]) -> History:
        """Collect records; `targets` are weights in the objective, `others` further slices."""
        total = sum(targets.values()) or 1.0
        shares = {n: w / total for n, w in targets.items()} | {n: 0.0 for n in others if n not in targets}
        raw = {n: np.array([r.values.get(n, np.nan) for r in records], dtype=float) for n in shares}
        return cls.told(
            rows=np.array([r.row for r in records], dtype=float).reshape(len(records), width),
            raw=raw,
            fidelity=np.array([max(r.fidelity, 1e-3) for r in records]),
            seeds=np.array([r.seed for r in records]),
            shares=shares,
        )

    @classmethod
    def told(
        cls, *, rows: Array, raw: Mapping[str, Array], fidelity: Array, seeds: Array, shares: Mapping[str, float]
    ) -> History:
        """Work out what the models are told. A training that failed, or misses a target, or has one that is not finite,
        is told as the worst value seen at its fidelity: samplers that forget failures propose the crash again. What
        misses only a guard is told as the worst in that guard alone."""
        failed = np.zeros(len(rows), dtype=bool)
        for name, values in raw.items():
            if shares[name] > 0:
                failed |= ~np.isfinite(values)
        missing = {name: failed | ~np.isfinite(values) for name, values in raw.items()}
        slices = {name: _tamed_by_level(values, missing[name], fidelity) for name, values in raw.items()}
        objective = sum((shares[n] * v for n, v in slices.items()), np.zeros(len(rows)))
        return cls(
            rows=rows,
            raw=raw,
            slices=slices,
            objective=objective,
            failed=failed,
            fidelity=fidelity,
            seeds=seeds,
            shares=shares,
        )

    @property
    def noise(self) -> Array:
        """Factor on the noise variance of every training, shape (n,)."""
        return np.asarray(1.0 / self.fidelity)

    @property
    def commonest(self) -> Array:
        """Which trainings have the fidelity that most have, shape (n,): ranks are compared among equals."""
        levels, counts = np.unique(self.fidelity, return_counts=True)
        return np.asarray(self.fidelity == levels[len(counts) - 1 - int(np.argmax(counts[::-1]))])

    def __len__(self) -> int:
        return len(self.rows)

    def head(self, count: int) -> History:
        """The first `count` trainings, told as they were told then."""
        if count == len(self):
            return self
        return History.told(
            rows=self.rows[:count],
            raw={n: v[:count] for n, v in self.raw.items()},
            fidelity=self.fidelity[:count],
            seeds=self.seeds[:count],
            shares=self.shares,
        )

    def digest(self, count: int) -> str:
        """Identity of the first `count` trainings as observed."""
        state = hashlib.blake2b(self.rows[:count].tobytes(), digest_size=16)
        for part in [*self.raw.values(), self.fidelity, self.seeds]:
            state.update(np.ascontiguousarray(part[:count]).tobytes())
        return state.hexdigest()

    def sample(self, features: Array, data: Array, target: Array, clusters: tuple[Array, ...] = ()) -> Sample:
        """The sample a surrogate of `target` is fitted to."""
        _, seeds = np.unique(self.seeds, return_inverse=True)
        noise = np.where(self.failed, CRASH_NOISE * self.noise, self.noise)
        return Sample(features=features, target=target, noise=noise, seeds=seeds, data=data, clusters=clusters)


def _tamed_by_level(values: Array, failed: Array, fidelity: Array) -> Array:
    """Tame the trainings of each fidelity among themselves: a cheap one is no wreck for being lower."""
    out = np.empty(len(values))
    for level in np.unique(fidelity):
        mine = fidelity == level
        out[mine] = _tamed(values[mine], failed[mine])
    return out


def _tamed(values: Array, failed: Array) -> Array:
    """Penalise failures by the worst value seen and pull in a low tail, so that one wreck does not set the scale."""
    good = values[~failed]
    if not len(good):
        return np.zeros(len(values))
    low, middle = np.quantile(good, [0.25, 0.5])
    floor = middle - LOW_TAIL * max(2 * (middle - low), 1e-12)
    clipped = np.maximum(good, floor) if len(good) >= 8 else good
    out = np.full(len(values), clipped.min())
    out[~failed] = clipped
    return out
