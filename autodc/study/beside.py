"""How the end stands beside the start and the obvious: the arms of the last measurement, on the rows of one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.special import stdtrit

from autodc.evaluation import objective
from autodc.evaluation.metrics import Metric
from autodc.evaluation.scores import row_scores
from autodc.evaluation.slices import Slice, SliceTable
from autodc.gate.noise import OBJECTIVE, Pools, weighted_rows
from autodc.plan.plan import Plan
from autodc.stats.variance import Prior, crossed, moderate
from autodc.study.rules import last
from autodc.study.view import View

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]


INTERVAL_LEVEL = 0.95
"""Confidence level of the intervals of the last measurement, two-sided."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm of the last measurement."""

    plan: Plan | None
    """None for a simple baseline: it is as it is, with any seed."""
    pairs: tuple[tuple[Arrays, Arrays], ...]
    """What it and the incumbent scored a row, seed by seed."""
    fresh: bool
    """One of the two draws rows anew with each seed."""


def arms(view: View, read: Callable[[int], Arrays], draws: Callable[[Plan], bool]) -> dict[str, Arm]:
    """The arms, seed by seed beside the incumbent. read: what a training scored; draws: whether a plan draws rows."""
    return {
        name: Arm(
            plan=plan,
            pairs=tuple((read(mine), read(its)) for mine, its in last.paired(view, plan)),
            fresh=draws(plan) or draws(view.incumbent),
        )
        for name, plan in last.arms(view).items()
    }


def simple(view: View, fixed: Mapping[str, Arrays], read: Callable[[int], Arrays], draws: bool) -> dict[str, Arm]:
    """The simple baselines beside every training of the incumbent in the last measurement. fixed: what each scored.

    draws: whether the incumbent draws rows anew with each seed.
    """
    ends = [read(its) for _, its in last.paired(view, view.incumbent)]
    return {
        name: Arm(plan=None, pairs=tuple((scored, end) for end in ends), fresh=draws) for name, scored in fixed.items()
    }


def told(
    table: SliceTable,
    metric: Metric,
    targets: Sequence[Slice],
    found: Mapping[str, Arm],
    pools: Pools,
) -> dict[str, Any]:
    """Each arm with the values of its slices, their objective, and by how much the incumbent is ahead (up is better).

    targets: those of the table that make the objective. An arm that has no pair has `seeds` 0 and nothing else.
    """
    measure = _Measure(table, metric, targets, pools)
    return {name: measure.told(one, found[last.INCUMBENT].plan) for name, one in found.items()}


def bounded(
    rows: Array, clusters: Array | None, pool: Prior, spread: float = 1.0, vouched: bool = True
) -> dict[str, float]:
    """Mean and interval of a contrast, shape (pairs, rows), whose noise is `spread` times that of a difference."""
    estimate = moderate(crossed(rows / spread, clusters), pool, vouched=vouched)
    reach = float(stdtrit(estimate.df, 0.5 + INTERVAL_LEVEL / 2)) * estimate.standard_error
    low, high = estimate.mean - reach, estimate.mean + reach
    return {"difference": spread * estimate.mean, "low": spread * low, "high": spread * high}


@final
@dataclass(frozen=True, slots=True)
class _Measure:
    table: SliceTable
    metric: Metric
    targets: Sequence[Slice]
    pools: Pools

    def told(self, one: Arm, end: Plan | None) -> dict[str, Any]:
        found: dict[str, Any] = {"seeds": len(one.pairs)}
        if not one.pairs:
            return found
        rows = {s.name: self._rows(s, [mine for mine, _ in one.pairs]) for s in self.table.measured}
        values = {name: float(scores.mean()) for name, scores in rows.items()}
        mean = objective.mean(values, {s.name: s.weight for s in self.targets})
        found["values"] = {name: self.metric.natural(value) for name, value in values.items()}
        if mean is not None:
            found["objective"] = self.metric.natural(mean)
        return found if one.plan == end else found | self._behind(one, rows)

    def _behind(self, one: Arm, rows: Mapping[str, Array]) -> dict[str, Any]:
        """By how much the incumbent is ahead of it, slice by slice and together."""
        ahead = {s.name: self._rows(s, [its for _, its in one.pairs]) - rows[s.name] for s in self.table.measured}
        slices = {
            s.name: self._ahead(s.name, ahead[s.name], s.clusters, one.fresh) | {"rows": len(s.rows)}
            for s in self.table.measured
        }
        if not self.targets:
            return {"slices": slices}
        together, clusters = weighted_rows([(ahead[s.name], s.clusters, s.weight) for s in self.targets])
        return {"slices": slices, **self._ahead(OBJECTIVE, together, clusters, one.fresh)}

    def _ahead(self, name: str, rows: Array, clusters: Array | None, fresh: bool) -> dict[str, Any]:
        """Mean and interval; one pair has none where nothing tells the noise of trainings like these."""
        pool = self.pools.of(name)
        vouched = not fresh and self.pools.speaks(name, float(np.mean(np.square(rows))))
        if len(rows) > 1 or (vouched and pool.df > 0):
            return dict(bounded(rows, clusters, pool, vouched=vouched))
        return {"difference": float(rows.mean()), "low": None, "high": None}

    def _rows(self, one: Slice, runs: Sequence[Arrays]) -> Array:
        """Row scores of a slice, shape (seeds, rows)."""
        return np.array([row_scores(self.table, self.metric, one, arrays, soft=False) for arrays in runs])
