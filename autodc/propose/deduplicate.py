"""Deduplicate: the base with one row of each set of copies and near copies that have the same label."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from autodc.data.dataset import Dataset
from autodc.data.near import near_pairs
from autodc.data.overlap import joint_clusters
from autodc.data.views import is_pictures, is_text, width
from autodc.plan.mixture import BASE
from autodc.propose import made
from autodc.propose.base_edits import BaseKnown, base_of, nothing, rows_made
from autodc.propose.proposal import Proposal
from autodc.table import Inputs
from autodc.trial.call import Call, CallPart

Array = np.ndarray[Any, Any]

BY = "deduplicate"
LEAST = 0.01
"""Share of the rows that repeat another, below which it makes no difference."""
COLUMNS = 8
"""Rows of fewer columns are near by chance: of those only equal ones are copies, where chance does not make them."""


def propose(known: BaseKnown) -> tuple[Proposal, ...]:
    """Propose the base without copies, once in a study."""
    words = "the base with one row of each set of copies and near copies"
    return known.proposal("deduplicated", BY, {}, rows=known.rows, replaces=BASE, words=words)


def make(call: Call) -> dict[str, Any]:
    """Write the base without copies. Raises CallError ADC-PROP-030 where fewer than LEAST of the rows are copies."""
    part = base_of(call)
    if part.y is None or np.asarray(part.y).ndim != 1:
        nothing(BY, "targets are not one value a row")
    rows = firsts(part)
    out = len(part.x) - len(rows)
    if out < max(1.0, LEAST * len(part.x)):
        nothing(BY, f"{out} of {len(part.x)} rows repeat another")
    return made.write(call.out, rows_made(part, rows, facts={"left_out": out}))


def firsts(part: CallPart) -> Array:
    """Positions of the rows that are no copy of an earlier row with the same target, rising."""
    data = Dataset(name=part.name, x=part.x, y=part.y, metadata=part.metadata, fingerprint=part.name)
    (same,) = joint_clusters([data])
    if _is_wide(part.x):
        later, earlier = near_pairs(data)
        size = int(same.max()) + 1
        edges = coo_matrix((np.ones(len(later)), (same[later], same[earlier])), shape=(size, size))
        same = connected_components(edges, directed=False)[1][same]
    _, label = np.unique(np.asarray(part.y), return_inverse=True)
    _, first = np.unique(np.stack([same, label.ravel()], axis=1), axis=0, return_index=True)
    return np.sort(first)


def _is_wide(x: Inputs) -> bool:
    return is_pictures(x) or is_text(x) or width(x) >= COLUMNS
