"""Several annotators: which label they agree on, which rows they dispute, and how good each of them is.

Source: Goh, Tkachenko & Mueller, CROWDLAB: Supervised learning to infer consensus labels and quality scores for data
with multiple annotators, 2022, as cleanlab has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.diagnose.check import Reason, Status, distribution, places, plain
from autodc.errors import DataError

Array = np.ndarray[Any, Any]

LEAST_LABELS = 5
"""Labels, on rows that others labelled too, below which nothing is said of an annotator."""
LEAST_ROWS = 50
DISPUTED = 0.5
"""Quality of the consensus below which a row is disputed."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Annotator:
    """Who gave labels."""

    name: str
    labels: int
    agreement: float | None
    """With others on the same rows; None where there are none."""
    quality: float | None
    """0 to 1, how often right, as far as others and the model tell; None with fewer than LEAST_LABELS."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        numbers = {n: None if (v := getattr(self, n)) is None else round(v, 4) for n in ("agreement", "quality")}
        return {"name": self.name, "labels": self.labels, **numbers}


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Annotations:
    """What several annotators make together."""

    status: Status
    """found: some rows are disputed."""
    reason: Reason | None = None
    consensus: tuple[Any, ...] = ()
    """A label for each row; None where nobody gave one."""
    quality: Array | None = None
    """How sure each is, shape (n,), 0 to 1; NaN where nobody gave a label."""
    disputed: tuple[int, ...] = ()
    """Rows, the least sure first."""
    annotators: tuple[Annotator, ...] = ()
    """The worst first."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        shown = [] if self.quality is None else [round(float(self.quality[row]), 4) for row in self.disputed]
        return {
            "status": self.status,
            "reason": self.reason,
            "disputed": [
                {"row": row, "consensus": self.consensus[row], "quality": quality}
                for row, quality in zip(self.disputed, shown, strict=True)
            ],
            "annotators": [one.to_dict() for one in self.annotators],
        }


def several_annotators(votes: pd.DataFrame, probabilities: Array, classes: Sequence[Any]) -> Annotations:
    """Settle labels that several people gave, with what a model that has not seen the rows says.

    votes: a column for each annotator, n rows, None or NaN where they gave no label. probabilities: shape (n, classes).
    Raises DataError ADC-DIAG-051 (a label is no class), 052 (probabilities are none), 057 (no column, or none named
    once).
    """
    names, known = tuple(classes), votes.notna().to_numpy()
    if not len(votes.columns) or not votes.columns.is_unique:
        raise DataError(
            "ADC-DIAG-057",
            "Labels of several annotators are one column for each of them, named once.",
            place="annotators",
            got=", ".join(map(str, votes.columns)) or "no column",
            hint="name the columns that hold the labels of the annotators",
        )
    shares = distribution(probabilities, len(votes), len(names))
    rows = np.flatnonzero(known.any(axis=1))
    if len(rows) < LEAST_ROWS:
        return Annotations(status="not_applicable", reason="there are too few rows")
    if not (known.sum(axis=1) >= 2).any():
        return Annotations(status="not_applicable", reason="no row has several labels")
    given = np.full(votes.shape, np.nan)
    for at, column in enumerate(votes.columns):
        labels = votes[column].to_numpy(dtype=object)[known[:, at]]
        given[known[:, at], at] = places(labels, names, str(column))
    consensus, quality = np.full(len(votes), -1), np.full(len(votes), np.nan)
    consensus[rows], quality[rows], of_people = _settled(given[rows], shares[rows])
    disputed = [int(row) for row in np.argsort(quality, kind="stable") if quality[row] < DISPUTED]
    people = tuple(_annotator(str(c), given, at, of_people.get(at)) for at, c in enumerate(votes.columns))
    return Annotations(
        status="found" if disputed else "passed",
        consensus=tuple(None if one < 0 else plain(names[one]) for one in consensus),
        quality=quality,
        disputed=tuple(disputed),
        annotators=tuple(sorted(people, key=lambda one: (1.0 if one.quality is None else one.quality, one.name))),
    )


def _settled(given: Array, shares: Array) -> tuple[Array, Array, dict[int, float]]:
    """Consensus and its quality, shape (n,) each, and the quality of each annotator by place."""
    from cleanlab.multiannotator import get_label_quality_multiannotator

    some = np.flatnonzero(np.isfinite(given).any(axis=0))
    frame = pd.DataFrame(given[:, some], columns=[int(one) for one in some])
    told = get_label_quality_multiannotator(frame, shares, verbose=False, return_detailed_quality=False)
    rows, people = told["label_quality"], told["annotator_stats"]
    quality = {int(name): float(value) for name, value in people["annotator_quality"].items()}
    return rows["consensus_label"].to_numpy(int), rows["consensus_quality_score"].to_numpy(float), quality


def _annotator(name: str, given: Array, at: int, quality: float | None) -> Annotator:
    own = given[:, at]
    others = np.delete(given, at, axis=1)
    both = np.isfinite(own)[:, None] & np.isfinite(others)
    shared = int(both.any(axis=1).sum())
    agreement = float((own[:, None] == others)[both].mean()) if shared else None
    labels = int(np.isfinite(own).sum())
    enough = shared >= LEAST_LABELS
    return Annotator(name=name, labels=labels, agreement=agreement, quality=quality if enough else None)
