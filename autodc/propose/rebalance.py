"""Rebalance: rows of rare classes, drawn again."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc import seeds
from autodc.propose import made
from autodc.propose.base_edits import BaseKnown, base_of, codes_of, drawn, nothing, rows_made
from autodc.propose.proposal import Proposal
from autodc.trial.call import Call

Array = np.ndarray[Any, Any]

BY = "rebalance"
RARE = 0.5
"""A class with less than this share of the rows that the largest has is rare."""
TIMES = 4
"""A row is drawn again so many times at most."""


def propose(known: BaseKnown) -> tuple[Proposal, ...]:
    """Propose rows of rare classes, once in a study; nothing where no class is rare."""
    rows = int(missing(np.asarray(known.counts, dtype=int)).sum()) if known.kind == "classification" else 0
    if not rows:
        return ()
    return known.proposal("rebalanced", BY, {}, rows=rows, words=f"{rows} rows of rare classes, drawn again")


def make(call: Call) -> dict[str, Any]:
    """Write the rows that rare classes lack. Raises CallError ADC-PROP-030 where no class is rare."""
    part = base_of(call)
    codes = codes_of(part, BY)
    wanted = missing(np.bincount(codes))
    if not wanted.any():
        nothing(BY, "no class is rare")
    rng = seeds.generator(int(call.arguments.get("seed", 0)), "rebalance")
    again = [drawn(np.flatnonzero(codes == code), int(wanted[code]), rng) for code in np.flatnonzero(wanted)]
    names = call.arguments.get("classes") or range(len(wanted))
    facts = {"added": {str(names[code]): int(wanted[code]) for code in np.flatnonzero(wanted)}}
    return made.write(call.out, rows_made(part, np.sort(np.concatenate(again)), facts=facts))


def missing(counts: Array) -> Array:
    """How many rows each class lacks to be as large as the largest, TIMES its own at most; of none that is not rare."""
    if not len(counts) or not counts.any():
        return np.zeros(len(counts), dtype=int)
    lacking = np.minimum(counts.max() - counts, TIMES * counts)
    return np.where(counts < RARE * counts.max(), lacking, 0)
