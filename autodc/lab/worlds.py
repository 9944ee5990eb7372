"""Slices whose truth is known: synthetic ones, or the user's own rows with the noise of their own calibration runs.

A training is a draw: row i of slice k scores by b_ki + shift + u_sk + g_i + sd_ki·e_si, with u_s the seed of the
training (one number a slice, correlated over slices), g_i how unevenly a dataset changes rows, e_si the rest; a hit
where that is above 0, or the value itself. A row in two slices has the same g and e in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from autodc.stats.variance import crossed
from autodc.studyfile.study import Role

Array = np.ndarray[Any, Any]

BEST_HITS = 0.9995
"""Hits end a little below all rows, where latent scores still are numbers."""
MOST_TOGETHER = 0.999
"""Rows of one cluster are never taken for quite the same."""
LEAST_SLOPE = 0.02
"""Of hits against latent score: a slice that is nearly all hits has no room for seeds to move it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceWorld:
    """One slice with known noise.

    base: b_i, shape (n_rows,); seed_sd: of u_s; noise_sd: of e_si, number or shape (n_rows,); hits: scores are 0 and
    1, else values in metric units; rows: which rows of the world these are, shape (n_rows,), None: rows of its own;
    clusters: shape (n_rows,), rows of one number count as one.
    """

    name: str
    role: Role
    base: Array
    seed_sd: float
    noise_sd: float | Array = 1.0
    hits: bool = True
    margin: float | None = None
    weight: float = 1.0
    rows: Array | None = None
    clusters: Array | None = None

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
class Ground:
    """Slices over common rows.

    correlation: of the seeds' effects on the slices, shape (n_slices, n_slices), None: independent; together: the
    correlation of rest and unevenness between two rows of one cluster.
    """

    slices: tuple[SliceWorld, ...]
    correlation: Array | None = None
    together: float = 0.0

    def placed(self) -> Ground:
        """Give rows of their own to slices that do not say which rows they are."""
        free = max((int(s.rows.max()) + 1 for s in self.slices if s.rows is not None), default=0)
        found = []
        for s in self.slices:
            if s.rows is None:
                s = replace(s, rows=np.arange(free, free + len(s.base)))
                free += len(s.base)
            found.append(s)
        return replace(self, slices=tuple(found))


class Draws:
    """Draws what rows and seeds of a ground share."""

    def __init__(self, ground: Ground) -> None:
        slices = ground.slices
        self._count = max(int(_rows(s).max()) + 1 for s in slices)
        self._root = None if ground.correlation is None else _root(ground.correlation)
        self._slices, self._together = len(slices), ground.together
        self._member: Array | None = None
        if ground.together > 0 and any(s.clusters is not None for s in slices):
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

    def seeds(self, rng: np.random.Generator) -> Array:
        """One standard normal a slice, correlated over slices."""
        free = rng.standard_normal(self._slices)
        return free if self._root is None else np.asarray(self._root @ free)


def changed(
    slices: Sequence[SliceWorld],
    goals: Mapping[str, float],
    uneven: float,
    unevenness: Array,
    seed_scale: float = 1.0,
) -> tuple[tuple[SliceWorld, ...], dict[str, float]]:
    """Return the slices as a dataset leaves them, and the true change of each.

    goals: slice → change of its expected score, the most important first: a row that is in two slices moves with the
    first, and the second reaches its goal by its other rows; a slice without a goal moves with the rows it shares.
    uneven: sd of g_i in units of the rest; unevenness: one standard normal a row of the world; placed slices only.
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


def synthetic_slice(
    name: str,
    role: Role,
    rows: int,
    rng: np.random.Generator,
    *,
    accuracy: float = 0.8,
    churn: float = 0.10,
    seed_sd: float = 0.005,
    margin: float | None = None,
    weight: float = 1.0,
) -> SliceWorld:
    """Make a slice of hits and misses.

    accuracy: expected share of hits; churn: share of rows that differ between two trainings of one plan;
    seed_sd: standard deviation of the slice's accuracy over seeds beyond what its rows explain.
    """
    spread = _spread_for(accuracy, churn)
    base = float(ndtri(accuracy)) * np.sqrt(1 + spread**2) + spread * rng.standard_normal(rows)
    return SliceWorld(name=name, role=role, base=base, seed_sd=seed_sd / _slope(base), margin=margin, weight=weight)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """Calibration runs of one slice. scores: oriented, shape (n_runs ≥ 2, n_rows); rows: which rows of the study these
    are, shape (n_rows,): the same number in two slices is the same row; assumed: seed and residual variance of a
    paired difference, to be taken for the noise where the runs have none, else None."""

    name: str
    role: Role
    scores: Array
    rows: Array
    margin: float | None = None
    weight: float = 1.0
    clusters: Array | None = None
    assumed: tuple[float, float] | None = None


def calibrated_slice(runs: Runs) -> SliceWorld:
    """Make a slice of the user's own rows, with the noise that these runs have among themselves."""
    scores = np.asarray(runs.scores, dtype=np.float64)
    count = len(scores)
    moments = crossed(scores, runs.clusters)
    seed_variance, residual = moments.seed, crossed(scores).residual
    if runs.assumed is not None:
        seed_variance, residual = (noise / 2 for noise in runs.assumed)
    seed_sd = float(np.sqrt(max(0.0, seed_variance)))
    made = SliceWorld(
        name=runs.name,
        role=runs.role,
        base=scores.mean(axis=0),
        seed_sd=seed_sd,
        margin=runs.margin,
        weight=runs.weight,
        rows=runs.rows,
        clusters=runs.clusters,
    )
    if not np.isin(scores, (0.0, 1.0)).all():
        own = scores.var(axis=0, ddof=1) if runs.assumed is None else np.full(scores.shape[1], residual)
        noise = np.sqrt((own * (count - 1) + own.mean() * 2) / (count + 1))
        return replace(made, noise_sd=noise, hits=False)
    base = ndtri(_smoothed(scores, residual))
    return replace(made, base=base, seed_sd=seed_sd / max(_slope(base), LEAST_SLOPE))


def calibrated(runs: Sequence[Runs]) -> Ground:
    """Make the ground of a study from its calibration runs: all slices, what their seeds and clusters share."""
    slices = tuple(calibrated_slice(r) for r in runs)
    return Ground(slices=slices, correlation=_correlation(runs), together=_together(runs, slices)).placed()


def _correlation(runs: Sequence[Runs]) -> Array:
    """Of the seeds' effects: covariance of the slices' means over runs, less what shared rows alone explain."""
    means = np.stack([r.scores.mean(axis=1) for r in runs])
    count = means.shape[1]
    of_seeds = np.cov(means, ddof=1).reshape(len(runs), len(runs))
    rests = [_by_number(_rest(r.scores) / r.scores.shape[1], _numbers(r)) for r in runs]
    for k, (numbers, rest) in enumerate(rests):
        for j, (others, other) in enumerate(rests):
            _, mine, theirs = np.intersect1d(numbers, others, return_indices=True)
            of_seeds[k, j] -= float((rest[:, mine] * other[:, theirs]).sum()) / (count - 1)
    values, vectors = np.linalg.eigh(0.5 * (of_seeds + of_seeds.T))
    whole = (vectors * np.maximum(values, 0.0)) @ vectors.T
    moved = np.diag(whole) > 1e-9 * np.abs(values).max()
    size = np.sqrt(np.where(moved, np.diag(whole), 1.0))
    found = np.where(np.outer(moved, moved), whole / np.outer(size, size), 0.0)
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)


def _together(runs: Sequence[Runs], slices: Sequence[SliceWorld]) -> float:
    """Correlation of the rest between two rows of one cluster, over all slices; of hits, on the latent scale.

    The product of the rests of two rows of one cluster, summed over pairs of rows, is what was seen; the correlation
    is the one that makes that sum expected.
    """
    seen, members = 0.0, []
    for r, s in zip(runs, slices, strict=True):
        if r.clusters is not None:
            member = np.unique(r.clusters, return_inverse=True)[1].ravel()
            rest = _rest(r.scores)
            seen += sum(_products(line, member) for line in rest) / (len(rest) - 1)
            members.append((s, member))
    if not any(np.bincount(member).max() > 1 for _, member in members) or seen <= 0:
        return 0.0
    low, high = 0.0, MOST_TOGETHER
    for _ in range(20):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if sum(_expected(s, m, middle) for s, m in members) < seen else (low, middle)
    return 0.5 * (low + high)


def _products(values: Array, member: Array) -> float:
    """Sum of the products of all ordered pairs of different rows of one cluster."""
    return float((np.bincount(member, weights=values) ** 2).sum() - (values**2).sum())


def _expected(s: SliceWorld, member: Array, together: float) -> float:
    """What `_products` of the rest is expected to be in one training. Quadrature over what a cluster shares."""
    if not s.hits:
        return together * _products(np.broadcast_to(s.noise_sd, s.base.shape), member)
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    own = np.sqrt(1 - together)
    given = (_products(ndtr((s.base + np.sqrt(together) * c) / own), member) for c in nodes)
    both = sum(w * p for w, p in zip(weights / weights.sum(), given, strict=True))
    return float(both - _products(ndtr(s.base), member))


def _rest(scores: Array) -> Array:
    return np.asarray(scores - scores.mean(axis=0) - scores.mean(axis=1, keepdims=True) + scores.mean())


def _numbers(r: Runs) -> Array:
    """What makes two rows of two slices one sample: their cluster, else their place among the rows of the world."""
    return np.asarray(r.rows if r.clusters is None else r.clusters)


def _by_number(table: Array, numbers: Array) -> tuple[Array, Array]:
    """Sum the columns of one number. Returns the numbers, rising, and their columns."""
    known, member = np.unique(numbers, return_inverse=True)
    return known, np.stack([np.bincount(member.ravel(), weights=line, minlength=len(known)) for line in table])


def _rows(s: SliceWorld) -> Array:
    assert s.rows is not None
    return s.rows


def _root(correlation: Array) -> Array:
    values, vectors = np.linalg.eigh(correlation)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _slope(base: Array) -> float:
    """Hits gained a unit of latent score."""
    return float(np.exp(-0.5 * base**2).mean() / np.sqrt(2 * np.pi))


def _spread_for(accuracy: float, churn: float) -> float:
    """The sd of b_i with which two trainings differ on `churn` of the rows, by bisection on quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    weights = weights / weights.sum()

    def differ(spread: float) -> float:
        chance = ndtr(float(ndtri(accuracy)) * np.sqrt(1 + spread**2) + spread * nodes)
        return float(2 * (weights * chance * (1 - chance)).sum())

    low, high = 0.0, 50.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if differ(middle) > churn else (low, middle)
    return 0.5 * (low + high)


def _smoothed(runs: Array, residual: float) -> Array:
    """Chance of a hit per row, drawn towards the mean so that rows vary as much between trainings as was measured."""
    count = len(runs)
    share, mean = runs.mean(axis=0), runs.mean()
    floor = min(0.01, 0.5 / count)
    best: Array = share
    gap = np.inf
    for pull in np.linspace(0, 1, 41):
        chance = np.clip((1 - pull) * share + pull * mean, floor, 1 - floor)
        off = abs(float((chance * (1 - chance)).mean()) - residual)
        best, gap = (chance, off) if off < gap else (best, gap)
    return best
