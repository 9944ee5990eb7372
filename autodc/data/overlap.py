"""Rows that datasets share: exact copies by a hash of each row's inputs, near copies by their nearest neighbour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from autodc.data.chance import copied, explained, shared_metadata, singular, whole_rows
from autodc.data.dataset import Dataset
from autodc.data.hashing import BATCH, batches, numbered
from autodc.data.ids import as_ids
from autodc.data.views import is_pictures, numbers, thumbnails
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
_View = Callable[[Any], Array]
"""Rows of inputs as vectors, shape (n, columns), whose distance says how near they are."""

GRID = 16
"""Images are compared as GRID × GRID grey blocks."""
IMAGE_TOLERANCE = 0.05
"""Largest distance between unit vectors of two near images: a cosine of 0.99875."""
TABLE_TOLERANCE = 1e-3
"""Largest distance between two near rows, in standard deviations of a column, root mean square over columns."""
HELD_VALUES = 2**25
"""Of a table at most so many numbers are held in memory to be compared."""
SAMPLE = 4096
"""Directions are those of so many training rows."""
DIRECTIONS = 8
"""Directions of largest variance in which near rows are looked for first."""
ROUNDING = 1.001


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearCopies:
    """Held rows whose nearest training row is as good as the same, exact copies included."""

    held: Array
    training: Array
    """held, training: shape (k,), positions of the pair."""
    distances: Array
    """Shape (k,), 0 is the same."""
    rows: int
    """Held rows looked at."""

    @property
    def share(self) -> float:
        """Near copies as a share of the held rows."""
        return len(self.held) / self.rows if self.rows else 0.0


def exact(training_hashes: Array, held_hashes: Array) -> Mask:
    """Mark the training rows, shape (n,), that are also among the held rows."""
    return np.isin(training_hashes, held_hashes)


def near(training: Dataset, held: Dataset, *, tolerance: float | None = None) -> NearCopies:
    """Find held rows that are a training row but for noise: rescaled, recompressed, brightened, rounded.

    Images (two axes or more a row) are compared by shape of light alone, so brightness and contrast do not matter;
    tables by columns in standard deviations of the training rows. Rows are made comparable a batch at a time.
    """
    view, limit = comparable(training), IMAGE_TOLERANCE if is_pictures(training.x) else TABLE_TOLERANCE
    first = _first(training.hashes)
    known, asked = _lasting(training.x), _lasting(held.x)
    rows, distances = _nearest_within(known, first, asked, view, limit if tolerance is None else tolerance)
    hit = np.flatnonzero(rows >= 0)
    return NearCopies(held=hit, training=rows[hit], distances=distances[hit], rows=len(held))


def comparable(training: Dataset) -> _View:
    """How rows are turned into vectors whose distance says how near they are to those of a training set."""
    return _pictures if is_pictures(training.x) else _standardised(training.x)


def clusters(x: Inputs, groups: Array | None) -> Array | None:
    """Number the clusters of rows that share their inputs or their group: ints, shape (n,). None: every row its own."""
    return related(Dataset(name="rows", x=x, y=None, metadata=pd.DataFrame(index=range(len(x))), groups=groups))


def related(data: Dataset) -> Array | None:
    """Number the clusters of a dataset as `joint_clusters` does. None: every row its own."""
    (found,) = joint_clusters([data])
    return None if len(np.unique(found)) == len(data) else found


def joint_clusters(parts: Sequence[Dataset]) -> list[Array]:
    """Number the clusters of several sets of rows together, so that a number means the same rows in all of them.

    A cluster is what is one observation: copies of a row, and rows of one group; groups of the same name are one
    group wherever they stand. Rows of the same inputs are copies unless chance explains them (data/chance.py): then
    they are different people. Returns ints, shape (n,), for each part.
    """
    same = _observations(parts)
    if any(part.groups is not None for part in parts):
        names = [
            part.groups.astype(str) if part.groups is not None else np.array([f"{k}\0{i}" for i in range(len(part))])
            for k, part in enumerate(parts)
        ]
        _, group = np.unique(np.concatenate(names), return_inverse=True)
        size = int(same.max() + group.max() + 2)
        edges = coo_matrix((np.ones(len(same)), (same, same.max() + 1 + group)), shape=(size, size))
        _, labels = connected_components(edges, directed=False)
        _, same = np.unique(labels[same], return_inverse=True)
    return [np.asarray(part, dtype=np.int64) for part in _cut(same.ravel(), parts)]


def _observations(parts: Sequence[Dataset]) -> Array:
    """Number the rows of all sets, one after the other: the same number for copies of one row."""
    if all(part.id for part in parts):
        return _named(parts)
    same = numbered([part.hashes for part in parts])
    every = np.concatenate(same)
    if len(np.unique(every)) == len(every) or not explained(parts, same):
        return every
    names = shared_metadata(parts)
    whole = whole_rows(parts, same, names)
    if not explained(parts, whole, names):
        return np.unique(np.concatenate(whole), return_inverse=True)[1].ravel()
    return _apart(parts, same)


def _named(parts: Sequence[Dataset]) -> Array:
    """Number rows by the ids that the user names; a row without one is its own."""
    names = [as_ids(part.metadata[part.id]).reset_index(drop=True) for part in parts]
    codes, known = pd.factorize(pd.concat(names, ignore_index=True))
    nameless = np.flatnonzero(codes < 0)
    codes[nameless] = len(known) + np.arange(len(nameless))
    return np.unique(codes, return_inverse=True)[1].ravel()


def _apart(parts: Sequence[Dataset], same: Sequence[Array]) -> Array:
    """Number rows that chance made equal: each its own, but a set that repeats rows of an earlier one shares theirs.

    What no chance makes equal is the same wherever it stands.
    """
    once = [singular(part.x) for part in parts]
    turns = [pd.Series(one).groupby(one).cumcount().to_numpy() * ~alone for one, alone in zip(same, once, strict=True)]
    owner = list(range(len(parts)))
    for later in range(1, len(parts)):
        for earlier in range(later):
            pair = [parts[later], parts[earlier]], [same[later], same[earlier]]
            if copied(pair[0][0], pair[0][1], *pair[1]).any():
                owner[later] = owner[earlier]
                break
    keys = [np.stack([owner[k] * ~once[k], one, turns[k]], axis=1) for k, one in enumerate(same)]
    return np.unique(np.concatenate(keys), axis=0, return_inverse=True)[1].ravel()


def _cut(values: Array, parts: Sequence[Dataset]) -> list[Array]:
    return np.split(values, np.cumsum([len(part) for part in parts])[:-1])


def _nearest_within(known: Inputs, first: Array, asked: Inputs, view: _View, limit: float) -> tuple[Array, Array]:
    """The nearest known row of each asked row and its distance, -1 where none is within `limit`.

    first: positions of the known rows that are looked at, rising.
    A projection never lengthens a distance, so only rows that are near in a few directions of large variance are
    compared in full: the answer is exact, and no more than these directions is held for all rows.
    """
    rows, distances = np.full(len(asked), -1), np.full(len(asked), np.inf)
    directions = _directions(view(known[first[:: max(1, len(first) // SAMPLE)][:SAMPLE]]))
    tree = cKDTree(_short(known, view, directions)[first])
    reach = limit * ROUNDING
    for start, batch in batches(asked):
        sought = _short(batch, view, directions)
        close = np.flatnonzero(np.isfinite(tree.query(sought, distance_upper_bound=reach)[0]))
        for row, found in zip(close, tree.query_ball_point(sought[close], reach), strict=True):
            own, near_by = view(batch[row : row + 1]), first[np.sort(np.asarray(found))]
            for some in np.array_split(near_by, 1 + len(near_by) // BATCH):
                lengths = np.linalg.norm(view(known[some]) - own, axis=1)
                best = int(lengths.argmin())
                if lengths[best] <= limit and lengths[best] < distances[start + row]:
                    rows[start + row], distances[start + row] = some[best], lengths[best]
    return rows, distances


def _lasting(x: Inputs) -> Inputs:
    """A table as numbers once and for all, where they are few enough to be held."""
    if not isinstance(x, Table) or len(x) * numbers(x[:1]).shape[1] > HELD_VALUES:
        return x
    return thumbnails(x) if is_pictures(x) else numbers(x)


def _first(hashes: Array) -> Array:
    """Positions of the first of each set of equal rows, rising."""
    return np.sort(np.unique(hashes, return_index=True)[1])


def _directions(sample: Array) -> Array:
    """Directions of largest variance, shape (columns, few); the first columns where columns or rows are few."""
    if sample.shape[1] <= DIRECTIONS or len(sample) <= DIRECTIONS:
        return np.eye(sample.shape[1], DIRECTIONS)
    from sklearn.decomposition import PCA

    return np.asarray(PCA(DIRECTIONS, svd_solver="covariance_eigh").fit(sample).components_.T, dtype=np.float64)


def _short(rows: Inputs, view: _View, directions: Array) -> Array:
    """All rows along a few directions."""
    found = np.empty((len(rows), directions.shape[1]))
    for start, batch in batches(rows):
        found[start : start + len(batch)] = view(batch) @ directions
    return found


def _pictures(x: Inputs) -> Array:
    """Unit vectors, shape (n, blocks), of grey images shrunk by block means, their mean light taken off."""
    grey: Array = thumbnails(x) if isinstance(x, Table) else np.asarray(x, dtype=np.float32)
    grey = grey.mean(axis=_channel_axis(grey.shape)) if grey.ndim == 4 else grey.reshape(len(grey), grey.shape[1], -1)
    for axis in (1, 2):
        size = grey.shape[axis]
        blocks = min(GRID, size)
        starts = np.arange(blocks) * size // blocks
        counts = np.diff([*starts.tolist(), size]).reshape([-1 if i == axis else 1 for i in range(3)])
        grey = np.add.reduceat(grey, starts, axis=axis) / counts
    flat = grey.reshape(len(grey), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    unit: Array = np.divide(flat, length, out=np.zeros_like(flat), where=length > 0)
    return unit


def _standardised(training: Inputs) -> _View:
    """How rows of a table are compared: columns in standard deviations of the training rows, root mean square."""
    width = numbers(training[:1]).shape[1]
    count, mean, squares = 0, np.zeros(width), np.zeros(width)
    for _, batch in batches(training):
        part = _filled(batch)
        own = part.mean(axis=0)
        share = len(part) / (count + len(part))
        squares += ((part - own) ** 2).sum(axis=0) + (own - mean) ** 2 * count * share
        mean += (own - mean) * share
        count += len(part)
    scale = np.sqrt(squares / count)
    scale[scale == 0] = 1.0
    factor = 1.0 / (scale * np.sqrt(width))
    return lambda rows: (_filled(rows) - mean) * factor


def _filled(rows: Inputs) -> Array:
    """Rows as decimal numbers, shape (n, columns), 0 where there is none."""
    return np.nan_to_num(numbers(rows), copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _channel_axis(shape: tuple[int, ...]) -> int:
    """Channels are the shorter end of (n, height, width, channels) or (n, channels, height, width)."""
    return 1 if shape[1] < shape[3] else 3
