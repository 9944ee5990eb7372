"""Rows that datasets share: exact copies by a hash of each row's inputs, near copies by their nearest neighbour."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from autodc.data.dataset import Dataset

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

GRID = 16
"""Images are compared as GRID × GRID grey blocks."""
IMAGE_TOLERANCE = 0.05
"""Largest distance between unit vectors of two near images: a cosine of 0.99875."""
TABLE_TOLERANCE = 1e-3
"""Largest distance between two near rows, in standard deviations of a column, root mean square over columns."""
BATCH = 4096
DIRECTIONS = 8
"""Directions of largest variance in which near rows are looked for first."""
ROUNDING = 1.001


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearCopies:
    """Held rows whose nearest training row is as good as the same, exact copies included.

    held, training: shape (k,), positions of the pair; distances: shape (k,), 0 is the same; rows: held rows looked at.
    """

    held: Array
    training: Array
    distances: Array
    rows: int

    @property
    def share(self) -> float:
        """Near copies as a share of the held rows."""
        return len(self.held) / self.rows if self.rows else 0.0


def row_hashes(x: Array) -> Array:
    """Hash every row of inputs, shape (n, ...), to 32 hexadecimal digits: shape (n,). Zero has one sign."""
    data = x + np.zeros((), x.dtype) if x.dtype.kind == "f" else x
    rows = np.ascontiguousarray(data).reshape(len(data), -1)
    return np.array([hashlib.blake2b(row.data, digest_size=16).hexdigest() for row in rows], dtype="S32")


def exact(training_hashes: Array, held_hashes: Array) -> Mask:
    """Mark the training rows, shape (n,), that are also among the held rows."""
    return np.isin(training_hashes, held_hashes)


def near(training: Dataset, held: Dataset, *, tolerance: float | None = None) -> NearCopies:
    """Find held rows that are a training row but for noise: rescaled, recompressed, brightened, rounded.

    Images (two axes or more a row) are compared by shape of light alone, so brightness and contrast do not matter;
    tables by columns in standard deviations of the training rows.
    """
    if training.x.ndim > 2:
        limit = IMAGE_TOLERANCE if tolerance is None else tolerance
        known, asked = _pictures(training.x), _pictures(held.x)
    else:
        limit = TABLE_TOLERANCE if tolerance is None else tolerance
        known, asked = _standardised(training.x, held.x)
    rows, distances = _nearest_within(known, asked, limit)
    hit = np.flatnonzero(rows >= 0)
    return NearCopies(held=hit, training=rows[hit], distances=distances[hit], rows=len(held))


def clusters(x: Array, groups: Array | None) -> Array | None:
    """Number the clusters of rows that share their inputs or their group: ints, shape (n,). None: every row its own."""
    (found,) = joint_clusters([(x, groups)])
    return None if len(np.unique(found)) == len(x) else found


def joint_clusters(parts: Sequence[tuple[Array, Array | None]]) -> list[Array]:
    """Number the clusters of several sets of rows together, so that a number means the same rows in all of them.

    parts: (inputs, groups or None) each; groups of the same name are one group wherever they stand. Returns ints,
    shape (n,), for each part.
    """
    hashes = [row_hashes(x) for x, _ in parts]
    _, same = np.unique(np.concatenate(hashes), return_inverse=True)
    if any(groups is not None for _, groups in parts):
        names = [
            np.asarray(groups).astype(str) if groups is not None else np.array([f"{k}\0{i}" for i in range(len(x))])
            for k, (x, groups) in enumerate(parts)
        ]
        _, group = np.unique(np.concatenate(names), return_inverse=True)
        size = int(same.max() + group.max() + 2)
        edges = coo_matrix((np.ones(len(same)), (same, same.max() + 1 + group)), shape=(size, size))
        _, labels = connected_components(edges, directed=False)
        _, same = np.unique(labels[same], return_inverse=True)
    ends = np.cumsum([len(h) for h in hashes])[:-1]
    return [np.asarray(part, dtype=np.int64) for part in np.split(same.ravel(), ends)]


def _nearest_within(known: Array, asked: Array, limit: float) -> tuple[Array, Array]:
    """The nearest known row of each asked row and its distance, -1 where none is within `limit`.

    A projection never lengthens a distance, so only rows that are near in the few directions of largest variance
    are compared in full: the answer is exact.
    """
    first, known = _distinct(known)
    short, sought = known, asked
    if known.shape[1] > DIRECTIONS < len(known):
        flat = PCA(DIRECTIONS, svd_solver="covariance_eigh").fit(known)
        short, sought = flat.transform(known), flat.transform(asked)
    tree = NearestNeighbors(radius=limit * ROUNDING, algorithm="kd_tree").fit(short)
    rows, distances = np.full(len(asked), -1), np.full(len(asked), np.inf)
    for start in range(0, len(asked), BATCH):
        for row, near_by in enumerate(
            tree.radius_neighbors(sought[start : start + BATCH], return_distance=False), start
        ):
            if len(near_by):
                lengths = np.linalg.norm(known[near_by] - asked[row], axis=1)
                best = int(lengths.argmin())
                if lengths[best] <= limit:
                    rows[row], distances[row] = first[near_by[best]], lengths[best]
    return rows, distances


def _distinct(rows: Array) -> tuple[Array, Array]:
    """Positions of the first of each set of equal rows, and those rows."""
    _, first = np.unique(row_hashes(rows), return_index=True)
    first = np.sort(first)
    return first, rows[first]


def _pictures(x: Array) -> Array:
    """Unit vectors, shape (n, blocks), of grey images shrunk by block means, their mean light taken off."""
    return np.concatenate([_picture_batch(x[i : i + BATCH]) for i in range(0, len(x), BATCH)])


def _picture_batch(x: Array) -> Array:
    grey: Array = np.asarray(x, dtype=np.float32)
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


def _channel_axis(shape: tuple[int, ...]) -> int:
    """Channels are the shorter end of (n, height, width, channels) or (n, channels, height, width)."""
    return 1 if shape[1] < shape[3] else 3


def _standardised(training: Array, held: Array) -> tuple[Array, Array]:
    known, asked = (np.asarray(x, dtype=np.float64).reshape(len(x), -1) for x in (training, held))
    scale = known.std(axis=0)
    scale[scale == 0] = 1.0
    factor = 1.0 / (scale * np.sqrt(known.shape[1]))
    return (known - known.mean(axis=0)) * factor, (asked - known.mean(axis=0)) * factor
