"""Training rows that are held-out rows: by their id where a column tells it, else by all that stands in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autodc.data.chance import copied, possible
from autodc.data.dataset import Dataset
from autodc.data.hashing import among, numbered
from autodc.data.ids import Identity, as_ids, identity, ids_at

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Copies:
    """What a training set and a held-out set have in common."""

    rows: Mask
    """Training rows, shape (n,), that are held-out rows."""
    by_chance: int = 0
    """Held-out rows with the inputs of a training row, by chance: they are different examples."""
    by_id: int = 0
    """Training rows with the inputs of a held-out row and another id: they are different examples."""
    ids: Identity | None = field(default=None)
    """Which column says so, where one does."""


def copies_of(own: Dataset, held: Dataset, *, unasked: bool = False) -> Copies:
    """Find the rows of `own` that are rows of `held`.

    unasked: equal rows count as copies whatever made them equal, where no id says otherwise. Of an id column that was
    only found, another id excuses no more equal rows than chance could make.
    """
    equal = among(own.hashes, held.hashes)
    ids = identity(own, held)
    if ids is None or not ids.decides:
        return Copies(rows=equal, ids=ids) if unasked or not equal.any() else _by_inputs(own, held, equal, ids)
    others, same = equal & ids.known & ~ids.shared, list[Array]()
    if others.any() and not ids.asked:
        same = numbered([own.hashes, held.hashes])
        others &= possible([own, held], same)
    rest = equal & ~ids.shared & ~others
    marked = ids.shared
    if rest.any():
        marked = marked | (rest & copied(own, held, *(same or numbered([own.hashes, held.hashes]))))
    return Copies(rows=marked, by_id=int(others.sum()), ids=ids)


def example_pair(own: Dataset, held: Dataset, found: Copies) -> tuple[int, int] | None:
    """Positions of a row that is also held out and of its like there."""
    first = int(np.argmax(found.rows))
    if not found.rows.any():
        return None
    likes = np.flatnonzero(held.hashes == own.hashes[first])
    if found.ids is not None and found.ids.shared[first]:
        named = as_ids(held.metadata[found.ids.theirs]) == ids_at(own.metadata[found.ids.column], [first]).iloc[0]
        likes = np.flatnonzero(named.to_numpy(dtype=bool))
    return (first, int(likes[0])) if len(likes) else None


def _by_inputs(own: Dataset, held: Dataset, equal: Mask, ids: Identity | None) -> Copies:
    mine, theirs = numbered([own.hashes, held.hashes])
    marked = copied(own, held, mine, theirs)
    return Copies(rows=marked, by_chance=int(np.isin(theirs, mine[equal & ~marked]).sum()), ids=ids)
