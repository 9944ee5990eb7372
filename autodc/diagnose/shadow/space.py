"""Where an input lies among those of the base: a few coordinates, and how far it is from anything trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from autodc.diagnose.shadow.columns import Columns
from autodc.large import evenly, taken
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

COORDINATES = 16
VOTERS = 15
"""Rows of the base that are asked for their class."""
NEAREST = 5
"""The distance of a row is the mean of that to so many rows of the base."""
REFERENCE = 4000
"""Rows of the base that stand for it, evenly among all."""
SIDE = 24
"""Pictures are looked at in at most so many cells a side."""
WIDEST = 4096
"""Numbers of an input that is no picture; of more, so many evenly."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Space:
    """Coordinates learnt on the base."""

    flat: Callable[[Inputs, Array | None], Array]
    """Inputs and, of a table, its encoded attributes → numbers, shape (n, D)."""
    project: Callable[[Array], Array]
    neighbours: NearestNeighbors
    unit: float
    """The median distance of rows of the base from each other, which is 1."""
    labels: Array | None
    """Codes of the classes of the rows that stand for the base."""

    @classmethod
    def of(
        cls, base: Inputs, columns: Columns, attributes: Array | None, labels: Array | None, seed: int
    ) -> Self | None:
        """Learn the coordinates; None where there is nothing to learn them from, as of files without attributes.

        attributes: of the base, as `columns` encodes them, where the base has them all.
        """
        some = evenly(len(base), REFERENCE)
        flat = _flattener(base, columns, attributes, some)
        if flat is None:
            return None
        if isinstance(base, Table) and base.kind == "text":
            project, coordinates = _of_texts(base, some, seed)
        else:
            numbers = flat(taken(base, some), None if attributes is None else attributes[some])
            pca = PCA(min(COORDINATES, *numbers.shape), svd_solver="randomized", random_state=seed).fit(numbers)
            project, coordinates = pca.transform, pca.transform(numbers)
        count = min(NEAREST + 1, len(coordinates))
        near = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(coordinates)
        own = near.kneighbors(coordinates)[0][:, 1:].mean(axis=1) if count > 1 else np.ones(1)
        known = None if labels is None else np.asarray(labels)[some]
        return cls(flat=flat, project=project, neighbours=near, unit=float(np.median(own)) or 1.0, labels=known)

    def coordinates(self, x: Inputs, attributes: Array | None) -> Array:
        """Shape (n, k) float32."""
        return np.asarray(self.project(self.flat(x, attributes)), dtype=np.float32)

    def near(self, coordinates: Array, outputs: Array | None) -> tuple[Array, Array | None]:
        """How far rows are from the base, and how far its nearest rows have the class that is predicted; (n,) float32.

        A distance of 1 is as far as rows of the base are from each other. The second is the share of the nearest rows
        of the predicted class, without outputs None. Source: the trust score of Jiang et al. 2018, by counting.
        """
        count = min(VOTERS, self.neighbours.n_samples_fit_)
        distance, index = self.neighbours.kneighbors(coordinates, count)
        far = np.asarray(distance[:, :NEAREST].mean(axis=1) / self.unit, dtype=np.float32)
        if outputs is None or self.labels is None:
            return far, None
        same = self.labels[index] == outputs.argmax(axis=1)[:, None]
        return far, same.mean(axis=1).astype(np.float32)


def _flattener(
    base: Inputs, columns: Columns, attributes: Array | None, some: Array
) -> Callable[[Inputs, Array | None], Array] | None:
    if not isinstance(base, Table):
        return _of_arrays(base, some)
    if base.kind == "text":
        return _texts  # type: ignore[return-value]
    if attributes is None or not len(columns):
        return None
    return _of_columns(columns, attributes[some])


def _of_arrays(base: Array, some: Array) -> Callable[[Inputs, Array | None], Array]:
    """Standardised numbers; of a picture the means of its cells, on one scale: their differences are its content."""
    is_picture = base.ndim >= 3
    known = _numbers(np.asarray(base[some]))
    middle = known.mean(axis=0)
    scale = np.full(known.shape[1], known.std() or 1.0) if is_picture else np.maximum(known.std(axis=0), 1e-6)
    return lambda x, _: np.nan_to_num((_numbers(np.asarray(x)) - middle) / scale, posinf=0.0, neginf=0.0)


def _numbers(x: Array) -> Array:
    """Shape (n, D) float32."""
    if x.ndim >= 3:
        for axis in range(1, x.ndim):
            if x.shape[axis] > SIDE:
                edges = np.linspace(0, x.shape[axis], SIDE + 1)[:-1].astype(int)
                sizes = np.diff([*edges, x.shape[axis]])
                shape = [1] * x.ndim
                shape[axis] = SIDE
                x = np.add.reduceat(x, edges, axis=axis, dtype=np.float32) / sizes.reshape(shape)
    flat = x.reshape(len(x), -1).astype(np.float32)
    return flat if flat.shape[1] <= WIDEST else flat[:, evenly(flat.shape[1], WIDEST)]


def _of_columns(columns: Columns, known: Array) -> Callable[[Inputs, Array | None], Array]:
    """Standardised numbers and the values of categories, each category weighing as much as one number."""
    middle = np.nan_to_num(np.nanmedian(np.where(np.isnan(known).all(axis=0), 0.0, known), axis=0))
    spread = np.nanpercentile(np.where(np.isnan(known).all(axis=0), 0.0, known), [10, 90], axis=0)
    scale = np.where(spread[1] > spread[0], (spread[1] - spread[0]) / 2.56, 1.0)

    def flat(_: Inputs, attributes: Array | None) -> Array:
        assert attributes is not None
        parts = []
        for at, one in enumerate(columns.columns):
            values = attributes[:, at]
            if one.values is None:
                parts.append(np.clip(np.nan_to_num((values - middle[at]) / scale[at]), -8, 8)[:, None])
                parts.append(np.isnan(values)[:, None])
            else:
                parts.append(values[:, None] == np.arange(len(one.values) + 1))
        return np.concatenate(parts, axis=1).astype(np.float32)

    return flat


def _texts(x: Inputs, _: Array | None) -> list[str]:
    assert isinstance(x, Table)
    return x.texts()


def _of_texts(base: Table, some: Array, seed: int) -> tuple[Callable[[Any], Array], Array]:
    words = TfidfVectorizer(max_features=20_000, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    try:
        counts = words.fit_transform(base[some].texts())
    except ValueError:  # no word at all
        words = TfidfVectorizer(analyzer="char", max_features=2000).fit(["", "?", *base[some].texts()])
        counts = words.transform(base[some].texts())
    size = max(1, min(COORDINATES, min(counts.shape) - 1))
    svd = TruncatedSVD(size, random_state=seed).fit(counts)
    return (lambda texts: svd.transform(words.transform(texts))), svd.transform(counts)
