"""Slices whose truth is known: how a training scores their rows, and what a dataset changes of that.

A training is a draw: row i of slice k scores by b_ki + shift + u_sk + g_i + sd_ki·e_si, with u_s the seed of the
training (one number a slice, correlated over slices), g_i how unevenly a dataset changes rows, e_si the rest; a hit
where that is above 0, or the value itself. A row in two slices has the same g and e in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtr

from autodc.evaluation import objective
from autodc.evaluation.evidence import counting_rows
from autodc.studyfile.study import Role

Array = np.ndarray[Any, Any]

BEST_HITS = 0.9995
"""Hits end a little below all rows, where latent scores still are numbers."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownSlice:
    """One slice with known noise."""

    name: str
    role: Role
    base: Array
    """b_i, shape (n_rows,)."""
    seed_sd: float
    """Of u_s."""
    noise_sd: float | Array = 1.0
    """Of e_si: a number, or shape (n_rows,)."""
    hits: bool = True
    """Scores are 0 and 1, else values in metric units."""
    margin: float | None = None
    weight: float = 1.0
    rows: Array | None = None
    """Which of all rows these are, shape (n_rows,); None: rows of its own."""
    clusters: Array | None = None
    """Shape (n_rows,): rows of one number count as one."""

    def expected(self, among: Array | None = None) -> float:
        """The expected score over seeds, of all rows or of those at these positions."""
        base = self.base if among is None else self.base[among]
        return float(ndtr(base / np.sqrt(1 + self.seed_sd**2)).mean() if self.hits else base.mean())

    def room(self, goal: float, among: Array | None = None) -> float:
        """Return the change nearest to `goal` that there is room for: hits end at all rows and at none."""
        if not self.hits:
            return goal
        now = self.expected(among)
        return min(BEST_HITS, max(1 - BEST_HITS, now + goal)) - now

    def shift_for(self, change: float, uneven: float, seed_scale: float = 1.0, among: Array | None = None) -> float:
        """Return the shift that moves the expected score by `change`, whatever rows are hit by unevenness."""
        if not self.hits:
            return change
        base = self.base if among is None else self.base[among]
        spread = float(np.sqrt(1 + (seed_scale * self.seed_sd) ** 2 + uneven**2))
        goal = self.expected(among) + self.room(change, among)
        low, high, x = -30.0, 30.0, 0.0
        for _ in range(60):
            place = (base + x) / spread
            ahead = float(ndtr(place).mean()) - goal
            low, high = (low, x) if ahead > 0 else (x, high)
            slope = float(np.exp(-0.5 * place * place).mean()) / (spread * np.sqrt(2 * np.pi))
            nearer = x - ahead / slope if slope > 0 else np.inf
            following = nearer if low < nearer < high else 0.5 * (low + high)
            if abs(following - x) < 1e-9:
                return float(following)
            x = following
        return float(x)

    def scale(self) -> float:
        """The size of the rest, for unevenness in its units."""
        return float(np.sqrt(np.mean(np.square(self.noise_sd))))

    def score(self, seed: float, rest: Array) -> Array:
        """The scores of one training: `seed` in standard deviations, `rest` one standard normal a row."""
        latent = self.base + self.seed_sd * seed + self.noise_sd * rest
        return (latent > 0).astype(np.float64) if self.hits else latent

    def train(self, rng: np.random.Generator, seed_scale: float = 1.0) -> Array:
        """Draw the scores of one training of this slice alone, shape (n_rows,)."""
        return self.score(seed_scale * rng.standard_normal(), rng.standard_normal(len(self.base)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceSet:
    """Slices over common rows."""

    slices: tuple[KnownSlice, ...]
    correlation: Array | None = None
    """Of the seeds' effects on the slices, shape (n_slices, n_slices); None: independent."""
    together: float = 0.0
    """Correlation of rest and unevenness between two rows of one cluster."""

    def placed(self) -> SliceSet:
        """Give rows of their own to slices that do not say which rows they are."""
        free = max((int(s.rows.max()) + 1 for s in self.slices if s.rows is not None), default=0)
        found = []
        for s in self.slices:
            if s.rows is None:
                s = replace(s, rows=np.arange(free, free + len(s.base)))
                free += len(s.base)
            found.append(s)
        return replace(self, slices=tuple(found))

    def objective(self, min_rows: int) -> tuple[KnownSlice, ...]:
        """The targets whose weighted mean is the objective, as of SliceTable.objective."""
        return objective.counted(
            (s for s in self.slices if s.role == "target"),
            lambda s: counting_rows(len(s.base), s.clusters) >= min_rows,
        )


class Draws:
    """Draws what rows and seeds of a slice set share."""

    def __init__(self, known: SliceSet) -> None:
        slices = known.slices
        self._count = max(int(_rows(s).max()) + 1 for s in slices)
        self._root = None if known.correlation is None else _root(known.correlation)
        self._slices, self._together = len(slices), known.together
        self._member: Array | None = None
        if known.together > 0 and any(s.clusters is not None for s in slices):
            number = -1 - np.arange(self._count)
            for s in slices:
                if s.clusters is not None:
                    number[_rows(s)] = s.clusters
            self._member = np.unique(number, return_inverse=True)[1].ravel()

    def rows(self, rng: np.random.Generator) -> Array:
        """One standard normal a row, correlated within clusters."""
        own = rng.standard_normal(self._count)
        if self._member is None:
            return own
        common = rng.standard_normal(int(self._member.max()) + 1)[self._member]
        return np.asarray(np.sqrt(self._together) * common + np.sqrt(1 - self._together) * own)

    def many(self, rng: np.random.Generator, count: int, among: Array) -> Array:
        """The same `count` times, for these rows alone, shape (count, len(among))."""
        own = rng.standard_normal((count, len(among)))
        if self._member is None:
            return own
        _, member = np.unique(self._member[among], return_inverse=True)
        common = rng.standard_normal((count, int(member.max()) + 1))[:, member.ravel()]
        return np.asarray(np.sqrt(self._together) * common + np.sqrt(1 - self._together) * own)

    def seeds(self, rng: np.random.Generator, count: int | None = None) -> Array:
        """One standard normal a slice, correlated over slices; so `count` times, shape (count, n_slices)."""
        free = rng.standard_normal(self._slices if count is None else (count, self._slices))
        return free if self._root is None else np.asarray(free @ self._root.T)


def changed(
    slices: Sequence[KnownSlice],
    goals: Mapping[str, float],
    uneven: float,
    unevenness: Array,
    seed_scale: float = 1.0,
) -> tuple[tuple[KnownSlice, ...], dict[str, float]]:
    """Return the slices as a dataset leaves them, and the true change of each.

    goals: slice → change of its expected score, the most important first: a row that is in two slices moves with the
    first, and the second reaches its goal by its other rows; a slice without a goal moves with the rows it shares.
    uneven: sd of g_i in units of the rest; unevenness: one standard normal a row of the set; placed slices only.
    """
    by_name = {s.name: s for s in slices}
    region = np.full(max(int(_rows(s).max()) + 1 for s in slices), -1)
    change = np.zeros(len(goals))
    for number, (name, goal) in enumerate(goals.items()):
        s = by_name[name]
        mine = region[_rows(s)]
        free = np.flatnonzero(mine < 0)
        if len(free):
            done = float(change[mine[mine >= 0]].sum())
            change[number] = s.room((goal * len(mine) - done) / len(free), free)
            region[_rows(s)[free]] = number
    found, truth = [], {}
    for s in slices:
        mine, shift = region[_rows(s)], np.zeros(len(s.base))
        wide = uneven * s.scale()
        truth[s.name] = 0.0
        for number in np.unique(mine):
            goal = change[number] if number >= 0 else 0.0
            at = np.flatnonzero(mine == number)
            shift[at] = s.shift_for(goal, wide, seed_scale, None if len(at) == len(mine) else at)
            truth[s.name] += float(goal) * len(at) / len(mine)
        found.append(replace(s, base=s.base + shift + wide * unevenness[_rows(s)]))
    return tuple(found), truth


def slope(base: Array) -> float:
    """Hits gained a unit of latent score."""
    return float(np.exp(-0.5 * base**2).mean() / np.sqrt(2 * np.pi))


def _rows(s: KnownSlice) -> Array:
    assert s.rows is not None
    return s.rows


def _root(correlation: Array) -> Array:
    values, vectors = np.linalg.eigh(correlation)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
