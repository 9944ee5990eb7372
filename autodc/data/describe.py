"""What every candidate holds, in a few numbers: for the search, which tries similar candidates together.

Computed from the rows of the base and the candidates alone; validation and test are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.data.dataset import Dataset
from autodc.data.views import numbers

Array = np.ndarray[Any, Any]

DIMENSIONS = 16
ROWS = 500
BASE_ROWS = 2000
COLUMNS = 4096
"""Of larger datasets so many rows, and of wider inputs so many values, are drawn at random."""
DIGITS = 6


def descriptors(
    base: Dataset, candidates: Mapping[str, Dataset], n_classes: int, tags: Mapping[str, Sequence[str]], seed: int
) -> dict[str, tuple[float, ...]]:
    """Describe every candidate by equally many numbers.

    Mean and spread of its inputs on the first principal components of the base's standardised ones, the share of
    every class (n_classes: 0 where there are none), the means of numeric metadata columns that all candidates have in
    every row, and its tags, 1 or 0. seed: of the rows and values that are drawn.
    """
    if not candidates:
        return {}
    from sklearn.decomposition import PCA

    width = numbers(base.x[:1]).shape[1]
    columns = np.arange(width)
    if width > COLUMNS:
        columns = np.sort(seeds.generator(seed, "describe", "columns").choice(width, COLUMNS, replace=False))
    rows = _inputs(base, columns, BASE_ROWS, seed)
    centre = np.nan_to_num(_mean(rows))
    rows = np.where(np.isnan(rows), centre, rows)
    scale = rows.std(0)
    scale = np.where(scale > 0, scale, 1.0)
    size = min(DIMENSIONS, *rows.shape)
    embed = PCA(size, svd_solver="randomized", random_state=seeds.integer(seed, "describe", "pca"))
    embed.fit((rows - centre) / scale)
    words = sorted({tag for found in tags.values() for tag in found})
    shared = _numeric(candidates.values())
    described: dict[str, tuple[float, ...]] = {}
    for name, data in candidates.items():
        own = _inputs(data, columns, ROWS, seed)
        places = embed.transform((np.where(np.isnan(own), centre, own) - centre) / scale)
        parts = [places.mean(0), places.std(0)]
        if n_classes and data.y is not None:
            parts.append(np.bincount(data.y, minlength=n_classes) / len(data))
        parts.append(np.array([float(data.metadata[column].mean()) for column in shared]))
        parts.append(np.array([float(word in tags.get(name, ())) for word in words]))
        described[name] = tuple(float(f"{v:.{DIGITS}g}") for v in np.concatenate(parts))
    return described


def _inputs(data: Dataset, columns: Array, limit: int, seed: int) -> Array:
    """Rows of a dataset flattened, shape (n, columns), at most `limit` of them: the same content, the same rows."""
    some = np.arange(len(data))
    if len(data) > limit:
        rng = seeds.generator(seed, "describe", data.fingerprint)
        some = np.sort(rng.choice(len(data), limit, replace=False))
    return numbers(data.x[some])[:, columns]


def _mean(rows: Array) -> Array:
    """Means of the columns, missing values left out; NaN where there is no value."""
    known = ~np.isnan(rows)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, rows, 0.0).sum(0) / known.sum(0))


def _numeric(candidates: Iterable[Dataset]) -> list[str]:
    """Metadata columns that are finite numbers in every row of every candidate."""
    found: list[set[str]] = []
    for data in candidates:
        others = data.metadata.drop(columns=list(data.features), errors="ignore")  # inputs are described already
        frame: pd.DataFrame = others.select_dtypes(["number", "bool"], exclude=["timedelta"]).astype(np.float64)
        found.append({str(c) for c in frame.columns if np.isfinite(frame[c]).all()})
    return sorted(set.intersection(*found))
