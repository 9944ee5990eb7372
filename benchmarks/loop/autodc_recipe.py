"""AutoDC's recipe as a peer: what a fixed pipeline makes of base and pool, rebuilt from the paper.

Z. Y.-C. Liu, S. Roychowdhury, S. Tarlow, A. Nair, S. Badhe, T. Shah: AutoDC: Automated data-centric processing
(arXiv 2111.12548). Images are embedded; outliers of each class are taken for wrong labels; edge cases are added;
what was added is augmented; how many, are fixed percentages; the model's code stays as it is. Adapted here:

- There, people look at the outliers that the tool shows. Here a label is corrected where nearly all neighbours
  in the embedding have another one, and what remains of the outliers is left out.
- Edge cases are rows of the pool, those that lie about as near to the middle of another class as to that of their own.
- Embedding: principal components of the pixels, for pictures of 12 × 12 and 14 × 14 that no network was trained on.
- Its settings are tuned afterwards like those of every peer, which is more than the paper does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors

from autodc.adapters.generators.image import ImageGenerator

Array = np.ndarray[Any, Any]

DIMENSIONS = 32
OUTLIERS, EDGES = 0.05, 0.2
"""Of each class of the base; rows of the pool for so many of the base."""
NEIGHBOURS, SURE = 10, 0.8
"""A label is corrected where this share of the neighbours has another one."""
POLICIES = 10
"""Settings of the one augmentation: a little turned, moved and lit."""


def recipe(base: tuple[Array, Array], pool: tuple[Array, Array], seed: int) -> tuple[Array, Array]:
    """Images and classes to train on: the base corrected, edge cases of the pool, and these once more, augmented.

    base, pool: images (n, h, w) of 0 to 1, and classes (n,).
    """
    (x, y), (more, labels), rng = base, pool, np.random.default_rng(seed)
    space = PCA(DIMENSIONS, random_state=0).fit(_flat(np.concatenate([x, more])))
    known, offered = space.transform(_flat(x)), space.transform(_flat(more))
    kept, y = _corrected(known, y, seed)
    edges = _edges(known[kept], y[kept], offered, labels, round(EDGES * len(x)))
    again = _augmented(more[edges], rng)
    return np.concatenate([x[kept], more[edges], again]), np.concatenate([y[kept], labels[edges], labels[edges]])


def _corrected(known: Array, y: Array, seed: int) -> tuple[Array, Array]:
    """Which rows stay, and their labels: outliers of each class get that of their neighbours, or leave."""
    near = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(known).kneighbors(known, return_distance=False)[:, 1:]
    stays, found = np.ones(len(y), dtype=bool), y.copy()
    for one in np.unique(y):
        rows = np.flatnonzero(y == one)
        odd = rows[np.argsort(IsolationForest(random_state=seed).fit(known[rows]).score_samples(known[rows]))]
        for row in odd[: round(OUTLIERS * len(rows))]:
            names, counts = np.unique(y[near[row]], return_counts=True)
            sure = counts.max() >= SURE * NEIGHBOURS
            found[row] = names[counts.argmax()] if sure else y[row]
            stays[row] = sure
    return np.flatnonzero(stays), found


def _edges(known: Array, y: Array, offered: Array, labels: Array, count: int) -> Array:
    """The rows on offer that lie about as near to the middle of another class as to that of their own."""
    names = np.unique(y)
    middles = np.stack([known[y == one].mean(axis=0) for one in names])
    distance = np.linalg.norm(offered[:, None] - middles[None], axis=2)
    own = names[None] == labels[:, None]
    margin = np.abs(np.where(own, distance, np.inf).min(axis=1) - np.where(own, np.inf, distance).min(axis=1))
    return np.argsort(margin, kind="stable")[:count]


def _augmented(x: Array, rng: np.random.Generator) -> Array:
    out = np.empty_like(x)
    for rows in np.array_split(rng.permutation(len(x)), POLICIES):
        setting = {
            "rotation": float(rng.uniform(-15, 15)),
            "shift_x": float(rng.uniform(-0.1, 0.1)),
            "shift_y": float(rng.uniform(-0.1, 0.1)),
            "brightness": float(rng.uniform(0.7, 1.3)),
        }
        generator = ImageGenerator(low=0.0, high=1.0)
        metadata: Any = None
        out[rows] = generator.transform(x[rows], np.zeros(len(rows)), metadata, setting, int(rng.integers(2**31)))[0]
    return out


def _flat(x: Array) -> Array:
    return np.asarray(x.reshape(len(x), -1))
