"""Rows of two datasets that are alike: the same input, or near in one embedding; and what each calls them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from autodc.diagnose.check import coordinates
from autodc.large import distinct_values, evenly

Array = np.ndarray[Any, Any]

LEAST_ALIKE = 20
"""Alike rows of two datasets below which nothing is said of them."""
AS_NEAR = 0.75
"""Quantile of the distances between neighbours of one dataset up to which a row of another is alike."""
SAMPLED, KNOWN = 2000, 10_000
"""Rows of a dataset that are asked for their neighbours, and rows that can be one, evenly."""
NEIGHBOURS = 50
"""Nearest rows among which one of another group is looked for."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """Rows of one dataset and the classes they were given."""

    name: str
    target: Array
    """Shape (n,)."""
    embedding: Array | None = None
    """Shape (n, d), of one embedding for all datasets, its columns to one scale: distances are Euclidean."""
    same: Array | None = None
    """Shape (n,): equal values are the same input, such as a hash of it."""
    groups: Array | None = None
    """Shape (n,): rows of one value count as one observation, and none is another's neighbour."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alike:
    """Alike rows of two datasets: what each calls them, and what the neighbour of theirs is called (None: no a2)."""

    ours: Array
    theirs: Array
    beside: Array | None
    units: Array
    """Rows of one number are one observation."""

    def mapped(self, ours: Mapping[Any, Any], theirs: Mapping[Any, Any]) -> Alike:
        """The same with other names."""
        beside = None if self.beside is None else _mapped(self.beside, theirs)
        return replace(self, ours=_mapped(self.ours, ours), theirs=_mapped(self.theirs, theirs), beside=beside)


def agreeing(embedding: Array, target: Array, groups: Array | None = None) -> int:
    """Of a sample of rows, how many have the label of the nearest other one that is of another group."""
    from sklearn.neighbors import NearestNeighbors

    some = evenly(np.arange(len(target)), SAMPLED)
    if len(some) < 2:
        return 0
    points, labels = np.asarray(embedding)[some], target[some]
    units = some if groups is None else np.asarray(groups)[some]
    k = min(len(some) - 1, NEIGHBOURS, int(np.unique(units, return_counts=True)[1].max()))
    distance, near = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(points).kneighbors(points)
    _, first = _first_elsewhere(distance, near, units, units)
    there = first >= 0
    return int((labels[first[there]] == labels[there]).sum())


def alike_rows(ours: Labelled, theirs: Labelled) -> list[Alike]:
    """The alike rows of two datasets, where they are enough: by embedding, else copies."""
    if ours.embedding is not None and theirs.embedding is not None:
        found = _near(ours, theirs)
    elif ours.same is not None and theirs.same is not None:
        found = _copies(ours, theirs)
    else:
        return []
    return [found] if len(distinct_values(found.units)) >= LEAST_ALIKE else []


def _near(ours: Labelled, theirs: Labelled) -> Alike:
    from sklearn.neighbors import NearestNeighbors

    own = coordinates(np.asarray(ours.embedding), len(ours.target), ours.name)
    known = evenly(np.arange(len(theirs.target)), KNOWN)
    other = coordinates(np.asarray(theirs.embedding), len(theirs.target), theirs.name)[known]
    labels = theirs.target[known]
    if len(other) < 3 or not len(own):
        return Alike(ours=ours.target[:0], theirs=ours.target[:0], beside=None, units=np.zeros(0, int))
    groups = np.unique(known if theirs.groups is None else np.asarray(theirs.groups)[known], return_inverse=True)[1]
    k = min(len(other) - 1, NEIGHBOURS, 1 + int(np.bincount(groups).max(initial=1)))
    model = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(other)
    some = evenly(np.arange(len(other)), SAMPLED)
    distance, near = model.kneighbors(other[some])
    apart, _ = _first_elsewhere(distance, near, groups[some], groups)
    edge = np.quantile(apart[np.isfinite(apart)], AS_NEAR) if np.isfinite(apart).any() else -1.0
    asked = evenly(np.arange(len(own)), SAMPLED)
    distance, near = model.kneighbors(own[asked])
    _, second = _first_elsewhere(distance, near, groups[near[:, 0]], groups)
    kept = np.flatnonzero((distance[:, 0] <= edge) & (second >= 0))
    rows, first = asked[kept], near[kept, 0]
    return Alike(
        ours=ours.target[rows],
        theirs=labels[first],
        beside=labels[second[kept]],
        units=_units(rows if ours.groups is None else np.asarray(ours.groups)[rows], groups[first]),
    )


def _first_elsewhere(distance: Array, near: Array, of: Array, groups: Array) -> tuple[Array, Array]:
    """The nearest row of another group for each, with its distance; −1 and ∞ where none is near. of: shape (n,)."""
    elsewhere = groups[near] != of[:, None]
    at = elsewhere.argmax(axis=1)
    every, some = np.arange(len(near)), elsewhere.any(axis=1)
    return np.where(some, distance[every, at], np.inf), np.where(some, near[every, at], -1)


def _copies(ours: Labelled, theirs: Labelled) -> Alike:
    """Rows of the same input, each with the first of its like."""
    keys, first = np.unique(np.asarray(theirs.same), return_index=True)
    place = np.minimum(np.searchsorted(keys, np.asarray(ours.same)), max(0, len(keys) - 1))
    rows = np.flatnonzero(keys[place] == np.asarray(ours.same)) if len(keys) else np.zeros(0, int)
    at = first[place[rows]] if len(keys) else rows
    own = rows if ours.groups is None else np.asarray(ours.groups)[rows]
    return Alike(
        ours=ours.target[rows],
        theirs=theirs.target[at],
        beside=None,
        units=_units(own, at if theirs.groups is None else np.asarray(theirs.groups)[at]),
    )


def _units(own: Array, other: Array) -> Array:
    """Number the pairs of rows so that those that share a row or group on either side are one."""
    _, a = np.unique(own, return_inverse=True)
    _, b = np.unique(other, return_inverse=True)
    size = int(a.max(initial=-1)) + 1
    total = size + int(b.max(initial=-1)) + 1
    _, found = connected_components(coo_matrix((np.ones(len(a)), (a, size + b)), shape=(total, total)), directed=False)
    return np.asarray(found[a])


def _mapped(labels: Array, names: Mapping[Any, Any]) -> Array:
    text = {str(key): value for key, value in names.items()}
    return np.array([text.get(str(one), one) for one in labels], dtype=object)
