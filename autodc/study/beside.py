"""How the end stands beside the start and the obvious: the arms of the last measurement, on the rows of one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.evaluation import objective
from autodc.evaluation.metrics import Metric
from autodc.evaluation.scores import row_scores
from autodc.evaluation.slices import Slice, SliceTable
from autodc.gate.noise import OBJECTIVE, weighted_rows
from autodc.plan.plan import Plan
from autodc.study.rules.last import INCUMBENT

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]

Bound = Callable[[str, Array, Array | None, bool], Mapping[str, float] | None]
"""Slice or objective, differences of shape (pairs, rows), their clusters, whether an arm draws rows anew with each
seed, to mean and interval; None where nothing tells the interval."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm of the last measurement."""

    plan: Plan
    pairs: tuple[tuple[Arrays, Arrays], ...]
    """What it and the incumbent scored a row, seed by seed."""
    fresh: bool
    """One of the two draws rows anew with each seed."""


def told(
    table: SliceTable, metric: Metric, targets: Sequence[Slice], arms: Mapping[str, Arm], bound: Bound
) -> dict[str, Any]:
    """Each arm with the values of its slices, their objective, and by how much the incumbent is ahead (up is better).

    targets: those of the table that make the objective. An arm that has no pair has `seeds` 0 and nothing else.
    """
    return {name: _told(table, metric, targets, arms[INCUMBENT].plan, one, bound) for name, one in arms.items()}


def _told(
    table: SliceTable, metric: Metric, targets: Sequence[Slice], end: Plan, one: Arm, bound: Bound
) -> dict[str, Any]:
    found: dict[str, Any] = {"seeds": len(one.pairs)}
    if not one.pairs:
        return found
    rows = {s.name: _rows(table, metric, s, [mine for mine, _ in one.pairs]) for s in table.slices}
    values = {name: float(scores.mean()) for name, scores in rows.items()}
    mean = objective.mean(values, {s.name: s.weight for s in targets})
    found["values"] = {name: metric.natural(value) for name, value in values.items()}
    if mean is not None:
        found["objective"] = metric.natural(mean)
    if one.plan == end:
        return found
    ahead = {s.name: _rows(table, metric, s, [its for _, its in one.pairs]) - rows[s.name] for s in table.slices}
    found["slices"] = {
        s.name: _ahead(bound, s.name, ahead[s.name], s.clusters, one.fresh) | {"rows": len(s.rows)}
        for s in table.slices
    }
    if targets:
        together, clusters = weighted_rows([(ahead[s.name], s.clusters, s.weight) for s in targets])
        found |= _ahead(bound, OBJECTIVE, together, clusters, one.fresh)
    return found


def _ahead(bound: Bound, name: str, rows: Array, clusters: Array | None, fresh: bool) -> dict[str, Any]:
    seen = bound(name, rows, clusters, fresh)
    return {"difference": float(rows.mean()), "low": None, "high": None} if seen is None else dict(seen)


def _rows(table: SliceTable, metric: Metric, one: Slice, runs: Sequence[Arrays]) -> Array:
    """Row scores of a slice, shape (seeds, rows)."""
    return np.array([row_scores(table, metric, one, arrays, soft=False) for arrays in runs])
