"""Rows without a label that a rule about a class may mean: by what the model predicts of them, the label being unknown.

A row that fails is predicted to be of another class than it is of, so the prediction does not stand in for the label:
rows are taken that meet the other conditions and are predicted as the failing rows of the finding were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autodc.diagnose.rule import Rule
from autodc.diagnose.view import View

Array = np.ndarray[Any, Any]

REACHED = 0.8
"""Share of the failing rows inside whose predictions are taken, the most frequent first."""


def predicted_as(rule: Rule, view: View) -> tuple[Any, ...]:
    """What most of the failing rows inside are predicted as, the most frequent first. view: rows with labels."""
    failing = np.flatnonzero(rule.mask(view.columns) & view.failed)
    names, count = np.unique(view.prediction[failing].astype(str), return_counts=True)
    order = np.argsort(-count, kind="stable")
    before = np.cumsum(count[order]) - count[order]
    taken = names[order][before < REACHED * count.sum()]
    first = {str(one): one for one in reversed(view.prediction[failing].tolist())}
    return tuple(first[str(name)] for name in taken)


def among_unlabelled(rule: Rule, predicted: Sequence[Any], view: View) -> Array:
    """The rows of a view whose labels are not looked at, shape (n,)."""
    said = np.isin(view.prediction.astype(str), [str(one) for one in predicted])
    return np.asarray(rule.classless.mask(view.attributes) & said)


def told_of_unlabelled(rule: Rule, found_on: View, tried_on: View) -> dict[str, Any]:
    """How rows without labels are chosen for a rule that names the class, and how well that does; JSON values.

    found_on: says what failing rows are predicted as; tried_on: says how many of the rows so chosen are failing rows
    of the finding (`precision`), and how many of these are so chosen (`reached`).
    """
    predicted = predicted_as(rule, found_on)
    chosen = among_unlabelled(rule, predicted, tried_on)
    wanted = rule.mask(tried_on.columns) & tried_on.failed
    both = int((chosen & wanted).sum())
    return {
        "where": rule.classless.sql,
        "predicted": list(predicted),
        "rows": int(chosen.sum()),
        "precision": round(both / max(1, int(chosen.sum())), 4),
        "reached": round(both / max(1, int(wanted.sum())), 4),
    }
