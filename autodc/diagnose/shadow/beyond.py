"""How much of a stream lies where validation has nothing: rows further from it than its own rows are from each other.

A classifier alone cannot tell the two ways a stream drifts apart: what validation has becoming more common, and what it
does not have. So validation is weighed as the stream has it, and what is still further away is new. Of new rows that
lie among known ones nothing is seen, so the share is a lower bound.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

Array = np.ndarray[Any, Any]

NEAREST = 3
SAMPLE = 4000
"""Rows of either side that are looked at."""
QUANTILES = (0.8, 0.9, 0.95)
"""Of the distances of validation rows, beyond which too many rows of the stream are new."""
SURE = 2.33
"""Standard errors above none from which on it is told (one-sided 1%)."""
FARTHEST = 6.0
"""Standard deviations from the middle at which a column is cut."""


def beyond(known: Array, stream: Array, weight: Array, categorical: Array, seed: int) -> float:
    """Bound from below the share of a stream under conditions that validation has not; 0 where it may be luck.

    known: (m, d), stream: (k, d) features that say under which conditions a row was met; weight: (m,) how many times as
    common those of each validation row are in the stream; categorical: (d,) columns that have no distance.
    """
    numbers = ~categorical
    if not numbers.any() or min(len(known), len(stream)) < 10 * NEAREST:
        return 0.0
    rng = np.random.default_rng(seed)
    mine = np.sort(rng.choice(len(known), min(SAMPLE, len(known)), replace=False))
    theirs = np.sort(rng.choice(len(stream), min(SAMPLE, len(stream)), replace=False))
    reference = known[mine][:, numbers]
    place, others = _scaled(reference, reference), _scaled(stream[theirs][:, numbers], reference)
    near = NearestNeighbors(n_neighbors=NEAREST + 1, algorithm="brute").fit(place)
    own = near.kneighbors(place)[0][:, 1:].mean(axis=1)
    away = near.kneighbors(others, NEAREST)[0].mean(axis=1)
    weight = weight[mine] / weight[mine].sum()
    counting, order = 1 / float((weight**2).sum()), np.argsort(own)
    reached = np.cumsum(weight[order])
    found = 0.0
    for quantile in QUANTILES:
        cut = own[order][min(int(np.searchsorted(reached, quantile)), len(order) - 1)]
        seen, usual = float((away > cut).mean()), float(weight[own > cut].sum())
        share = (seen - usual) / max(1e-9, 1 - usual)
        error = np.sqrt(seen * (1 - seen) / len(away) + usual * (1 - usual) / counting) / max(1e-9, 1 - usual)
        if share > SURE * error:
            found = max(found, share)
    return float(found)


def _scaled(features: Array, reference: Array) -> Array:
    """Columns in standard deviations of the reference, gaps in its middle."""
    empty = np.isnan(reference).all(axis=0)
    filled = np.where(empty, 0.0, reference)
    middle, scale = np.nanmedian(filled, axis=0), np.nanstd(filled, axis=0)
    away = (features - middle) / np.where(scale > 0, scale, 1.0)
    return np.asarray(np.clip(np.nan_to_num(away, nan=0.0), -FARTHEST, FARTHEST))
