"""The attribute-shift table: what is measured otherwise once the model succeeds, less what changes in controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.diagnose.causes import centred, in_order, one_each
from autodc.diagnose.measured import How, measured
from autodc.large import distinct_values
from autodc.stats.simultaneous import by_unit, critical, standard_errors

Array = np.ndarray[Any, Any]


ELSEWHERE = 1e-3
"""Weight in the order of a change that closes no gap to passing rows."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How one attribute changes from failure to success."""

    attribute: str
    how: How
    difference: float
    """Mean change less the mean change of the controls, in standard deviations within classes; of categories and of
    missing values in shares."""
    low: float
    high: float
    before: float
    after: float
    """before, after: means in the attribute's own unit, or shares."""
    passing: float
    """The mean of the controls before they are moved."""
    control: float
    """Mean change of the controls in the own unit."""
    value: str | None = None
    goes_with: str | None = None
    """An attribute told before that explains most of this change."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        numbers = {
            n: round(float(getattr(self, n)), 6)
            for n in ("difference", "low", "high", "before", "after", "passing", "control")
        }
        words = {n: v for n in ("value", "goes_with") if (v := getattr(self, n)) is not None}
        return {"attribute": self.attribute, "how": self.how, **numbers, **words}


def shifts(
    before: tuple[pd.DataFrame, pd.DataFrame],
    after: tuple[pd.DataFrame, pd.DataFrame],
    within: tuple[Array, Array],
    groups: tuple[Array, Array],
    *,
    most: int = 10,
    alpha: float = 0.05,
    seed: int = 0,
) -> tuple[Shift, ...]:
    """Tell which attributes change from before to after, less the change of the controls.

    First comes what closes most of its gap to passing rows, in standard deviations: a change that leads away from them,
    or beyond, is of the way and not of the cause. Each pair is of the failing rows and of the controls. Only attributes
    of which the interval excludes zero are told; the intervals hold together, 1 − alpha, groups as units.

    before, after: frames of n rows each, of the same columns;
    within, groups: shape (n,) each.
    """
    sizes = [len(before[0]), len(before[1])]
    if min(sizes) < 2 or len(distinct_values(groups[0])) < 2:
        return ()
    frame = pd.concat([*before, *after], ignore_index=True)
    place = np.concatenate([*within, *within])
    parts = np.repeat([0, 1, 2, 3], [*sizes, *sizes])
    columns = measured(frame, np.unique(place, return_inverse=True)[1], parts == 1)
    if not columns:
        return ()
    drawn = np.stack([one.drawn for one in columns], axis=1)
    own = np.stack([one.own for one in columns], axis=1)
    shares = np.array([one.is_share for one in columns])
    scale = np.where(shares, 1.0, _deviation(drawn[parts < 2], np.concatenate(within), np.repeat([0, 1], sizes)))
    moves = [(drawn[parts == 2 + side] - drawn[parts == side]) / scale for side in (0, 1)]
    means = [_mean(one) for one in moves]
    influence = np.concatenate([_influence(moves[0], means[0]), -_influence(moves[1], means[1])])
    units = by_unit(influence, np.concatenate(groups))
    error = standard_errors(units)
    difference = means[0] - means[1]
    rng = seeds.generator(seed, "shifts")
    wide = error * critical(units, error, min(len(distinct_values(one)) for one in groups) - 1, alpha, rng)
    real = np.flatnonzero((np.abs(difference) > wide) & (error > 0))
    chosen = one_each(columns, real, difference)
    apart = (_mean(drawn[parts == 0]) - _mean(drawn[parts == 1])) / scale
    closed = np.where(apart * difference < 0, np.minimum(np.abs(apart), np.abs(difference)), 0.0)
    effect = np.sign(difference) * closed + ELSEWHERE * difference
    order, goes_with = in_order(effect[chosen], np.nan_to_num(moves[0] - means[0])[:, chosen], most)
    return tuple(
        Shift(
            attribute=columns[j].attribute,
            how=columns[j].how,
            difference=float(difference[j]),
            low=float(difference[j] - wide[j]),
            high=float(difference[j] + wide[j]),
            before=float(_mean(own[parts == 0])[j]),
            after=float(_mean(own[parts == 2])[j]),
            passing=float(_mean(own[parts == 1])[j]),
            control=float(_mean(own[parts == 3] - own[parts == 1])[j]),
            value=columns[j].value,
            goes_with=None if k is None else columns[chosen[k]].attribute,
        )
        for j, k in ((chosen[place], k) for place, k in zip(order, goes_with, strict=True))
    )


def _mean(values: Array) -> Array:
    there = ~np.isnan(values)
    return np.asarray(np.where(there, values, 0.0).sum(0) / np.maximum(there.sum(0), 1))


def _influence(moves: Array, mean: Array) -> Array:
    there = ~np.isnan(moves)
    count = np.maximum(there.sum(0), 1)
    return np.asarray(np.where(there, moves - mean, 0.0) / np.sqrt(count * np.maximum(count - 1, 1)))


def _deviation(values: Array, within: Array, side: Array) -> Array:
    """Within side and stratum, both sides alike, shape (k,); infinite where nothing differs."""
    cell = np.unique(np.stack([within, side]), axis=1, return_inverse=True)[1].ravel()
    there = ~np.isnan(values)
    away = centred(values, cell) ** 2
    parts = [away[side == s].sum(0) / np.maximum(there[side == s].sum(0), 1) for s in (0, 1)]
    deviation = np.sqrt((parts[0] + parts[1]) / 2)
    return np.where(deviation > 1e-12, deviation, np.inf)
