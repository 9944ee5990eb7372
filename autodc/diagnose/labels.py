"""Likely wrong labels, by confident learning: what a model that has not seen a row says against what stands there.

Source: Northcutt, Jiang & Chuang, Confident Learning, JAIR 2021, as cleanlab has it; several annotators: Goh, Tkachenko
& Mueller, CROWDLAB, 2022. Classes that overlap are told apart from wrong labels by two things: overlap confuses both
ways, and the label that stands there is among the next best.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy import stats

from autodc.diagnose.check import Reason, Status, distribution, places, plain

Array = np.ndarray[Any, Any]

CODE = "ADC-D010"
"""Likely wrong labels."""
LEAST_ROWS = 50
LEAST_OF_CLASS = 5
"""Rows, and rows of each of two classes, below which nothing is said."""
LEAST_OF_PAIR = 5
"""Rows that a pair of classes needs to be told."""
LEVEL = 0.05
"""Chance at which a pair of classes, a dataset or scattered labels are told where nothing is wrong; Holm over pairs."""
MISCALIBRATED = 1.5
"""How many times more often than a calibrated model expects two classes may be confused; it is less well calibrated for
two than for all."""
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
    """0 to 1, up is more surely wrong: one minus the probability of the given class; of
    a number how far it lies out."""
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
class ClassPair:
    """Rows labelled as one class that look like another."""

    given: Any
    likely: Any
    rows: int
    reverse: int
    """The same the other way round."""
    expected: float
    """As many as overlap of the two classes explains."""
    share: float
    """Of the rows labelled `given`."""
    chance: float
    """Of so many this way rather than the other, were it overlap; Holm's correction over pairs."""

    @property
    def is_told(self) -> bool:
        """Whether overlap does not explain it."""
        return self.chance < LEVEL

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "given": plain(self.given),
            "likely": plain(self.likely),
            "rows": self.rows,
            "reverse": self.reverse,
            "expected": round(self.expected, 2),
            "share": round(self.share, 4),
            "chance": float(f"{self.chance:.2g}"),
            "told": self.is_told,
        }


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetLabels:
    """Likely wrong labels of one dataset."""

    name: str
    rows: int
    suspects: int
    share: float
    low: float
    high: float
    """low, high: 95%, of the share (Wilson); a group counts as one row."""
    others: float | None
    """The share in all other datasets together."""
    chance: float
    """Of so many more than in the others, were labels alike; Holm's correction over datasets."""

    @property
    def is_told(self) -> bool:
        """Whether it has more than the others."""
        return self.chance < LEVEL and self.suspects >= LEAST_OF_PAIR

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        numbers = {n: round(float(getattr(self, n)), 4) for n in ("share", "low", "high")}
        others = None if self.others is None else round(self.others, 4)
        head = {"name": self.name, "rows": self.rows, "suspects": self.suspects}
        return {**head, **numbers, "others": others, "told": self.is_told}


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
    pairs = _pairs(given, shares, flagged, names, learned)
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


def of_datasets(flagged: Array, of: Array, groups: Array | None) -> tuple[DatasetLabels, ...]:
    """Count the suspects of each dataset, and say which has more than the others.

    flagged, of: shape (n,); of: names. groups: ints, shape (n,); a group of which any row is flagged counts as one.
    """
    units = np.arange(len(of)) if groups is None else np.asarray(groups)
    names, found = sorted(set(of)), []
    for name in names:
        (hits, size), (wrong, apart) = (_counted(flagged[part], units[part]) for part in (of == name, of != name))
        table = np.array([[hits, size - hits], [wrong, apart - wrong]])
        chance = float(stats.fisher_exact(table, alternative="greater").pvalue) if apart else 1.0
        found.append((name, hits / size, _wilson(hits / size, size), wrong / apart if apart else None, chance))
    corrected = _holm([one[-1] for one in found])
    parts = [
        DatasetLabels(
            name=name,
            rows=int((of == name).sum()),
            suspects=int(flagged[of == name].sum()),
            share=share,
            low=low,
            high=high,
            others=others,
            chance=chance,
        )
        for (name, share, (low, high), others, _), chance in zip(found, corrected, strict=True)
    ]
    return tuple(sorted(parts, key=lambda one: (-one.share, one.name)))


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
    """Which rows confident learning would look at again, and how surely each is wrong; both of shape (n,)."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    present = np.flatnonzero(np.bincount(given, minlength=shares.shape[1]) >= LEAST_OF_CLASS)
    rows = np.flatnonzero(np.isin(given, present))
    some = shares[np.ix_(rows, present)] + 1e-12
    some /= some.sum(axis=1, keepdims=True)
    flagged = np.zeros(len(given), dtype=bool)
    flagged[rows] = find_label_issues(np.searchsorted(present, given[rows]), some, n_jobs=1)
    score = 1 - np.asarray(get_label_quality_scores(given, shares, method="self_confidence"), dtype=float)
    return flagged & (shares.argmax(axis=1) != given), score


def _pairs(given: Array, shares: Array, flagged: Array, names: tuple[Any, ...], learned: bool) -> tuple[ClassPair, ...]:
    likely = shares.argmax(axis=1)
    count, unsure = _counts(given[flagged], likely[flagged]), _counts(given[~flagged], likely[~flagged])
    sizes, calibrated = np.bincount(given, minlength=len(names)), shares if learned else _calibrated(given, shares)
    told: list[tuple[tuple[int, int], float, float]] = []
    for a, b in sorted(count):
        rows, reverse = count[a, b], count[b, a]
        if learned:
            natural = _natural(unsure[a, b], unsure[b, a], sizes[b] / (sizes[a] + sizes[b]))
            expected, chance = (rows + reverse) * natural, float(stats.binom.sf(rows - 1, rows + reverse, natural))
        else:
            every, means = rows + unsure[a, b], MISCALIBRATED * float(calibrated[likely == b, a].sum())
            expected, chance = means * rows / every, float(stats.poisson.sf(every - 1, means))
        told.append(((a, b), expected, chance if rows >= LEAST_OF_PAIR and rows > expected else 1.0))
    tried = [k for k, (_, _, chance) in enumerate(told) if chance < 1.0]
    corrected = dict(zip(tried, _holm([told[k][-1] for k in tried]), strict=True))
    pairs = [
        ClassPair(
            given=names[a],
            likely=names[b],
            rows=count[a, b],
            reverse=count[b, a],
            expected=expected,
            share=count[a, b] / sizes[a],
            chance=corrected.get(k, 1.0),
        )
        for k, ((a, b), expected, _) in enumerate(told)
    ]
    return tuple(sorted(pairs, key=lambda one: (one.expected - one.rows, -one.rows)))


def _counts(given: Array, likely: Array) -> Counter[tuple[int, int]]:
    return Counter(zip(given.tolist(), likely.tolist(), strict=True))


def _natural(way: int, other: int, larger: float) -> float:
    """The share of the rows of two overlapping classes that is confused one way.

    As of the rows that are not flagged: a model that favours a class does so there too; and no less than half, nor
    than the share of the class that they are confused with.
    """
    return max(0.5, larger, (way + 1) / (way + other + 2))


def _calibrated(given: Array, shares: Array) -> Array:
    """Probabilities at the temperature at which they say best how often each label stands there."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    logs, every = np.log(shares + 1e-9), np.arange(len(given))
    told = minimize_scalar(
        lambda slope: -float(log_softmax(np.exp(slope) * logs, axis=1)[every, given].mean()),
        bounds=(np.log(0.1), np.log(10.0)),
        method="bounded",
    )
    return np.asarray(np.exp(log_softmax(np.exp(told.x) * logs, axis=1)))


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
    if count < LEAST_OF_PAIR or stats.binom.sf(count - 1, rows, REMOTE_LEAST) >= LEVEL:
        return 0, remote
    return round(count * (classes - 1) / (classes - 1 - classes // 2)), remote


def _counted(flagged: Array, units: Array) -> tuple[int, int]:
    """Units with a suspect, and units."""
    return len(np.unique(units[flagged])), len(np.unique(units))


def _holm(chances: list[float]) -> list[float]:
    """Holm's correction."""
    order = np.argsort(chances, kind="stable")
    steps = np.array(chances)[order] * np.arange(len(chances), 0, -1) if chances else np.zeros(0)
    corrected = np.empty(len(chances))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(one) for one in corrected]


def _wilson(share: float, n: int) -> tuple[float, float]:
    """95% for a share."""
    z = 1.96
    centre, width = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float((centre - width) / (1 + z * z / n)), float((centre + width) / (1 + z * z / n))
