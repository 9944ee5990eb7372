"""Why: the attributes by which rows that fail differ from rows of their class that pass, the widest gap first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.diagnose.attribute_distance import apart, as_difference
from autodc.diagnose.finding import Cause
from autodc.diagnose.measured import Measured, measured, strata
from autodc.diagnose.view import View
from autodc.large import distinct_values
from autodc.stats.simultaneous import by_unit, critical, standard_errors, sums

Array = np.ndarray[Any, Any]

SPREAD_PAYS = 1.3
"""A distance from the usual is told instead of the level where its gap is so many times as wide: what moves to one side
is far from the usual too."""
SHAPE_PAYS = 1.3
"""What is told by the shape alone (apart.py) comes first where it is so many times as wide as a difference of means."""
TWIN = 0.95
"""Correlation within classes from which on an attribute is nearly the same as one told before."""
EXPLAINED = 0.5
"""An attribute goes with an earlier one that explains more than this share of its gap."""


def causes(view: View, inside: Array, *, most: int = 5, alpha: float = 0.05, seed: int = 0) -> tuple[Cause, ...]:
    """Tell the attributes that set the failing rows of a finding apart from passing rows of their classes.

    The difference of an attribute is the mean over the failing rows inside, less the mean of all passing rows of the
    same class, in standard deviations within classes (of both sides alike, Cohen's d); of categories and of missing
    values the difference of shares. Numbers far out are drawn in. The intervals hold together for all attributes,
    1 − alpha, with groups as units; an attribute of which the interval has zero in it is none. The widest gap comes
    first, or what lies as far apart in another way (apart.py). Where a class has no passing row its failing rows say
    nothing, and where none is left, or the failing rows are of one group, the answer is empty.

    inside: shape (n,) of booleans. Outside classification, rows of like targets (fifths) are compared.
    """
    within = strata(view)
    failing, passing = comparable(within, np.asarray(inside, dtype=bool) & view.failed, ~view.failed)
    if most < 1 or len(distinct_values(view.groups[failing])) < 2:
        return ()
    columns = measured(view.attributes, within, passing)
    if not columns:
        return ()
    rng = seeds.generator(seed, "causes")
    gaps = _gaps(columns, within, failing, passing, view.groups, alpha, rng)
    real = np.flatnonzero((gaps.low > 0) | (gaps.high < 0))
    chosen = one_each(columns, real, gaps.worth)
    order, goes_with = in_order(gaps.effect[chosen], gaps.moved[:, chosen], most, gaps.worth[chosen])
    return tuple(
        _told(columns[chosen[place]], gaps, chosen[place], None if k is None else columns[chosen[k]].attribute)
        for place, k in zip(order, goes_with, strict=True)
    )


def comparable(within: Array, failing: Array, passing: Array) -> tuple[Array, Array]:
    """The rows of either side in strata that have a row of each, two booleans of shape (n,)."""
    size = int(within.max(initial=-1)) + 1
    both = (np.bincount(within[failing], minlength=size) > 0) & (np.bincount(within[passing], minlength=size) > 0)
    return failing & both[within], passing & both[within]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Gaps:
    """Of k columns."""

    difference: Array
    low: Array
    high: Array
    failing: Array
    passing: Array
    """failing, passing: means in the own unit, or shares."""
    effect: Array
    """The difference, of shares that of their arcsines (Cohen's h), shape (k,)."""
    apart: Array
    """Share of either side that has none of the other in its place, shape (k,)."""
    worth: Array
    """What the order is made of, shape (k,): the effect, or what lies as far apart."""
    moved: Array
    """Failing and passing rows less the mean of their side and class, each side of the weight of half, shape (m, k)."""


def _gaps(
    columns: list[Measured],
    within: Array,
    failing: Array,
    passing: Array,
    groups: Array,
    alpha: float,
    rng: np.random.Generator,
) -> _Gaps:
    rows = np.flatnonzero(failing | passing)
    fails, place = failing[rows], within[rows]
    drawn = np.stack([one.drawn for one in columns], axis=1)[rows]
    shares = np.array([one.is_share for one in columns])
    mean, influence, scale = _matched(drawn, fails, place)
    scale = np.where(shares, 1.0, scale)
    difference, influence = mean / scale, influence / scale
    units = by_unit(influence, groups[rows])
    error = standard_errors(units)
    failed = np.where(fails[:, None], drawn, 0.0)
    count = len(distinct_values(groups[rows][fails]))
    near = np.where(shares, (np.nansum(failed, axis=0) / fails.sum() * count + 1) / (count + 2), 0.0)
    error = np.where(shares, np.maximum(error, np.sqrt(near * (1 - near) / count)), error)
    wide = error * critical(units, error, count - 1, alpha, rng)
    own = np.stack([one.own for one in columns], axis=1)[rows]
    known = fails[:, None] & ~np.isnan(own)
    inside = np.where(known, own, 0.0).sum(0) / np.maximum(known.sum(0), 1)
    effect = np.where(shares, _arcsine(inside) - _arcsine(inside - mean), difference)
    far = np.where(shares, np.abs(mean), apart(own, fails, place))
    shape = np.where(shares, 0.0, as_difference(far, int(fails.sum())) / SHAPE_PAYS)
    return _Gaps(
        difference=difference,
        low=difference - wide,
        high=difference + wide,
        failing=inside,
        passing=inside - _matched(own, fails, place)[0],
        effect=effect,
        apart=far,
        worth=np.maximum(np.abs(effect), shape),
        moved=_centred(drawn, fails, place),
    )


def _matched(values: Array, fails: Array, place: Array) -> tuple[Array, Array, Array]:
    """The class-matched gap (k,), what each row adds to its error (n, k), the deviation within passing rows (k,).

    A failing row is compared with the mean of passing rows of its stratum; a missing value says nothing.
    """
    there = ~np.isnan(values)
    filled = np.where(there, values, 0.0)
    counts, total = (sums(np.where(fails[:, None], 0.0, part), place) for part in (there.astype(float), filled))
    usual = np.divide(total, counts, out=np.full_like(total, np.nan), where=counts > 0)
    away = filled - usual[place]
    use = there & ~np.isnan(away)
    away = np.where(use, away, 0.0)
    failing = fails[:, None] & use
    number = failing.sum(0)
    at_least = np.maximum(number, 1)
    gap = np.where(failing, away, 0.0).sum(0) / at_least
    weight = sums(failing.astype(float), place) / at_least
    few = np.sqrt(counts / np.maximum(counts - 1, 1)) / np.maximum(counts, 1)
    of_failing = (away - gap) / np.sqrt(at_least * np.maximum(number - 1, 1))
    influence = np.where(failing, of_failing, 0.0) - np.where(fails[:, None], 0.0, away * (weight * few)[place])
    passing = use & ~fails[:, None]
    usual_square = (np.where(passing, away, 0.0) ** 2).sum(0) / np.maximum(passing.sum(0), 1)
    failing_square = (np.where(failing, away - gap, 0.0) ** 2).sum(0) / at_least
    deviation = np.sqrt((usual_square + failing_square) / 2)
    return gap, influence, np.where(deviation > 1e-12, deviation, np.inf)


def _centred(values: Array, fails: Array, place: Array) -> Array:
    """Less the mean of the row's side and stratum, each side with the weight of half, shape (n, k); 0 where missing."""
    away = centred(values, place * 2 + fails)
    weight = np.where(fails, 0.5 / max(int(fails.sum()), 1), 0.5 / max(int((~fails).sum()), 1))
    return np.asarray(away * np.sqrt(weight)[:, None])


def centred(values: Array, place: Array) -> Array:
    """Less the mean of the rows of the same place, shape (n, k); 0 where missing."""
    there = ~np.isnan(values)
    count, total = sums(there.astype(float), place), sums(np.where(there, values, 0.0), place)
    return np.where(there, values - (total / np.maximum(count, 1))[place], 0.0)


def _arcsine(share: Array) -> Array:
    return np.asarray(2 * np.arcsin(np.sqrt(np.clip(share, 0, 1))))


def one_each(columns: list[Measured], real: Array, effect: Array) -> list[int]:
    """Of these places of columns the one that speaks for each attribute. effect: of all columns."""
    best: dict[str, tuple[float, int]] = {}
    for place in real.tolist():
        one, size = columns[place], abs(float(effect[place]))
        worth = size / SPREAD_PAYS if one.how == "spread" else size
        if one.attribute not in best or worth > best[one.attribute][0]:
            best[one.attribute] = (worth, place)
    return [place for _, place in best.values()]


def in_order(effect: Array, moved: Array, most: int, worth: Array | None = None) -> tuple[list[int], list[int | None]]:
    """Places of the columns, the widest gap first, and for each the earlier place that it goes with.

    worth: what the order is made of, the size of the effect where it is left out. Those that are nearly the same as one
    before stand behind those that are not, or two twins would hide a third.
    """
    spread = np.sqrt((moved**2).sum(0))
    alike = np.divide(
        moved.T @ moved, np.outer(spread, spread), out=np.zeros((len(effect),) * 2), where=np.outer(spread, spread) > 0
    )
    own, twins = list[int](), list[int]()
    for j in np.argsort(-np.abs(effect if worth is None else worth), kind="stable").tolist():
        (twins if any(abs(alike[k, j]) >= TWIN for k in own) else own).append(j)
    order = [*own, *twins][:most]
    return order, [_explained_by(effect, alike, order[:place], j) for place, j in enumerate(order)]


def _explained_by(effect: Array, alike: Array, before: list[int], j: int) -> int | None:
    """Who of those before foresees most of the gap of j, by regression within classes; None where nobody does."""
    rest = {k: 1 - alike[k, j] * effect[k] / effect[j] for k in before}
    k = min(rest, key=lambda k: rest[k], default=None)
    return k if k is not None and rest[k] < 1 - EXPLAINED else None


def _told(column: Measured, gaps: _Gaps, j: int, goes_with: str | None) -> Cause:
    return Cause(
        attribute=column.attribute,
        difference=float(gaps.difference[j]),
        low=float(gaps.low[j]),
        high=float(gaps.high[j]),
        value=column.value,
        failing=float(gaps.failing[j]),
        passing=float(gaps.passing[j]),
        how=column.how,
        goes_with=goes_with,
        apart=float(gaps.apart[j]),
    )
