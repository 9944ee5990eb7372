"""Outliers: the base without rows that lie far from all others.

Far is beyond Tukey's outer fence of the logarithm of the distance to the nearest rows: of rows of one kind, however
they are distributed over it, next to none lies there. Source: Tukey, Exploratory Data Analysis, 1977; Ramaswamy,
Rastogi & Shim, Efficient Algorithms for Mining Outliers from Large Data Sets, SIGMOD 2000.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.large import evenly
from autodc.plan.mixture import BASE
from autodc.propose import made
from autodc.propose.base_edits import BaseKnown, Space, base_of, nothing, points, rows_made
from autodc.propose.proposal import Proposal
from autodc.trial.call import Call

Array = np.ndarray[Any, Any]

BY = "outliers"
NEIGHBOURS = 5
KNOWN = 20_000
"""Rows among which neighbours are looked for, evenly."""
FENCE = 3.0
"""Interquartile ranges above the third quartile."""
MOST = 0.05
"""Share of the rows that is left out at most, the furthest first."""
LEAST_KNOWN, LEAST_ROWS = 100, 3
"""Rows below which nothing is said, and outliers below which nothing is left out."""


def propose(known: BaseKnown) -> tuple[Proposal, ...]:
    """Propose the base without outliers, once in a study."""
    if known.rows < LEAST_KNOWN:
        return ()
    words = "the base without the rows that lie far from all others"
    return known.proposal("without-outliers", BY, {}, rows=known.rows, replaces=BASE, words=words)


def make(call: Call, space: Space = points) -> dict[str, Any]:
    """Write the base without outliers. Raises CallError ADC-PROP-030 where there are none."""
    part = base_of(call)
    if len(part.x) < LEAST_KNOWN:
        nothing(BY, f"{len(part.x)} rows are too few")
    out = far(space(part.x))
    if len(out) < LEAST_ROWS:
        nothing(BY, f"{len(out)} of {len(part.x)} rows lie far from all others")
    rows = np.setdiff1d(np.arange(len(part.x)), out)
    facts = {"left_out": len(out), "rows_left_out": out[:50].tolist()}
    return made.write(call.out, rows_made(part, rows, facts=facts))


def far(coordinates: Array) -> Array:
    """Positions of the rows that lie far from all others, the furthest first. coordinates: shape (n, d)."""
    from sklearn.neighbors import NearestNeighbors

    known = evenly(np.arange(len(coordinates)), KNOWN)
    tree = NearestNeighbors(n_neighbors=min(len(known), NEIGHBOURS + 1)).fit(coordinates[known])
    away = np.asarray(tree.kneighbors(coordinates)[0][:, -1])
    least = away[away > 0].min(initial=1.0)
    logs = np.log(np.maximum(away, least))
    low, high = np.quantile(logs, (0.25, 0.75))
    out = np.flatnonzero(logs > high + FENCE * (high - low)) if high > low else np.zeros(0, dtype=int)
    return out[np.argsort(-logs[out], kind="stable")][: int(MOST * len(coordinates))]
