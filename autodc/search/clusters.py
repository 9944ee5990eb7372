"""Clusters of many datasets by what is known of their content: the upper nodes of a Ward tree of descriptors.

In the surrogates the summed strength of every cluster has a linear effect of its own, so a dataset's effect is that of
its cluster, of the clusters inside it and its own deviation. Each band of the tree, coarse to fine, has one prior
variance, learnt from the trainings: a cluster splits as far as they move variance to the finer bands. The number of
clusters is bounded, so the cost grows with the number of datasets, never with its square. Tree: Ward 1963, by SciPy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.cluster import hierarchy

Array = np.ndarray[Any, Any]

MANY = 60
"""With more datasets than this that are described, clusters take part."""

BANDS = (8, 16, 32, 64)
"""The tree's upper nodes, in bands: those there are with at most so many clusters and in no band before."""


def clusters(datasets: Sequence[str], descriptors: Mapping[str, Sequence[float]]) -> tuple[tuple[Array, ...], ...]:
    """Return, for every band of the tree, its clusters as positions in `datasets`; empty where there are too few.

    Larger clusters come before their parts; those of one dataset are left out. Raises ValueError for descriptors of
    different lengths, with a number that is not finite, or of a dataset that is not there.
    """
    check(datasets, descriptors)
    known = np.array([i for i, name in enumerate(datasets) if name in descriptors], dtype=int)
    if len(known) <= MANY:
        return ()
    values = np.array([descriptors[datasets[i]] for i in known], dtype=float).reshape(len(known), -1)
    spread = values.std(0)
    telling = spread > 1e-9 * np.maximum(np.abs(values).max(0), 1.0)
    if not telling.any():
        return ()
    tree = hierarchy.ward((values[:, telling] - values[:, telling].mean(0)) / spread[telling])
    seen: set[tuple[int, ...]] = set()
    bands: list[tuple[Array, ...]] = []
    for low, high in pairwise((1, *BANDS)):
        band: list[Array] = []
        for label in hierarchy.cut_tree(tree, [*range(low + 1, min(high, len(known)) + 1)]).T:
            found = [known[label == one] for one in np.unique(label)]
            fresh = [c for c in found if 1 < len(c) < len(known) and tuple(c.tolist()) not in seen]
            seen |= {tuple(c.tolist()) for c in fresh}
            band += fresh
        if band:
            bands.append(tuple(band))
    return tuple(bands)


def check(datasets: Sequence[str], descriptors: Mapping[str, Sequence[float]]) -> None:
    """Raise ValueError where descriptors do not fit the datasets or each other."""
    if unknown := [name for name in descriptors if name not in datasets]:
        raise ValueError(f"descriptors: {unknown[0]!r} is not in datasets")
    lengths = {name: len(values) for name, values in descriptors.items()}
    if len(set(lengths.values())) > 1:
        few, many = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
        found = f"{lengths[few]} numbers for {few!r}, {lengths[many]} for {many!r}"
        raise ValueError(f"descriptors: all have the same length; found {found}")
    for name, values in descriptors.items():
        if not all(math.isfinite(v) for v in values):
            raise ValueError(f"descriptors: {name!r} has a number that is not finite")
