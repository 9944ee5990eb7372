"""What the search has seen, as arrays: rows of the cube, slices, and an objective that failures are part of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

import numpy as np

from autodc.search.surrogates.gaussian import Sample

Array = np.ndarray[Any, Any]

LOW_TAIL = 3.0
CRASH_NOISE = 5.0
LEAST_FIDELITY = 1e-3

ROOM = 64
"""Trainings there is room for before arrays grow."""

KEPT = 2
"""Histories of which the models are remembered."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One finished training: its row, its seed, and slice → oriented metric; no values where it failed."""

    row: Array
    seed: int
    values: Mapping[str, float]
    soft: Mapping[str, float] = field(default_factory=dict)
    fidelity: float = 1.0


@final
class History:
    """Finished trainings in order. Read only: what is derived from it is worked out when it is first asked for.

    rows: (n, D); raw: slice → (n,) as observed; soft: slice → (n,), its soft score, NaN where it is not known;
    slices: name → (n,), penalties in place of what is missing; objective: (n,), the same; failed: (n,);
    fidelity: (n,), share of a full training; seeds: (n,); shares: slice → share in the objective; memo: what models of
    it were worked out, by whoever asked.
    """

    def __init__(
        self,
        *,
        rows: Array,
        observed: Array,
        soft: Array,
        fidelity: Array,
        seeds: Array,
        shares: Mapping[str, float],
        digests: dict[tuple[int, bool], str] | None = None,
    ) -> None:
        """observed, soft: (slices, n) in the order of `shares`; digests: of longer histories that begin with this."""
        self.rows, self.fidelity, self.seeds, self.shares = rows, fidelity, seeds, shares
        self.raw: Mapping[str, Array] = dict(zip(shares, observed, strict=True))
        self.soft: Mapping[str, Array] = dict(zip(shares, soft, strict=True))
        self.memo: dict[Any, Any] = {}
        self._observed, self._soft = observed, soft
        self._digests = {} if digests is None else digests
        self._heads: dict[int, History] = {}

    @classmethod
    def told(
        cls,
        *,
        rows: Array,
        raw: Mapping[str, Array],
        fidelity: Array,
        seeds: Array,
        shares: Mapping[str, float],
        soft: Mapping[str, Array] | None = None,
    ) -> History:
        """What the models are told of trainings that gave `raw`, with soft scores where they are known."""
        observed = np.array([raw[n] for n in shares], dtype=float).reshape(len(shares), len(rows))
        other = np.full(observed.shape, np.nan) if soft is None else np.array([soft[n] for n in shares], dtype=float)
        return cls(
            rows=rows,
            observed=observed,
            soft=other.reshape(observed.shape),
            fidelity=fidelity,
            seeds=seeds,
            shares=shares,
        )

    @cached_property
    def hard(self) -> History:
        """The same trainings without their soft scores."""
        if not np.isfinite(self._soft).any():
            return self
        return History.told(rows=self.rows, raw=self.raw, fidelity=self.fidelity, seeds=self.seeds, shares=self.shares)

    @cached_property
    def failed(self) -> Array:
        """Whether a training failed, or misses a target, or has one that is not finite.

        It is told as the worst value seen at its fidelity: samplers that forget failures propose the crash again.
        What misses only a guard is told as the worst in that guard alone.
        """
        targets = np.array([share > 0 for share in self.shares.values()], dtype=bool)
        return np.asarray((~np.isfinite(self._observed[targets])).any(axis=0))

    @cached_property
    def slices(self) -> Mapping[str, Array]:
        """Slice → what the models are told of it."""
        return Told(self.raw, self.failed, self.fidelity)

    @cached_property
    def objective(self) -> Array:
        """What is searched for."""
        targets = [name for name, share in self.shares.items() if share > 0]
        told = self.table(targets)
        return np.asarray(sum((self.shares[n] * v for n, v in zip(targets, told, strict=True)), np.zeros(len(self))))

    def table(self, names: Sequence[str]) -> Array:
        """What the models are told of several slices, shape (names, n); of many it costs hardly more than of one."""
        known = {name: i for i, name in enumerate(self.shares)}
        values = self._observed[np.array([known[name] for name in names], dtype=int)]
        out = np.empty(values.shape)
        alike = (self.failed | ~np.isfinite(values) == self.failed).all(axis=1)
        for level in np.unique(self.fidelity):
            mine = self.fidelity == level
            out[np.ix_(alike, mine)] = _tamed(values[np.ix_(alike, mine)], self.failed[mine])
        for i in np.flatnonzero(~alike):
            out[i] = self.slices[names[int(i)]]
        return out

    @property
    def noise(self) -> Array:
        """Factor on the noise variance of every training, shape (n,)."""
        return np.asarray(1.0 / self.fidelity)

    @cached_property
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
        if count not in self._heads:
            self._heads[count] = History(
                rows=self.rows[:count],
                observed=self._observed[:, :count],
                soft=self._soft[:, :count],
                fidelity=self.fidelity[:count],
                seeds=self.seeds[:count],
                shares=self.shares,
                digests=self._digests,
            )
        return self._heads[count]

    def digest(self, count: int, soft: bool = False) -> str:
        """Identity of the first `count` trainings as observed; soft: with their soft scores."""
        if (count, soft) not in self._digests:
            state = hashlib.blake2b(np.ascontiguousarray(self.rows[:count]).tobytes(), digest_size=16)
            for part in [*self._observed, *(self._soft if soft else ()), self.fidelity, self.seeds]:
                state.update(np.ascontiguousarray(part[:count]).tobytes())
            self._digests[count, soft] = state.hexdigest()
        return self._digests[count, soft]

    def sample(self, features: Array, data: Array, target: Array, clusters: tuple[Array, ...] = ()) -> Sample:
        """The sample a surrogate of `target` is fitted to."""
        noise = np.where(self.failed, CRASH_NOISE * self.noise, self.noise)
        return Sample(features=features, target=target, noise=noise, seeds=self._seeds, data=data, clusters=clusters)

    @cached_property
    def _seeds(self) -> Array:
        return np.unique(self.seeds, return_inverse=True)[1]


@final
class Told(Mapping[str, Array]):
    """Slices of a history as the models are told them, each worked out when it is asked for."""

    def __init__(self, raw: Mapping[str, Array], failed: Array, fidelity: Array) -> None:
        self._raw, self._failed, self._fidelity = raw, failed, fidelity
        self._known: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        if name not in self._known:
            values = self._raw[name]
            missing = self._failed | ~np.isfinite(values)
            self._known[name] = _tamed_by_level(values, missing, self._fidelity)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, name: object) -> bool:
        return name in self._raw


@final
class Growing:
    """Records as arrays that grow by doubling: a history of them costs no more for being the thousandth."""

    def __init__(self, width: int, targets: Mapping[str, float], others: Sequence[str]) -> None:
        self._shares = shares_of(targets, others)
        self._count = 0
        self._rows = np.empty((ROOM, width))
        self._observed = np.empty((len(self._shares), ROOM))
        self._soft = np.empty((len(self._shares), ROOM))
        self._fidelity = np.empty(ROOM)
        self._seeds = np.empty(ROOM, dtype=np.int64)
        self._digests: dict[tuple[int, bool], str] = {}
        self._last: dict[int, History] = {}

    def __len__(self) -> int:
        return self._count

    def append(self, record: Record) -> None:
        """Take one training in."""
        i = self._count
        if i == len(self._fidelity):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
            self._observed = np.concatenate([self._observed, np.empty_like(self._observed)], axis=1)
            self._soft = np.concatenate([self._soft, np.empty_like(self._soft)], axis=1)
            self._fidelity = np.concatenate([self._fidelity, np.empty_like(self._fidelity)])
            self._seeds = np.concatenate([self._seeds, np.empty_like(self._seeds)])
        self._rows[i] = record.row
        self._observed[:, i] = [record.values.get(name, np.nan) for name in self._shares]
        self._soft[:, i] = [record.soft.get(name, np.nan) for name in self._shares]
        self._fidelity[i] = max(record.fidelity, LEAST_FIDELITY)
        self._seeds[i] = record.seed
        self._count += 1

    def first(self, count: int) -> History:
        """The history of the first `count`; the same one where it was asked for last."""
        if count not in self._last:
            while len(self._last) >= KEPT:
                del self._last[next(iter(self._last))]
            self._last[count] = self._with_room().head(count)
        return self._last[count]

    def _with_room(self) -> History:
        """The arrays as they are, those without content at the end of them too."""
        return History(
            rows=self._rows,
            observed=self._observed,
            soft=self._soft,
            fidelity=self._fidelity,
            seeds=self._seeds,
            shares=self._shares,
            digests=self._digests,
        )


def shares_of(targets: Mapping[str, float], others: Sequence[str]) -> dict[str, float]:
    """Slice → its share in the objective, 0 for those that are in none."""
    total = sum(targets.values()) or 1.0
    return {n: w / total for n, w in targets.items()} | {n: 0.0 for n in others if n not in targets}


def _tamed_by_level(values: Array, failed: Array, fidelity: Array) -> Array:
    """Tame the trainings of each fidelity among themselves: a cheap one is no wreck for being lower."""
    out = np.empty(len(values))
    for level in np.unique(fidelity):
        mine = fidelity == level
        out[mine] = _tamed(values[None, mine], failed[mine])[0]
    return out


def _tamed(values: Array, failed: Array) -> Array:
    """Penalise failures by the worst value seen and pull in a low tail, so that one wreck does not set the scale.

    values: shape (slices, n); failed: shape (n,).
    """
    good = values[:, ~failed]
    if not good.size:
        return np.zeros(values.shape)
    low, middle = np.quantile(good, [0.25, 0.5], axis=1)
    floor = middle - LOW_TAIL * np.maximum(2 * (middle - low), 1e-12)
    clipped = np.maximum(good, floor[:, None]) if good.shape[1] >= 8 else good
    out = np.repeat(clipped.min(axis=1)[:, None], values.shape[1], axis=1)
    out[:, ~failed] = clipped
    return out
