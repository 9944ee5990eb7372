"""Outliers and edge cases: how far in the tail of its class a row lies in feature space, and made-up rows from there.

Source: Du, Wang, Cai & Li, VOS: Learning What You Don't Know by Virtual Outlier Synthesis, ICLR 2022: the features of
each class are Gaussian with one covariance for all, and what has the least likelihood under all of them is an outlier.
How likely a tail is, is asked of rows that the Gaussians were not fitted to: Bates, Candès, Lei, Romano & Sesia,
Testing for Outliers with Conformal p-values, 2023.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.diagnose.check import Reason, Status, coordinates, plain
from autodc.errors import DataError
from autodc.stats.simultaneous import sums

Array = np.ndarray[Any, Any]

CODE = "ADC-D030"
"""Rows in the tails of feature space."""
LEAST_ROWS = 100
LEAST_OF_CLASS = 5
"""Rows, and rows of a class, below which no Gaussian is fitted."""
WIDEST = 64
"""Principal components that a wide embedding is brought to."""
FOLDS = 5
"""How usual a distance is, is known from rows of each fold, by Gaussians that were fitted to the others."""
FALSE = 0.1
"""Share of the edge cases that are expected to be none (Benjamini and Hochberg)."""
DRAWN = 200
"""Draws from a Gaussian for each made-up row: the least likely is kept."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tails:
    """Gaussians of one covariance, one a class, in the coordinates of an embedding."""

    classes: tuple[Any, ...]
    middle: Array
    """Shape (d,), of the embedding."""
    axes: Array
    """Shape (d, k): brings what is left of the middle to coordinates in which the covariance is 1."""
    back: Array
    """Shape (k, d): brings those back."""
    means: Array
    """Shape (classes, k), in those coordinates."""
    usual: Array
    """Distances of rows by Gaussians that were not fitted to them, rising."""

    def distance(self, embedding: Array) -> Array:
        """How far each row lies from the nearest class, shape (n,): Mahalanobis; up is further out."""
        return np.asarray(self._distances(embedding).min(axis=1))

    def nearest(self, embedding: Array) -> Array:
        """The place among the classes of the nearest one, shape (n,)."""
        return np.asarray(self._distances(embedding).argmin(axis=1))

    def chance(self, embedding: Array) -> Array:
        """The share of usual rows that lie as far out, shape (n,); a p-value for a row like the usual ones."""
        beyond = len(self.usual) - np.searchsorted(self.usual, self.distance(embedding), side="left")
        return np.asarray((1 + beyond) / (1 + len(self.usual)))

    def synthesise(self, rows: int, seed: int) -> tuple[Array, Array]:
        """Make up rows in the tails: their embedding, shape (rows, d), and the place of their class, shape (rows,).

        Of DRAWN draws from the Gaussian of a class the least likely under all classes is kept, classes in turn.
        """
        rng = seeds.generator(seed, "outliers", "synthesis")
        of = np.arange(rows) % len(self.classes)
        found = np.empty((rows, self.means.shape[1]))
        for at, place in enumerate(of):
            draws = self.means[place] + rng.standard_normal((DRAWN, self.means.shape[1]))
            found[at] = draws[_squares(draws, self.means).min(axis=1).argmax()]
        return found @ self.back + self.middle, of

    def _distances(self, embedding: Array) -> Array:
        rows = coordinates(embedding, len(embedding), "embedding")
        if rows.shape[1] != len(self.middle):
            raise DataError(
                "ADC-DIAG-056",
                "An embedding has another width than that which the tails were fitted in.",
                place="embedding",
                got=f"{rows.shape[1]} columns instead of {len(self.middle)}",
                hint="take the coordinates of all rows from the same embedding",
            )
        return np.sqrt(_squares((rows - self.middle) @ self.axes, self.means))


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boundary:
    """A logistic regression of made-up rows of the tails against usual ones; finer than the distance alone."""

    tails: Tails
    scale: Array
    """Shape (d + 1,): standard deviations of the columns and of the distance."""
    slope: Array
    """Shape (d + 1,)."""

    def score(self, embedding: Array) -> Array:
        """Up is more like the made-up rows, shape (n,)."""
        return np.asarray(_beside(self.tails, embedding) / self.scale @ self.slope)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeCase:
    """A row further out than usual ones."""

    row: int
    distance: float
    chance: float
    nearest: Any
    """The class whose middle is nearest."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        numbers = {"distance": round(self.distance, 4), "chance": float(f"{self.chance:.3g}")}
        return {"row": self.row, **numbers, "nearest": plain(self.nearest)}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeCases:
    """What was found of the tails."""

    status: Status
    rows: int
    """Rows that were looked at."""
    reason: Reason | None = None
    cases: tuple[EdgeCase, ...] = ()
    """Furthest out first."""

    @property
    def code(self) -> str | None:
        """The code of the finding, where there is one."""
        return CODE if self.status == "found" else None

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        head = {"code": self.code, "status": self.status, "reason": self.reason, "rows": self.rows}
        return {**head, "cases": [one.to_dict() for one in self.cases]}


def tails(embedding: Array, target: Array | None, seed: int, groups: Array | None = None) -> Tails | Reason:
    """Fit the tails to usual rows, such as those of training; or tell why that cannot be done.

    embedding: shape (n, d). target: classes, shape (n,); None, or numbers, is one class. groups: ints, shape (n,), are
    in one fold. Raises DataError ADC-DIAG-050.
    """
    rows = coordinates(embedding, len(embedding), "embedding")
    is_one = target is None or np.asarray(target).dtype.kind == "f" or np.asarray(target).ndim != 1
    labels = np.zeros(len(rows), dtype=int) if is_one else np.asarray(target)
    if len(rows) < LEAST_ROWS:
        return "there are too few rows"
    _, units = np.unique(np.arange(len(rows)) if groups is None else np.asarray(groups), return_inverse=True)
    fold = seeds.generator(seed, "outliers", "folds").permutation(units.max() + 1)[units] % FOLDS
    usual = []
    for one in range(FOLDS):
        held = fold == one
        apart = _fitted(rows[~held], labels[~held])
        if apart is not None and held.any():
            usual.append(apart.distance(rows[held]))
    found = _fitted(rows, labels)
    if found is None or not usual:
        return "there are too few rows of a class"
    return replace(found, usual=np.sort(np.concatenate(usual)))


def boundary(found: Tails, embedding: Array, seed: int) -> Boundary:
    """Learn to tell usual rows from rows that are made up in their tails, half as many.

    embedding: shape (n, d), of usual rows, such as those that the tails were fitted to. Raises DataError ADC-DIAG-050,
    056.
    """
    from sklearn.linear_model import LogisticRegression

    made, _ = found.synthesise(max(1, len(embedding) // 2), seed)
    columns = np.concatenate([_beside(found, embedding), _beside(found, made)])
    scale = columns.std(axis=0) + 1e-9
    truth = np.repeat([0, 1], [len(embedding), len(made)])
    model = LogisticRegression(max_iter=300).fit(columns / scale, truth)
    return Boundary(tails=found, scale=scale, slope=model.coef_[0])


def edge_cases(found: Tails | Reason, embedding: Array, most: int = 50) -> EdgeCases:
    """Find the rows that lie further out than usual ones; of those told, FALSE are expected to be usual.

    embedding: shape (n, d), of rows that the tails were not fitted to, such as validation or a stream. Raises DataError
    ADC-DIAG-050, 056.
    """
    if not isinstance(found, Tails):
        return EdgeCases(status="not_applicable", rows=len(embedding), reason=found)
    if not len(embedding):
        return EdgeCases(status="not_applicable", rows=0, reason="there are too few rows")
    chance, distance, nearest = found.chance(embedding), found.distance(embedding), found.nearest(embedding)
    order = np.lexsort((-distance, chance))
    within = chance[order] <= FALSE * np.arange(1, len(order) + 1) / len(order)
    count = int(np.flatnonzero(within)[-1]) + 1 if within.any() else 0
    cases = tuple(
        EdgeCase(
            row=int(row),
            distance=float(distance[row]),
            chance=float(chance[row]),
            nearest=found.classes[nearest[row]],
        )
        for row in sorted(order[:count], key=lambda row: -distance[row])[:most]
    )
    return EdgeCases(status="found" if cases else "passed", rows=len(embedding), cases=cases)


def _fitted(rows: Array, labels: Array) -> Tails | None:
    """Gaussians of the classes that have rows enough; None where none has."""
    classes, place, count = np.unique(labels, return_inverse=True, return_counts=True)
    enough = np.flatnonzero(count >= LEAST_OF_CLASS)
    if not len(enough):
        return None
    known = np.isin(place, enough)
    fitted, of = rows[known], np.searchsorted(enough, place[known])
    middle, axes, back = _whitened(fitted, of)
    means = _means((fitted - middle) @ axes, of)
    names = tuple(plain(one) for one in classes[enough])
    return Tails(classes=names, middle=middle, axes=axes, back=back, means=means, usual=np.zeros(0))


def _beside(found: Tails, embedding: Array) -> Array:
    """The coordinates, and beside them the distance to the nearest class; shape (n, d + 1)."""
    return np.asarray(np.c_[coordinates(embedding, len(embedding), "embedding"), found.distance(embedding)])


def _whitened(rows: Array, of: Array) -> tuple[Array, Array, Array]:
    """The middle, and the axes that make the covariance within classes 1, there and back; shrunk (Ledoit and Wolf)."""
    from sklearn.covariance import ledoit_wolf

    middle = rows.mean(axis=0)
    centred = rows - middle
    basis = np.linalg.svd(centred, full_matrices=False)[2][:WIDEST] if rows.shape[1] > 1 else np.ones((1, 1))
    narrow = centred @ basis.T
    covariance = ledoit_wolf(narrow - _means(narrow, of)[of], assume_centered=True)[0]
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, values.max() * 1e-9 + np.finfo(float).tiny)
    axes = basis.T @ vectors / np.sqrt(values)
    return middle, axes, (vectors * np.sqrt(values)).T @ basis


def _means(rows: Array, of: Array) -> Array:
    return np.asarray(sums(rows, of) / np.bincount(of)[:, None])


def _squares(rows: Array, means: Array) -> Array:
    """Squared distances, shape (n, classes)."""
    found = (rows**2).sum(axis=1)[:, None] - 2 * rows @ means.T + (means**2).sum(axis=1)
    return np.asarray(np.maximum(found, 0.0))
