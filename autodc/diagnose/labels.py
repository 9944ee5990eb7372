"""Likely wrong labels, by confident learning: what a model that has not seen a row says against what stands there.

Source: Northcutt, Jiang & Chuang, Confident Learning, JAIR 2021, as cleanlab has it. Classes that overlap are no wrong
labels: overlap confuses both ways, or as often as the model expects (autodc/diagnose/class_pairs.py), and the label
that stands there is among the next best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import scipy

from autodc.diagnose.chances import LEAST_OF_PAIR, LEVEL
from autodc.diagnose.check import Reason, Status, distribution, places, plain
from autodc.diagnose.class_pairs import ClassPair, class_pairs
from autodc.diagnose.labels_of_datasets import DatasetLabels, of_datasets

Array = np.ndarray[Any, Any]

CODE = "ADC-D010"
"""Likely wrong labels."""
LEAST_ROWS = 50
LEAST_OF_CLASS = 5
"""Rows, and rows of each of two classes, below which nothing is said."""
LEAST_AGREEMENT = 0.35
"""Cohen's kappa of labels and model below which their differences tell of the model."""
MANY_CLASSES = 6
"""From so many classes on a wrong label can be known by its being far from the best."""
REMOTE_LEAST = 0.01
"""Share of rows with a remote label up to which it is put down to the model."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A row of which the label is likely wrong."""

    row: int
    """Its position among the rows that were looked at."""
    given: Any
    likely: Any
    """What it should be: a class, or of a number what a model says."""
    score: float
    """0 to 1, up is more surely wrong: one minus the probability of the given class; of a number how far it
    lies out."""
    sure: bool
    """Whether more than the overlap of classes speaks for it: its pair is told, or its label is remote."""
    dataset: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        named = {} if self.dataset is None else {"dataset": self.dataset}
        values = {"given": plain(self.given), "likely": plain(self.likely)}
        return {"row": self.row, **named, **values, "score": round(self.score, 4), "sure": self.sure}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What was found of labels."""

    status: Status
    """found: more than overlap of classes explains; passed: suspects, if any, may be overlap."""
    rows: int
    reason: Reason | None = None
    suspects: tuple[Suspect, ...] = ()
    """The sure ones first, then by score."""
    pairs: tuple[ClassPair, ...] = ()
    """By how many more they are than overlap explains."""
    datasets: tuple[DatasetLabels, ...] = ()
    """By share, the largest first."""
    scattered: int = 0
    """How many labels are likely wrong at random, estimated from those that are far from the best."""

    @property
    def code(self) -> str | None:
        """The code of the finding, where there is one."""
        return CODE if self.status == "found" else None

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "code": self.code,
            "status": self.status,
            "reason": self.reason,
            "rows": self.rows,
            "scattered": self.scattered,
            "pairs": [one.to_dict() for one in self.pairs],
            "datasets": [one.to_dict() for one in self.datasets],
            "suspects": [one.to_dict() for one in self.suspects],
        }


def wrong_labels(
    target: Array,
    probabilities: Array | None,
    classes: Sequence[Any],
    *,
    datasets: Array | None = None,
    groups: Array | None = None,
    learned: bool = False,
) -> Labels:
    """Find the rows of which the class is likely wrong.

    target: labels, shape (n,). probabilities: shape (n, classes), of a model that has not seen the rows; of validation
    they are, of training rows they come from `cross_validated`. learned: whether the model learned from labels of the
    same make, as in cross-validation: then it expects their errors, and overlap is known by its going both ways; else
    by what the model, calibrated, expects. datasets: the name of each row's dataset, shape (n,).
    groups: ints, shape (n,); rows of one number count as one observation.

    Raises DataError ADC-DIAG-051 (a label is no class), 052 (probabilities are none).
    """
    target, names = np.asarray(target), tuple(classes)
    if target.ndim != 1 or not names:
        return Labels(status="not_applicable", rows=len(target), reason="targets are no classes")
    if probabilities is None:
        return Labels(status="not_applicable", rows=len(target), reason="there are no probabilities")
    given, shares = places(target, names, "target"), distribution(probabilities, len(target), len(names))
    if reason := _unfit(given, len(names)):
        return Labels(status="not_applicable", rows=len(target), reason=reason)
    likely = shares.argmax(axis=1)
    if _agreement(given, likely) < LEAST_AGREEMENT:
        return Labels(status="not_applicable", rows=len(target), reason="the model tells too little of the classes")
    flagged, score = _confident(given, shares)
    pairs = class_pairs(given, shares, flagged, names, learned)
    scattered, remote = _scattered(given, shares, flagged)
    told = {(str(one.given), str(one.likely)) for one in pairs if one.is_told}
    of = None if datasets is None else np.asarray(datasets).astype(str)
    suspects = [
        Suspect(
            row=int(row),
            given=names[given[row]],
            likely=names[likely[row]],
            score=float(score[row]),
            sure=(str(names[given[row]]), str(names[likely[row]])) in told or bool(remote[row] and scattered),
            dataset=None if of is None else str(of[row]),
        )
        for row in np.flatnonzero(flagged)
    ]
    parts = () if of is None else of_datasets(flagged, of, groups)
    found = bool(told) or scattered > 0 or any(part.is_told for part in parts)
    return Labels(
        status="found" if found else "passed",
        rows=len(target),
        suspects=tuple(sorted(suspects, key=lambda one: (not one.sure, -one.score, one.row))),
        pairs=pairs,
        datasets=parts,
        scattered=scattered,
    )


def doubted(given: Array, shares: Array) -> Array:
    """Which rows confident learning would look at again, shape (n,); none of classes of few rows.

    given: class codes, shape (n,). shares: shape (n, classes), of a model that has not seen the rows.
    """
    from cleanlab.filter import find_label_issues

    flagged = np.zeros(len(given), dtype=bool)
    present = np.flatnonzero(np.bincount(given, minlength=shares.shape[1]) >= LEAST_OF_CLASS)
    if len(present) < 2:
        return flagged
    rows = np.flatnonzero(np.isin(given, present))
    some = shares[np.ix_(rows, present)] + 1e-12
    some /= some.sum(axis=1, keepdims=True)
    flagged[rows] = find_label_issues(np.searchsorted(present, given[rows]), some, n_jobs=1)
    return flagged


def _unfit(given: Array, classes: int) -> Reason | None:
    count = np.bincount(given, minlength=classes)
    if len(given) < LEAST_ROWS:
        return "there are too few rows"
    if (count > 0).sum() < 2:
        return "there is only one class"
    return "there are too few rows of a class" if (count >= LEAST_OF_CLASS).sum() < 2 else None


def _agreement(given: Array, likely: Array) -> float:
    """Cohen's kappa."""
    size = max(int(given.max()), int(likely.max())) + 1
    a, b = (np.bincount(one, minlength=size) / len(given) for one in (given, likely))
    by_chance = float(a @ b)
    return (float((given == likely).mean()) - by_chance) / max(1e-12, 1 - by_chance)


def _confident(given: Array, shares: Array) -> tuple[Array, Array]:
    """Which rows are doubted and have another best class, and how surely each is wrong; both of shape (n,)."""
    from cleanlab.rank import get_label_quality_scores

    score = 1 - np.asarray(get_label_quality_scores(given, shares, method="self_confidence"), dtype=float)
    return doubted(given, shares) & (shares.argmax(axis=1) != given), score


def _scattered(given: Array, shares: Array, flagged: Array) -> tuple[int, Array]:
    """How many labels are wrong at random, and which rows have a label that is far from the best, shape (n,).

    A label by chance is equally likely at every place behind the best; one of overlapping classes is among the first.
    """
    rows, classes = shares.shape
    if classes < MANY_CLASSES:
        return 0, np.zeros(rows, dtype=bool)
    own = shares[np.arange(rows), given]
    behind = (shares > own[:, None]).sum(axis=1)
    remote = flagged & (behind > classes // 2)
    count = int(remote.sum())
    if count < LEAST_OF_PAIR or scipy.stats.binom.sf(count - 1, rows, REMOTE_LEAST) >= LEVEL:
        return 0, remote
    return round(count * (classes - 1) / (classes - 1 - classes // 2)), remote
