"""How a stream differs from validation: a classifier that tells them apart, a test and shares for each attribute."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from scipy.stats import chi2_contingency, ks_2samp, norm
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from autodc.diagnose.chances import holm
from autodc.diagnose.shadow.columns import Column, Columns
from autodc.diagnose.shadow.failure import auroc

Array = np.ndarray[Any, Any]

LEVEL = 0.01
"""Chance, over all attributes together, that one is told that has not moved."""
LEAST_MOVE = 0.05
"""Share of the rows that would have to change; what moves less is not told, however sure it is."""
LEAST_AUROC = 0.03
"""How far beyond a half a classifier must tell stream and validation apart."""
FOLDS = 3
MOST = 20_000
"""Rows of either side that are compared."""
MOST_RATIO = 50.0
BINS = 5
"""Ranges of a number, by fifths of validation, of which shares are compared."""
FACTOR = 1.5
"""Told are shares that differ by so much."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An attribute whose values are others in the stream."""

    attribute: str
    distance: float
    """Share of rows that would have to change: Kolmogorov–Smirnov, or total variation of categories."""
    p: float
    """Corrected for the number of attributes (Holm)."""
    validation: Any
    stream: Any
    """validation, stream: the medians; of a category the value that moved most, with its two shares."""
    value: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        value = {} if self.value is None else {"value": self.value}
        told = {"distance": round(self.distance, 4), "p": float(f"{self.p:.3g}")}
        return {"attribute": self.attribute, **value, "validation": self.validation, "stream": self.stream, **told}


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Domain:
    """Tells the stream from validation by the conditions of a row."""

    trees: tuple[Any, ...]
    curve: Any
    known: Array
    """How many times as common the conditions of each validation row are in the stream, out of fold, shape (m,)."""
    sampled: Array
    """The same of the sampled rows of the stream, shape (k,)."""
    auroc: float
    low: float
    """Of the area, a lower bound at 1%: above a half they differ."""

    @property
    def differs(self) -> bool:
        """Whether the two are told apart, for sure and by enough."""
        return self.low > 0.5 and self.auroc > 0.5 + LEAST_AUROC

    def ratio(self, features: Array) -> Array:
        """How many times as common the conditions of rows are in the stream as in validation, shape (n,)."""
        if not self.trees:
            return np.ones(len(features))
        return _ratio(self.curve, np.mean([tree.decision_function(features) for tree in self.trees], axis=0))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A condition that a held-out set has more or less of than the stream."""

    attribute: str
    says: str
    """The condition, as a person reads it."""
    held: float
    stream: float
    """held, stream: shares of the rows."""
    of: str
    """The held-out set."""

    @property
    def factor(self) -> float:
        """How many times the share of the larger side is that of the other."""
        low, high = sorted((self.held, self.stream))
        return high / low if low > 0 else float("inf")

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        factor = None if np.isinf(self.factor) else round(self.factor, 2)
        shares = {"share": round(self.held, 4), "stream": round(self.stream, 4)}
        verb = "over-represents" if self.held > self.stream else "under-represents"
        return {"of": self.of, "verb": verb, "says": self.says, "attribute": self.attribute, **shares, "factor": factor}


def domain(known: Array, stream: Array, categorical: Array, seed: int) -> Domain:
    """Learn to tell a sample of the stream from validation, across folds. known: (m, d); stream: (k, d) features."""
    rng = np.random.default_rng(seed)
    y = np.repeat([False, True], [len(known), len(stream)])
    x = np.concatenate([known, stream])
    if x.shape[1] == 0 or min(len(known), len(stream)) < 10 * FOLDS:
        return Domain(trees=(), curve=None, known=np.ones(len(known)), sampled=np.ones(len(stream)), auroc=0.5, low=0.5)
    fold = np.empty(len(y), dtype=int)
    for side in (y, ~y):
        fold[side] = rng.permutation(np.arange(side.sum()) % FOLDS)
    scores, trees = np.zeros(len(y)), []
    for k in range(FOLDS):
        tree = HistGradientBoostingClassifier(
            learning_rate=0.08,
            max_iter=80,
            max_leaf_nodes=16,
            min_samples_leaf=int(np.clip(len(y) // 100, 10, 100)),
            l2_regularization=5.0,
            max_features=0.5,
            categorical_features=categorical if categorical.any() else None,
            early_stopping=False,
            random_state=seed + k,
        ).fit(x[fold != k], y[fold != k])
        scores[fold == k] = tree.decision_function(x[fold == k])
        trees.append(tree)
    line = LogisticRegression(C=10.0).fit(scores[:, None], y)
    slope, share = float(line.coef_[0, 0]), float(np.log(len(known) / len(stream)))
    curve = (slope, float(line.intercept_[0]), share) if slope > 0 else (0.0, -share, share)  # nothing to tell apart
    area = auroc(y, scores) or 0.5
    return Domain(
        trees=tuple(trees),
        curve=curve,
        known=_ratio(curve, scores[~y]),
        sampled=_ratio(curve, scores[y]),
        auroc=area,
        low=area - float(norm.ppf(1 - LEVEL)) * _deviation(area, len(known), len(stream)),
    )


def moved(columns: Columns, known: Array, stream: Array) -> tuple[Moved, ...]:
    """The attributes of which the values are others, the most moved first, what only sums up last.

    known, stream: as `columns` encodes them.
    """
    found = []
    for at, one in enumerate(columns.columns):
        mine, theirs = known[:, at], stream[:, at]
        test = _of_categories(one, mine, theirs) if one.is_category else _of_numbers(one, mine, theirs)
        if test is not None:
            found.append(test)
    corrected = [replace(one, p=p) for one, p in zip(found, holm([one.p for one in found]), strict=True)]
    sure = [one for one in corrected if one.p < LEVEL and one.distance >= LEAST_MOVE]
    last = {one.name for one in columns.columns if one.sums_up}
    return tuple(sorted(sure, key=lambda one: (one.attribute in last, -one.distance)))


def shares(columns: Columns, known: Array, stream: Array, of: str) -> tuple[Share, ...]:
    """The conditions that a held-out set has FACTOR times as often as the stream, or as rarely, and surely so."""
    found = []
    for at, one in enumerate(columns.columns):
        if one.sums_up:
            continue
        mine, theirs = known[:, at], stream[:, at]
        for says, a, b in _cells(one, mine, theirs):
            share = Share(attribute=one.name, says=says, held=float(a.mean()), stream=float(b.mean()), of=of)
            if max(share.held, share.stream) >= 0.02 and share.factor >= FACTOR and _surely(a, b, len(columns)):
                found.append(share)
    return tuple(sorted(found, key=lambda one: -abs(one.held - one.stream)))


def _cells(one: Column, mine: Array, theirs: Array) -> Sequence[tuple[str, Array, Array]]:
    """The conditions of one attribute, each with who is in it on either side."""
    name, cells = one.name, []
    if one.values is not None:
        for code, value in enumerate([*one.values, "another value"]):
            cells.append((f"{name} = {value}", mine == code, theirs == code))
    else:
        values = mine[~np.isnan(mine)]
        edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1])) if len(values) else np.zeros(0)
        ends = [-np.inf, *edges.tolist(), np.inf]
        for low, high in itertools.pairwise(ends):
            says = f"{name} < {high:.4g}" if np.isinf(low) else f"{name} >= {low:.4g}"
            says = says if np.isinf(low) or np.isinf(high) else f"{low:.4g} <= {name} < {high:.4g}"
            cells.append((says, (mine >= low) & (mine < high), (theirs >= low) & (theirs < high)))
    if np.isnan(mine).any() or np.isnan(theirs).any():
        cells.append((f"{name} missing", np.isnan(mine), np.isnan(theirs)))
    return cells


def _surely(a: Array, b: Array, tests: int) -> bool:
    """Whether two shares differ, over all attributes and their ranges together."""
    share = (a.sum() + b.sum()) / (len(a) + len(b))
    deviation = np.sqrt(max(share * (1 - share), 1e-12) * (1 / len(a) + 1 / len(b)))
    return bool(2 * norm.sf(abs(a.mean() - b.mean()) / deviation) < LEVEL / max(1, tests * (BINS + 1)))


def _of_numbers(one: Column, mine: Array, theirs: Array) -> Moved | None:
    """Kolmogorov–Smirnov among rows that have a value; where more or fewer have none, that is the test."""
    known, seen = mine[~np.isnan(mine)], theirs[~np.isnan(theirs)]
    gaps = _of_shares(one, np.isnan(mine), np.isnan(theirs))
    if not len(known) or not len(seen):
        return gaps
    test = ks_2samp(known, seen, method="asymp")
    middle = [float(f"{np.median(values):.5g}") for values in (known, seen)]
    numbers = Moved(
        attribute=one.name, distance=float(test.statistic), p=float(test.pvalue), validation=middle[0], stream=middle[1]
    )
    return numbers if gaps is None or gaps.p >= numbers.p else gaps


def _of_shares(one: Column, mine: Array, theirs: Array) -> Moved | None:
    if not (mine.any() or theirs.any()) or (mine.all() and theirs.all()):
        return None
    counts = np.array([[mine.sum(), (~mine).sum()], [theirs.sum(), (~theirs).sum()]])
    p, told = float(chi2_contingency(counts).pvalue), [round(float(side.mean()), 4) for side in (mine, theirs)]
    distance = abs(float(mine.mean()) - float(theirs.mean()))
    return Moved(attribute=one.name, distance=distance, p=p, validation=told[0], stream=told[1], value="(missing)")


def _of_categories(one: Column, mine: Array, theirs: Array) -> Moved | None:
    """Chi-squared over the values, a missing one among them."""
    values = [*(one.values or ()), "(another)", "(missing)"]
    sides = [
        np.bincount(np.where(np.isnan(side), len(values) - 1, side).astype(int), minlength=len(values))
        for side in (mine, theirs)
    ]
    table = np.stack(sides)
    there = table.sum(axis=0) > 0
    if there.sum() < 2:
        return None
    share = table / table.sum(axis=1, keepdims=True)
    most = int(np.abs(share[1] - share[0]).argmax())
    return Moved(
        attribute=one.name,
        distance=float(np.abs(share[1] - share[0]).sum() / 2),
        p=float(chi2_contingency(table[:, there]).pvalue),
        validation=round(float(share[0, most]), 4),
        stream=round(float(share[1, most]), 4),
        value=str(values[most]),
    )


def _ratio(curve: tuple[float, float, float], scores: Array) -> Array:
    slope, offset, share = curve
    return np.asarray(np.exp(np.clip(slope * scores + offset + share, -np.log(MOST_RATIO), np.log(MOST_RATIO))))


def _deviation(area: float, one: int, other: int) -> float:
    """Standard error of an area under the curve. Source: Hanley and McNeil 1982."""
    a, b = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (one - 1) * (a - area**2) + (other - 1) * (b - area**2)
    return float(np.sqrt(max(variance, 0.0) / (one * other)))
