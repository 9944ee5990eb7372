"""Relabel: the base with another label where its own is surely wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.plan.mixture import BASE
from autodc.propose import made
from autodc.propose.base_edits import BaseKnown, Space, base_of, points, relabelled
from autodc.propose.proposal import Proposal
from autodc.propose.wrong_labels import wrong_rows
from autodc.trial.call import Call

BY = "relabel"


def propose(known: BaseKnown) -> tuple[Proposal, ...]:
    """Propose the base with mended labels, once in a study."""
    if known.kind not in ("classification", "regression"):
        return ()
    words = "the base, labels that are surely wrong replaced by what a model of its other rows says"
    return known.proposal("relabelled", BY, {}, rows=known.rows, replaces=BASE, words=words)


def make(call: Call, space: Space = points) -> dict[str, Any]:
    """Write the base with mended labels; `changed.label` says what was there before.

    Raises CallError ADC-PROP-030 where no label is surely wrong.
    """
    part, names = base_of(call), call.arguments.get("classes", ())
    found = wrong_rows(part, call.arguments, space, BY)
    y = np.array(part.y)
    y[found.rows] = found.likely
    return made.write(call.out, relabelled(part, found.rows, y, names, found.facts))
