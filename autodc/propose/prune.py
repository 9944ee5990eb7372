"""Prune: the base without the rows whose label is surely wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.plan.mixture import BASE
from autodc.propose import made
from autodc.propose.base_edits import BaseKnown, Space, base_of, nothing, points, rows_made
from autodc.propose.proposal import Proposal
from autodc.propose.wrong_labels import leavable, wrong_rows
from autodc.trial.call import Call

BY = "prune"


def propose(known: BaseKnown) -> tuple[Proposal, ...]:
    """Propose the base without wrong labels, once in a study."""
    if known.kind not in ("classification", "regression"):
        return ()
    words = "the base without the rows whose label is surely wrong"
    return known.proposal("pruned", BY, {}, rows=known.rows, replaces=BASE, words=words)


def make(call: Call, space: Space = points) -> dict[str, Any]:
    """Write the base without wrong labels. Raises CallError ADC-PROP-030 where no label is surely wrong."""
    part = base_of(call)
    found = wrong_rows(part, call.arguments, space, BY)
    out = leavable(part, found)
    if not len(out):
        nothing(BY, "too few rows of these classes would stay")
    rows = np.setdiff1d(np.arange(len(part.x)), out)
    return made.write(call.out, rows_made(part, rows, facts={**found.facts, "left_out": len(out)}))
