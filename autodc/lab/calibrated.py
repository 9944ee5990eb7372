"""The user's own rows as slices whose truth is known, with the noise that their calibration runs have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from autodc.lab.slices import KnownSlice, SliceSet, slope
from autodc.stats.variance import crossed
from autodc.studyfile.study import Role

Array = np.ndarray[Any, Any]

MOST_TOGETHER = 0.999
"""Rows of one cluster are never taken for quite the same."""
LEAST_SLOPE = 0.02
"""Of hits against latent score: a slice that is nearly all hits has no room for seeds to move it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """Calibration runs of one slice."""

    name: str
    role: Role
    scores: Array
    """Oriented, shape (n_runs ≥ 2, n_rows)."""
    rows: Array
    """Which rows of the study these are, shape (n_rows,): the same number in two slices is the same row."""
    margin: float | None = None
    weight: float = 1.0
    clusters: Array | None = None
    assumed: tuple[float, float] | None = None
    """Seed and residual variance of a paired difference, taken for the noise where the runs have none."""


def calibrated_slice(runs: Runs) -> KnownSlice:
    """Make a slice of the user's own rows, with the noise that these runs have among themselves."""
    scores = np.asarray(runs.scores, dtype=np.float64)
    count = len(scores)
    moments = crossed(scores, runs.clusters)
    seed_variance, residual = moments.seed, crossed(scores).residual
    if runs.assumed is not None:
        seed_variance, residual = (noise / 2 for noise in runs.assumed)
    seed_sd = float(np.sqrt(max(0.0, seed_variance)))
    made = KnownSlice(
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
    return replace(made, base=base, seed_sd=seed_sd / max(slope(base), LEAST_SLOPE))


def calibrated(runs: Sequence[Runs]) -> SliceSet:
    """Make the slices of a study from its calibration runs: all slices, what their seeds and clusters share."""
    slices = tuple(calibrated_slice(r) for r in runs)
    return SliceSet(slices=slices, correlation=_correlation(runs), together=_together(runs, slices)).placed()


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


def _together(runs: Sequence[Runs], slices: Sequence[KnownSlice]) -> float:
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


def _expected(s: KnownSlice, member: Array, together: float) -> float:
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
    """What makes two rows of two slices one sample: their cluster, else their place among all rows."""
    return np.asarray(r.rows if r.clusters is None else r.clusters)


def _by_number(table: Array, numbers: Array) -> tuple[Array, Array]:
    """Sum the columns of one number. Returns the numbers, rising, and their columns."""
    known, member = np.unique(numbers, return_inverse=True)
    return known, np.stack([np.bincount(member.ravel(), weights=line, minlength=len(known)) for line in table])


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
