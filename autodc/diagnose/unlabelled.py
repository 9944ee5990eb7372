"""Rows without a label that a finding may mean; where its rule names the class, by what the model predicts of them.

A row that fails is predicted to be of another class than it is of, so the prediction does not stand in for the label:
rows are taken that meet the other conditions and are predicted as the failing rows of the finding were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import pandas as pd

from autodc.data.where import select
from autodc.diagnose.rule import Rule
from autodc.diagnose.view import View

Array = np.ndarray[Any, Any]

REACHED = 0.8
"""Share of the failing rows inside whose predictions are taken, the most frequent first."""
TOLD = "unlabelled"
"""Under this name a finding tells how its rows are chosen."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Unlabelled:
    """How rows of a finding are chosen where no label is known."""

    where: str
    """SQL over attributes; empty for all rows."""
    predicted: tuple[Any, ...] = ()
    """What the model has to predict; any class where there is none."""

    @classmethod
    def of(cls, rule: str, told: Mapping[str, Any]) -> Self:
        """Read it of a finding. rule: its SQL; told: what else it tells, as journal and result hold it."""
        if (own := told.get(TOLD)) is None:
            return cls(where=rule)
        return cls(where=str(own["where"]), predicted=tuple(own["predicted"]))

    def mask(self, attributes: pd.DataFrame, prediction: Array) -> Array:
        """The rows that are chosen, shape (n,). prediction: (n,), as the user would write it.

        Raises DataError where the rule names what rows here do not have, the label among it.
        """
        inside = np.ones(len(attributes), dtype=bool)
        if self.where:
            inside = select(self.where, attributes, None, place="the rule of a finding")
        if self.predicted:
            inside = inside & np.isin(prediction.astype(str), [str(one) for one in self.predicted])
        return np.asarray(inside)


def predicted_as(rule: Rule, view: View) -> tuple[Any, ...]:
    """What most of the failing rows inside are predicted as, the most frequent first. view: rows with labels."""
    failing = np.flatnonzero(rule.mask(view.columns) & view.failed)
    names, count = np.unique(view.prediction[failing].astype(str), return_counts=True)
    order = np.argsort(-count, kind="stable")
    before = np.cumsum(count[order]) - count[order]
    taken = names[order][before < REACHED * count.sum()]
    first = {str(one): one for one in reversed(view.prediction[failing].tolist())}
    return tuple(first[str(name)] for name in taken)


def told_of_unlabelled(rule: Rule, found_on: View, tried_on: View) -> dict[str, Any]:
    """How rows without labels are chosen for a rule that names the class, and how well that does; JSON values.

    found_on: says what failing rows are predicted as; tried_on: says how many of the rows so chosen are failing rows
    of the finding (`precision`), and how many of these are so chosen (`reached`).
    """
    way = Unlabelled(where=rule.classless.sql, predicted=predicted_as(rule, found_on))
    chosen = way.mask(tried_on.attributes, tried_on.prediction)
    wanted = rule.mask(tried_on.columns) & tried_on.failed
    both = int((chosen & wanted).sum())
    return {
        "where": way.where,
        "predicted": list(way.predicted),
        "rows": int(chosen.sum()),
        "precision": round(both / max(1, int(chosen.sum())), 4),
        "reached": round(both / max(1, int(wanted.sum())), 4),
    }
