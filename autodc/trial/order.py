"""The order in which held-out rows are handed out: one of their own, so that where a row stands tells nothing of it.

A sorted table or shards filled class by class would tell the class of a row by its number. Contents are the same rows,
and what is predicted of them is put back before anybody sees it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodc.seeds import generator, integer
from autodc.trial.executor import StoredPart

Array = np.ndarray[Any, Any]


def seed_of(study: int) -> int:
    """The seed of the order in which the held-out rows of a study are handed out. study: its seed."""
    return integer(study, "held-out rows")


def mixed(rows: int, seed: int) -> Array:
    """For each place the row that is handed out there, (rows,); the same for the same number of rows and seed."""
    return generator(seed, "order of held-out rows").permutation(rows)


def put_back(outputs: Mapping[str, Array], parts: Sequence[StoredPart], axis: int = 0) -> dict[str, Array]:
    """What was predicted of stored parts, in the order in which the rows are known. axis: of outputs, the rows."""
    return {part.name: _put_back(np.asarray(outputs[part.name]), part.mixed, axis) for part in parts}


def _put_back(outputs: Array, seed: int | None, axis: int) -> Array:
    if seed is None:
        return np.ascontiguousarray(outputs)
    place = np.argsort(mixed(outputs.shape[axis], seed))
    return np.ascontiguousarray(np.take(outputs, place, axis=axis))
