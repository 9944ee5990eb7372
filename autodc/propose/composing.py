"""Several datasets that were each made of one and the same, such as the base relabelled and the base pruned, as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.data.dataset import Dataset
from autodc.large import joined, taken, taken_values

Array = np.ndarray[Any, Any]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mended:
    """A dataset that was made of another."""

    data: Dataset
    position: Array
    """Shape (n,): the row of the other that each row is; -1 of rows that are none of its."""
    changes_inputs: bool = False
    """Whether more than targets was changed."""


def compose(original: Dataset, mended: Sequence[Mended], name: str) -> Dataset:
    """The rows of the original that all of them kept, each as the first of them has it that changed it.

    A row whose target one changed and whose inputs another changed has both. Rows of a mended dataset that are none of
    the original's come after them.
    """
    count = len(original)
    kept, places = np.ones(count, dtype=bool), list[Array]()
    for one in mended:
        place = np.full(count, -1)
        own = np.flatnonzero(one.position >= 0)[::-1]
        place[one.position[own]] = own  # backwards, so that the first of several stays
        kept &= place >= 0
        places.append(place)
    rows = np.flatnonzero(kept)
    starts = count + np.cumsum([0, *(len(one.data) for one in mended)])
    own_y = np.asarray(original.y)
    y, x_from, is_set = np.array(taken_values(own_y, rows)), rows.copy(), np.zeros(len(rows), dtype=bool)
    for one, place, start in zip(mended, places, starts, strict=False):
        there = place[rows]
        theirs = np.asarray(one.data.y)[there]
        differs = theirs != own_y[rows]
        differs = differs.reshape(len(rows), -1).any(axis=1) & ~is_set
        y[differs], is_set = theirs[differs], is_set | differs
        if one.changes_inputs:
            other = (one.data.hashes[there] != original.hashes[rows]) & (x_from < count)
            x_from[other] = start + there[other]
    added = [np.flatnonzero(one.position < 0) for one in mended]
    index = np.concatenate([x_from, *(start + new for new, start in zip(added, starts, strict=False))])
    y = np.concatenate([y, *(np.asarray(one.data.y)[new] for one, new in zip(mended, added, strict=True))])
    if not len(index) or index.max() < count:
        x, metadata = taken(original.x, index), original.metadata
    else:
        every = [original, *(one.data for one in mended)]
        x = taken(joined([one.x for one in every]), index)
        metadata = pd.concat([one.metadata for one in every], ignore_index=True)
    return Dataset(name=name, x=x, y=y, metadata=metadata.iloc[index].reset_index(drop=True))
