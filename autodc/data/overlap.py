"""Rows that datasets share by a hash of their inputs, and what counts as one observation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from autodc.data.chance import copied, explained, shared_metadata, singular, whole_rows
from autodc.data.dataset import Dataset
from autodc.data.hashing import numbered
from autodc.data.ids import as_ids
from autodc.large import distinct_values
from autodc.table import Inputs

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def clusters(x: Inputs, groups: Array | None) -> Array | None:
    """Number the clusters of rows that share their inputs or their group: ints, shape (n,). None: every row its own."""
    return related(Dataset(name="rows", x=x, y=None, metadata=pd.DataFrame(index=range(len(x))), groups=groups))


def related(data: Dataset) -> Array | None:
    """Number the clusters of a dataset as `joint_clusters` does. None: every row its own."""
    (found,) = joint_clusters([data])
    return None if len(distinct_values(found)) == len(data) else found


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
    if len(distinct_values(every)) == len(every) or not explained(parts, same):
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
