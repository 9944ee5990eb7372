"""Cuts held-out rows in two: what belongs together stays together, slices and classes keep their shares.

Or, where a part has times, its oldest rows are on the one side and its newest on the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, final

import numpy as np
from scipy.sparse import csr_matrix

from autodc.data.dataset import Dataset
from autodc.data.overlap import joint_clusters
from autodc.data.times import times_of
from autodc.evaluation.slices import Sides, SliceTable

Array = np.ndarray[Any, Any]

FIFTHS = 5
"""Targets that are numbers are shared out by fifths of their range of ranks."""

EXPECTED = 0.5
"""A slice of which a side should have at least so many groups has one there."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """The rows of all parts as units, each of which goes to one side as a whole."""

    parts: Mapping[str, Array]
    """Part → the unit of each row."""
    counts: csr_matrix
    """Shape (units, features): how many rows of a unit are in a slice, or in a slice and a class. The slices come
    first."""
    slices: int
    """How many of the features are slices."""
    times: Mapping[str, Array] = field(default_factory=dict)
    """Part → when each row is of; of the parts that are cut in time."""

    @property
    def units(self) -> int:
        """How many there are."""
        return int(self.counts.shape[0])

    @classmethod
    def of(cls, held: Mapping[str, Dataset], table: SliceTable, alike: bool = True) -> Self:
        """Group rows as comparisons do, across the parts.

        table: the slices on all rows; alike: whether targets are classes or values, which are shared out evenly.
        """
        numbers = joint_clusters(list(held.values()))
        _, units = np.unique(np.concatenate(numbers), return_inverse=True)
        ends = np.cumsum([len(one) for one in numbers])
        parts = dict(zip(held, np.split(units.ravel(), ends[:-1]), strict=True))
        classes = {part: _classes(data) if alike else np.zeros(len(data), dtype=int) for part, data in held.items()}
        places: list[tuple[Array, Array]] = [(parts[s.part][s.rows], np.zeros(len(s.rows), int)) for s in table.slices]
        places += [(parts[s.part][s.rows], classes[s.part][s.rows]) for s in table.slices]
        places += [(parts[part], classes[part]) for part in held]
        rows, columns, first = [], [], 0
        for of, kind in places:
            rows.append(of)
            columns.append(first + kind)
            first += int(kind.max(initial=0)) + 1
        where = np.concatenate(rows), np.concatenate(columns)
        shape = (int(units.max()) + 1, first)
        times = {part: found for part, data in held.items() if (found := times_of(data)) is not None}
        counts = csr_matrix((np.ones(len(where[0])), where), shape=shape)
        return cls(parts=parts, counts=counts, slices=len(table.slices), times=times)


def cut(held: Held, share: float, rng_seed: int) -> Sides:
    """Put about `share` of every slice, and of every class in it, on the first side; a function of the seed.

    Of parts that have times the oldest rows are on the first side; what belongs together is as new as its newest.
    """
    rng = np.random.default_rng(rng_seed)
    chosen, left = _alike(held, share, rng)
    _balance(held, share, chosen, left[np.argsort(-_sizes(held)[left], kind="stable")])
    _repair(held, share, chosen)
    _in_time(held, share, chosen)
    return Sides(
        explore={part: np.flatnonzero(chosen[units]) for part, units in held.parts.items()},
        gate={part: np.flatnonzero(~chosen[units]) for part, units in held.parts.items()},
    )


def _alike(held: Held, share: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Share out units that are alike in all slices and classes; return who is chosen, and who is left over.

    Of n alike, the whole parts of share·n and (1 − share)·n are drawn, so that one at most is left.
    """
    weights = rng.integers(1, 2**62, held.counts.shape[1], dtype=np.uint64)
    kind = held.counts.astype(np.uint64) @ weights  # of equal counts the same number, by chance alone of others
    order = rng.permutation(held.units)
    order = order[np.argsort(kind[order], kind="stable")]
    _, start, size = np.unique(kind[order], return_index=True, return_counts=True)
    place = np.arange(held.units) - np.repeat(start, size)
    few = np.repeat(np.floor(share * size + 1e-9), size)
    rest = np.repeat(np.floor((1 - share) * size + 1e-9), size)
    chosen = np.zeros(held.units, dtype=bool)
    chosen[order[place < few]] = True
    return chosen, order[place >= few + rest]


def _balance(held: Held, share: float, chosen: Array, left: Array) -> None:
    """Put each unit that is left where it brings slices and classes nearer to their shares."""
    counts, is_left = held.counts, np.zeros(held.units, dtype=bool)
    is_left[left] = True
    weight = 1 / np.maximum(np.asarray(counts.sum(axis=0)).ravel(), 1)
    weight[: held.slices] *= held.slices + 1  # before classes within them
    side = np.where(is_left, 0.0, np.where(chosen, 1 - share, -share))
    excess = np.asarray(counts.T @ side).ravel()
    for unit in left:
        begin, end = counts.indptr[unit], counts.indptr[unit + 1]
        features, rows = counts.indices[begin:end], counts.data[begin:end]
        gain = weight[features] * rows * (2 * excess[features] + (1 - 2 * share) * rows)
        chosen[unit] = gain.sum() < 0
        excess[features] += rows * (1 - share if chosen[unit] else -share)


def _repair(held: Held, share: float, chosen: Array) -> None:
    """A slice that is to have a group on a side has one, on the side of the gate before all."""
    sizes = _sizes(held)
    columns = held.counts.tocsc()
    members = [columns.indices[columns.indptr[i] : columns.indptr[i + 1]] for i in range(held.slices)]
    for side, wanted in ((True, share), (False, 1 - share)):
        for units in members:
            if len(units) > 1 and wanted * len(units) >= EXPECTED and not (chosen[units] == side).any():
                chosen[units[np.argmin(sizes[units])]] = side


def _in_time(held: Held, share: float, chosen: Array) -> None:
    """Put the oldest units of each part with times on the first side, and all others of it on the second.

    Rows of one time stay together. A part that is all of one time is left as it is.
    """
    early, timed = np.ones(held.units, dtype=bool), np.zeros(held.units, dtype=bool)
    for part, times in held.times.items():
        units, place, sizes = np.unique(held.parts[part], return_inverse=True, return_counts=True)
        newest = np.full(len(units), -np.inf)
        np.maximum.at(newest, place.ravel(), times)
        order = np.argsort(newest, kind="stable")
        ends = np.flatnonzero(np.diff(newest[order]) > 0)
        if not len(ends):
            continue
        last = ends[np.argmin(np.abs(np.cumsum(sizes[order])[ends] - share * len(times)))]
        early[units] &= newest <= newest[order][last]
        timed[units] = True
    chosen[timed] = early[timed]


def _sizes(held: Held) -> Array:
    """Rows of each unit."""
    units = np.concatenate(list(held.parts.values()))
    return np.bincount(units, minlength=held.units)


def _classes(data: Dataset) -> Array:
    """Class of each row, or fifth of its target; nothing of targets of more than one number."""
    if data.y is None or data.y.ndim != 1:
        return np.zeros(len(data), dtype=int)
    _, place = np.unique(data.y, return_inverse=True)
    if data.y.dtype.kind in "iubU":
        return np.asarray(place.ravel())
    return np.asarray(place.ravel() * FIFTHS // (int(place.max(initial=0)) + 1))
