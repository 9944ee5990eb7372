"""Unit tests that tell nothing: slices on which no two models ever differed, and slices that always move together.

Most of what moves slices is common to all of them: a bad setting makes each worse, a good dataset each better. So a
high correlation is not enough. Of two slices one tells nothing beside the other where what the other leaves of it does
not depend on what the models were made of: then no choice of data or settings would be another one without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from scipy.special import fdtri, ncfdtrinc

from autodc.diagnose.check import Reason, Status
from autodc.errors import DataError
from autodc.stats.simultaneous import sums

Array = np.ndarray[Any, Any]

TELLS_NOTHING = "ADC-D020"
"""A slice on which no two models differed."""
MOVE_TOGETHER = "ADC-D021"
"""Slices that always move together."""
LEAST_MODELS = 12
"""Different models below which nothing is said of a slice: with fewer it may be luck that they agree."""
LEAST_TOGETHER = 20
"""Different models below which nothing is said of two slices: with fewer a correlation is not known to be high."""
LEAST_PAIRS = 6
"""Models that were trained twice or more, from which the noise of a training is known."""
TOGETHER = 0.9
"""Correlation over models that two slices exceed, at 95%, to be told."""
OWN = 0.01
"""Share of what models differ on a slice that data and settings may move beyond another slice, at most, at 95%, for the
two to move together: a tenth of its standard deviation."""
SAME_ROWS = 0.9
"""Share of the rows of either that two slices have in common, from which that is the reason."""
STILL = 1e-9
"""Spread up to which values are the same."""
BETWEEN = 0.2
"""Share of the variance of a slice that is between models, not trainings of one; below it, at 95%, it is noise."""

Dullness = Literal["constant", "noise"]
"""constant: every model has the same value; noise: models differ no more than trainings of one model do."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Dull:
    """A slice that tells no model from another."""

    name: str
    kind: Dullness
    value: float
    """What the models have, in the mean."""
    spread: float
    """Standard deviation over all trainings."""
    between: float | None
    """For noise: the upper bound, at 95%, of the share of the spread that is between models."""
    rows: int | None

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        numbers = {n: round(float(getattr(self, n)), 6) for n in ("value", "spread")}
        between = None if self.between is None else round(self.between, 4)
        head = {"code": TELLS_NOTHING, "slice": self.name, "kind": self.kind}
        return {**head, **numbers, "between": between, "rows": self.rows}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Slices of which one tells what the others do."""

    names: tuple[str, ...]
    """The one to keep first: that of most rows."""
    correlation: float
    """The least of any two of them."""
    low: float
    """Its lower bound at 95% (Fisher)."""
    overlap: float | None
    """Rows that the two of least overlap have in common, as a share of the rows of either; None where not known."""

    @property
    def same_rows(self) -> bool:
        """Whether they move together because they are the same rows."""
        return self.overlap is not None and self.overlap >= SAME_ROWS

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        overlap = None if self.overlap is None else round(self.overlap, 4)
        numbers = {"correlation": round(self.correlation, 4), "low": round(self.low, 4)}
        head = {"code": MOVE_TOGETHER, "slices": list(self.names)}
        return {**head, **numbers, "overlap": overlap, "same_rows": self.same_rows}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTests:
    """What was found of the slices."""

    status: Status
    models: int
    """Different ones."""
    reason: Reason | None = None
    dull: tuple[Dull, ...] = ()
    together: tuple[Together, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "status": self.status,
            "reason": self.reason,
            "models": self.models,
            "dull": [one.to_dict() for one in self.dull],
            "together": [one.to_dict() for one in self.together],
        }


def unit_tests(
    values: Array,
    names: Sequence[str],
    *,
    models: Array | None = None,
    rows: Mapping[str, Array] | None = None,
    made_of: Array | None = None,
) -> UnitTests:
    """Find the slices that tell nothing, and those that tell the same.

    values: shape (trainings, slices), any unit; a slice with a NaN is judged on the trainings that have it. models:
    ints or text, shape (trainings,), the same for trainings of one plan with other seeds; left out, each is its own.
    rows: slice → positions of its rows. made_of: shape (trainings, d), what the models were made of in numbers (weights
    of datasets, settings); where it is not known two slices move together only if they are nearly the same.

    Raises DataError ADC-DIAG-054 where the shapes do not fit together.
    """
    values = np.asarray(values, dtype=float)
    plans = np.arange(len(values)) if models is None else np.unique(np.asarray(models), return_inverse=True)[1].ravel()
    if values.ndim != 2 or values.shape[1] != len(names) or len(plans) != len(values) or len(set(names)) < len(names):
        raise DataError(
            "ADC-DIAG-054",
            "Slices are judged by a table of a row for each training and a column for each slice.",
            place="values",
            got=f"shape {values.shape} for {len(names)} slices and {len(plans)} trainings",
            hint="name each column once, and give the model of every training",
        )
    if not len(names):
        return UnitTests(status="not_applicable", models=0, reason="there are too few slices")
    count = len(np.unique(plans))
    if count < LEAST_MODELS:
        return UnitTests(status="not_applicable", models=count, reason="there are too few trainings")
    found = [_dull(name, values[:, k], plans, rows) for k, name in enumerate(names)]
    dull = tuple(one for one in found if one is not None)
    lively = [k for k, one in enumerate(found) if one is None]
    together = _together(values, list(names), lively, plans, rows, made_of)
    status: Status = "found" if dull or together else "passed"
    return UnitTests(status=status, models=count, dull=dull, together=together)


def _dull(name: str, column: Array, plans: Array, rows: Mapping[str, Array] | None) -> Dull | None:
    known = np.isfinite(column)
    values, of = column[known], plans[known]
    if len(np.unique(of)) < LEAST_MODELS:
        return None
    size = None if rows is None or name not in rows else len(rows[name])
    value, spread = float(values.mean()), float(values.std())
    if np.ptp(values) <= STILL * max(1.0, abs(value)):
        return Dull(name=name, kind="constant", value=value, spread=0.0, between=None, rows=size)
    between = _between(values, of)
    if between is None or between >= BETWEEN:
        return None
    return Dull(name=name, kind="noise", value=value, spread=spread, between=between, rows=size)


def _between(values: Array, of: Array) -> float | None:
    """The upper bound, at 95%, of the share of the variance that is between models: one-way, random effects.

    Of unequal numbers of trainings their harmonic mean; Searle, Casella & McCulloch, Variance Components, 1992, 3.6.
    None where noise is not known: fewer than LEAST_PAIRS models with several trainings.
    """
    _, place, count = np.unique(of, return_inverse=True, return_counts=True)
    several = count >= 2
    if several.sum() < LEAST_PAIRS:
        return None
    kept = several[place]
    values, (_, place, count) = values[kept], np.unique(place[kept], return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=values) / count
    freedom = len(values) - len(means)
    within = float(((values - means[place]) ** 2).sum()) / freedom
    each = len(count) / (1 / count).sum()
    across = float(each * means.var(ddof=1))
    if within <= 0:
        return 1.0
    ratio = (across / within) / float(fdtri(len(means) - 1, freedom, 0.05))
    theta = max(0.0, (ratio - 1) / each)
    return float(theta / (1 + theta))


def _together(
    values: Array,
    names: list[str],
    lively: list[int],
    plans: Array,
    rows: Mapping[str, Array] | None,
    made_of: Array | None,
) -> tuple[Together, ...]:
    """Groups in which every two move together: the closest two join first, as long as all do."""
    _, place = np.unique(plans, return_inverse=True)
    means = _means(values, place)
    of = None if made_of is None else _means(np.asarray(made_of, dtype=float), place)
    links: dict[tuple[int, int], tuple[float, float]] = {}
    for at, a in enumerate(lively):
        for b in lively[at + 1 :]:
            correlation, low = _correlation(means[:, a], means[:, b])
            if low > TOGETHER and not _are_same_rows((names[a], names[b]), rows):
                low = low if _own(means[:, [a, b]], of) <= OWN else 0.0
            links[a, b] = links[b, a] = correlation, low
    groups = [[k] for k in lively]
    while True:
        merges = [
            (min(links[a, b][1] for a in one for b in other), i, j)
            for i, one in enumerate(groups)
            for j, other in enumerate(groups)
            if i < j
        ]
        best = max(merges, key=lambda one: (one[0], -one[1], -one[2]), default=(0.0, 0, 0))
        if best[0] <= TOGETHER:
            break
        groups[best[1]] += groups.pop(best[2])
    found = []
    for group in (group for group in groups if len(group) > 1):
        pairs = [links[a, b] for i, a in enumerate(group) for b in group[i + 1 :]]
        size = {k: 0 if rows is None or names[k] not in rows else len(rows[names[k]]) for k in group}
        ordered = tuple(names[k] for k in sorted(group, key=lambda k: (-size[k], k)))
        correlation, low = min(pairs)
        found.append(Together(names=ordered, correlation=correlation, low=low, overlap=_overlap(ordered, rows)))
    return tuple(sorted(found, key=lambda one: (-one.correlation, one.names)))


def _means(values: Array, place: Array) -> Array:
    """The mean of each model's trainings, NaN where it has none; shape (models, slices)."""
    known = np.isfinite(values)
    total, counts = sums(np.where(known, values, 0.0), place), sums(known.astype(float), place)
    return np.asarray(np.divide(total, counts, out=np.full(total.shape, np.nan), where=counts > 0))


def _correlation(a: Array, b: Array) -> tuple[float, float]:
    """Pearson's correlation and its lower bound at 95%, one-sided; 0 with fewer than LEAST_TOGETHER models."""
    known = np.isfinite(a) & np.isfinite(b)
    n = int(known.sum())
    if n < LEAST_TOGETHER or min(np.ptp(a[known]), np.ptp(b[known])) <= STILL:
        return 0.0, 0.0
    found = float(np.clip(np.corrcoef(a[known], b[known])[0, 1], -1.0, 1.0 - 1e-12))
    return found, float(np.tanh(np.arctanh(found) - 1.645 / np.sqrt(n - 3)))


def _own(pair: Array, made_of: Array | None) -> float:
    """The share of what models differ on either slice that they may be made for beyond the other: its bound at 95%.

    The difference of the two, each in its own standard deviations, is regressed on what the models were made of; the
    bound of the R² is that of the noncentral F (Cohen, Statistical Power Analysis, 1988, 9.2). pair: shape (models, 2).
    """
    known = np.isfinite(pair).all(axis=1)
    values, n = pair[known], int(known.sum())
    a, b = ((values - values.mean(axis=0)) / values.std(axis=0)).T
    rest = a - b
    total = float(rest @ rest)
    columns = np.zeros((n, 0)) if made_of is None else made_of[known] - made_of[known].mean(axis=0)
    rank = int(np.linalg.matrix_rank(columns)) if columns.size else 0
    freedom = n - rank - 1
    if total <= STILL * n:
        return 0.0
    if not rank or freedom < 1:
        return total / n
    error = rest - columns @ np.linalg.lstsq(columns, rest, rcond=None)[0]
    unexplained = float(error @ error)
    if unexplained <= STILL * total:
        return total / n
    statistic = ((total - unexplained) / rank) / (unexplained / freedom)
    away = float(ncfdtrinc(rank, freedom, 0.05, statistic)) if fdtri(rank, freedom, 0.05) < statistic else 0.0
    return total / n * away / (away + n)


def _are_same_rows(names: tuple[str, ...], rows: Mapping[str, Array] | None) -> bool:
    return (_overlap(names, rows) or 0.0) >= SAME_ROWS


def _overlap(names: tuple[str, ...], rows: Mapping[str, Array] | None) -> float | None:
    if rows is None or any(name not in rows for name in names):
        return None
    sets = [set(np.asarray(rows[name]).tolist()) for name in names]
    return min(len(a & b) / max(1, len(a | b)) for i, a in enumerate(sets) for b in sets[i + 1 :])
