"""Rows that are a training row but for noise: images, texts and tables, each by what is near there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from autodc.data.dataset import Dataset
from autodc.data.hashing import BATCH, batches, places_among
from autodc.data.near_text import alike_texts, near_texts, signatures
from autodc.data.views import channel_axis, is_pictures, is_text, numbers, thumbnails
from autodc.large import BESIDE, evenly, pieces_of, room, some_places
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]
_View = Callable[[Any], Array]
"""Rows of inputs as vectors, shape (n, columns), whose distance says how near they are."""

GRID = 16
"""Images are compared as GRID × GRID grey blocks."""
IMAGE_TOLERANCE = 0.05
"""Largest distance between unit vectors of two near images: a cosine of 0.99875."""
TABLE_TOLERANCE = 1e-3
"""Largest distance between two near rows, in standard deviations of a column, root mean square over columns."""
MOST_KNOWN, MOST_ASKED = 1_000_000, 200_000
"""Of more training rows and held-out rows so many are compared, evenly over the dataset; exact copies are all found."""
MANY_KNOWN = 2 * MOST_KNOWN
"""Above so many rows equal ones are not looked for before some are chosen."""
HELD_VALUES = 2**25
"""At most so many numbers are kept, in memory or in a file, to be compared several times."""
MOST_SCALED = 200_000
"""Standard deviations of columns are those of so many training rows at most, evenly."""
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looked:
    """A dataset as it is compared, worked out once for all that it is compared with."""

    data: Dataset
    rows: Inputs
    """Vectors where they are few enough to be held, else the inputs; of text its signatures."""


def looked_at(data: Dataset) -> Looked:
    """Prepare a dataset for several calls of `near`."""
    x = data.x
    if is_text(x):
        return Looked(data=data, rows=signatures(x))
    view = _pictures if is_pictures(x) else numbers
    few = (isinstance(x, Table) or is_pictures(x)) and len(x) * view(x[:1]).shape[1] <= HELD_VALUES
    return Looked(data=data, rows=_vectors(x, view) if few else x)


def near(training: Dataset | Looked, held: Dataset | Looked, *, tolerance: float | None = None) -> NearCopies:
    """Find held rows that are a training row but for noise: rescaled, recompressed, brightened, rounded, reworded.

    Images (two axes or more a row) are compared by shape of light alone, so brightness and contrast do not matter;
    texts by the words they share; tables by columns in standard deviations of the training rows. Rows are made
    comparable a batch at a time.
    """
    known = training if isinstance(training, Looked) else looked_at(training)
    asked = held if isinstance(held, Looked) else looked_at(held)
    rows, distances = np.full(len(asked.data), -1), np.full(len(asked.data), np.inf)
    copy = _equal(known.data.hashes, asked.data.hashes)
    equal = copy >= 0
    rows[equal], distances[equal] = copy[equal], 0.0
    rest, first = evenly(np.flatnonzero(~equal), MOST_ASKED), distinct(known.data.hashes)
    if is_text(known.data.x):
        others, apart = near_texts(known.data.x, known.rows, first, asked.data.x, asked.rows, rest)
    else:
        limit = tolerance or (IMAGE_TOLERANCE if is_pictures(known.data.x) else TABLE_TOLERANCE)
        others, apart = _nearest_within(known.rows, first, asked.rows, rest, comparable(known.data), limit)
    rows[rest], distances[rest] = others, apart
    hit = np.flatnonzero(rows >= 0)
    return NearCopies(held=hit, training=rows[hit], distances=distances[hit], rows=len(rows))


def near_pairs(data: Dataset, *, tolerance: float | None = None) -> tuple[Array, Array]:
    """Rows of a dataset that are an earlier row but for noise, as `near` has it, and these; shape (k,), each row once.

    Equal rows are one here; of very many rows so many are compared, evenly.
    """
    first, looked = distinct(data.hashes), looked_at(data)
    if is_text(data.x):
        return alike_texts(data.x, looked.rows, first)
    limit = tolerance or (IMAGE_TOLERANCE if is_pictures(data.x) else TABLE_TOLERANCE)
    view = comparable(data)
    directions = _directions(view(looked.rows[first[:: max(1, len(first) // SAMPLE)][:SAMPLE]]))
    short, later, earlier = _along(looked.rows, first, view, directions), list[int](), list[int]()
    tree, reach = cKDTree(short), limit * ROUNDING
    for start in range(0, len(first) if len(first) > 1 else 0, BATCH):
        sought = short[start : start + BATCH]
        away = np.asarray(tree.query(sought, k=2, distance_upper_bound=reach)[0])
        close = np.flatnonzero(np.isfinite(away[:, 1]))
        for row, found in zip(close + start, tree.query_ball_point(sought[close], reach), strict=True):
            before = np.sort(np.asarray(found))
            before = before[before < row]
            own = view(looked.rows[first[row : row + 1]])
            if not len(before) or not own.any():
                continue
            for some in np.array_split(before, 1 + len(before) // BATCH):
                lengths = np.linalg.norm(view(looked.rows[first[some]]) - own, axis=1)
                if lengths.min() <= limit:
                    later.append(int(first[row]))
                    earlier.append(int(first[some[int(lengths.argmin())]]))
                    break
    return np.asarray(later, dtype=int), np.asarray(earlier, dtype=int)


def comparable(training: Dataset) -> _View:
    """How rows are turned into vectors whose distance says how near they are to those of a training set."""
    return _pictures if is_pictures(training.x) else _standardised(training.x)


def _vectors(x: Inputs, view: _View) -> Array:
    found = room((len(x), view(x[:1]).shape[1]), np.dtype(np.float64), BESIDE)
    for start, rows in batches(x):
        found[start : start + len(rows)] = view(rows)
    return found


def _equal(known: Array, asked: Array) -> Array:
    """For each asked hash the first position where it is known, −1 where it is not; a piece of the known at a time."""
    wanted, back = np.unique(asked, return_inverse=True)
    first = np.full(len(wanted), -1)
    for rows in pieces_of(len(known)):
        place, there = places_among(known[rows], wanted)
        here = np.flatnonzero(there)[::-1]
        found = np.full(len(wanted), -1)
        found[place[here]] = rows.start + here  # backwards, so that the first stays
        first = np.where(first < 0, found, first)
    return np.asarray(first[back.ravel()])


def _nearest_within(
    known: Inputs, first: Array, asked: Inputs, wanted: Array, view: _View, limit: float
) -> tuple[Array, Array]:
    """The nearest known row of each row that is wanted and its distance, −1 where none is within `limit`.

    first, wanted: positions of the known rows that are looked at, and of the asked ones, rising.
    A projection never lengthens a distance, so only rows that are near in a few directions of large variance are
    compared in full: the answer is exact, and no more than these directions is held for all rows.
    """
    rows, distances = np.full(len(wanted), -1), np.full(len(wanted), np.inf)
    directions = _directions(view(known[first[:: max(1, len(first) // SAMPLE)][:SAMPLE]]))
    tree = cKDTree(_along(known, first, view, directions))
    reach = limit * ROUNDING
    for start in range(0, len(wanted), BATCH):
        batch = asked[wanted[start : start + BATCH]]
        sought = _short(batch, view, directions)
        close = np.flatnonzero(np.isfinite(tree.query(sought, distance_upper_bound=reach)[0]))
        for row, found in zip(close, tree.query_ball_point(sought[close], reach), strict=True):
            own, near_by = view(batch[row : row + 1]), first[np.sort(np.asarray(found))]
            if not own.any():
                continue  # an image of one colour is like any other
            for some in np.array_split(near_by, 1 + len(near_by) // BATCH):
                lengths = np.linalg.norm(view(known[some]) - own, axis=1)
                best = int(lengths.argmin())
                if lengths[best] <= limit and lengths[best] < distances[start + row]:
                    rows[start + row], distances[start + row] = some[best], lengths[best]
    return rows, distances


def distinct(hashes: Array) -> Array:
    """Positions of the first of each set of equal rows, rising; of very many rows, of so many of them, evenly."""
    some = evenly(len(hashes), MOST_KNOWN if len(hashes) > MANY_KNOWN else MANY_KNOWN)
    return evenly(some[np.sort(np.unique(hashes[some], return_index=True)[1])], MOST_KNOWN)


def _directions(sample: Array) -> Array:
    """Directions of largest variance, shape (columns, few); the first columns where columns or rows are few."""
    if sample.shape[1] <= DIRECTIONS or len(sample) <= DIRECTIONS or not np.ptp(sample, axis=0).any():
        return np.eye(sample.shape[1], DIRECTIONS)
    from sklearn.decomposition import PCA

    return np.asarray(PCA(DIRECTIONS, svd_solver="covariance_eigh").fit(sample).components_.T, dtype=np.float64)


def _along(x: Inputs, rows: Array, view: _View, directions: Array) -> Array:
    """Some rows along a few directions."""
    pieces = (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))
    return np.concatenate([view(x[piece]) @ directions for piece in pieces])


def _short(rows: Inputs, view: _View, directions: Array) -> Array:
    """All rows along a few directions."""
    found = np.empty((len(rows), directions.shape[1]))
    for start, batch in batches(rows):
        found[start : start + len(batch)] = view(batch) @ directions
    return found


def _pictures(x: Inputs) -> Array:
    """Unit vectors, shape (n, blocks), of grey images shrunk by block means, their mean light taken off."""
    if not isinstance(x, Table) and x.ndim == 2:
        return np.asarray(x)
    grey: Array = thumbnails(x) if isinstance(x, Table) else np.asarray(x, dtype=np.float32)
    grey = grey.mean(axis=channel_axis(grey.shape)) if grey.ndim == 4 else grey.reshape(len(grey), grey.shape[1], -1)
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
    for rows in some_places(len(training), MOST_SCALED, BATCH):
        part = _filled(training[rows])
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
