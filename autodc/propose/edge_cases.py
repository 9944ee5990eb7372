"""Edge cases: rows of the base between two classes, hard but not mislabelled, drawn again."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.diagnose.labels import LEAST_ROWS as LEAST_OBSERVED
from autodc.diagnose.labels import wrong_labels
from autodc.large import distinct_values, evenly, taken
from autodc.propose import made
from autodc.propose.base_edits import BaseKnown, Space, base_of, codes_of, nothing, points, rows_made, units_of
from autodc.propose.label_votes import judged
from autodc.propose.proposal import Proposal
from autodc.propose.wrong_labels import MOST
from autodc.trial.call import Call

Array = np.ndarray[Any, Any]

BY = "edge_cases"
SHARE = 0.1
"""Of the rows so many are drawn again, those nearest to the boundary."""
NEAR = 0.5
"""Difference of the probabilities of the label and the next best class up to which a row is near the boundary."""
LEAST_ROWS = 20


def propose(known: BaseKnown) -> tuple[Proposal, ...]:
    """Propose the rows near the boundary between classes, once in a study."""
    rows = int(SHARE * known.rows)
    if known.kind != "classification" or rows < LEAST_ROWS:
        return ()
    words = f"the {rows} rows of the base nearest to the boundary between classes, drawn again"
    return known.proposal("edge-cases", BY, {}, rows=rows, words=words)


def make(call: Call, space: Space = points) -> dict[str, Any]:
    """Write the rows near the boundary. Raises CallError ADC-PROP-030 where they are too few."""
    part, names = base_of(call), call.arguments["classes"]
    looked = evenly(len(part.x), MOST)
    codes = codes_of(part, BY)[looked]
    units = units_of(part, str(call.arguments.get("group", "")))[looked]
    if len(distinct_values(units)) < LEAST_OBSERVED:
        nothing(BY, "there are too few rows")
    shares = judged(space(taken(part.x, looked)), codes, units, len(names), int(call.arguments.get("seed", 0)))
    found = wrong_labels(np.array(names, dtype=object)[codes], shares, names, groups=units)
    if found.status == "not_applicable":
        nothing(BY, found.reason or "it cannot be told")
    margin = margins(codes, shares)
    margin[[one.row for one in found.suspects]] = np.inf
    order = np.argsort(margin, kind="stable")[: int(SHARE * len(looked))]
    near = looked[np.sort(order[margin[order] <= NEAR])]
    if len(near) < LEAST_ROWS:
        nothing(BY, f"{len(near)} of {len(looked)} rows are near the boundary between classes")
    return made.write(call.out, rows_made(part, near, facts={"looked": len(looked)}))


def margins(codes: Array, shares: Array) -> Array:
    """How far each row is from the boundary, shape (n,): its label's probability before the next best, 0 is on it.

    A row that lies on another class's side, where mislabelled ones lie: infinity. shares: shape (n, classes).
    """
    every = np.arange(len(codes))
    own, others = shares[every, codes], np.array(shares)
    others[every, codes] = -np.inf
    best = others.max(axis=1)
    return np.where(own < best, np.inf, own - best)
