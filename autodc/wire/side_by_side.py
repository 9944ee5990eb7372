"""Rows as a reader is shown them beside what one method makes of them, or two: input, truth, outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
import pandas as pd

from autodc.data.dataset import Dataset
from autodc.data.overlap import joint_clusters
from autodc.diagnose.view import View
from autodc.evaluation.metrics import Metric, probabilities, soft_rows
from autodc.evaluation.slices import held_parts
from autodc.large import taken
from autodc.table import Table
from autodc.wire.exhibits import rows_shown
from autodc.wire.inputs import Inputs

Array = np.ndarray[Any, Any]
Outputs = Mapping[str, Array]
Group = Literal["behind", "ahead", "furthest"]
"""Rows on which the method is worst beside the other, best beside it; without another: furthest from the truth."""

SHOWN = 12
"""Rows of a group."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """Rows of one group."""

    group: Group
    part: str
    ids: tuple[int, ...]
    """Positions in the part."""
    mine: Mapping[str, Array]
    """Cards and pictures, as `wire.exhibits` has them, with what the method says."""
    other: Mapping[str, Array] | None
    """The same with what the other says; None without one."""


def side_by_side(inputs: Inputs, mine: Outputs, other: Outputs | None, most: int = SHOWN) -> list[Shown]:
    """The rows of each part on which two methods differ most, or on which one is furthest from the truth.

    Rows that count as one are shown once. Nothing is shown of rows on which both are as good.
    """
    found = []
    for part, data in held_parts(inputs.catalogue).items():
        (numbers,) = joint_clusters([data])
        scores = _scores(inputs, mine[part], data)
        if other is None:
            groups: dict[Group, Array] = {"furthest": -scores}
        else:
            ahead = scores - _scores(inputs, other[part], data)
            groups = {"behind": -ahead, "ahead": ahead}
        for group, order in groups.items():
            ids = _first(order, numbers, most) if other is not None else _first(order, numbers, most, least=-np.inf)
            if len(ids):
                found.append(_shown(inputs, data, part, group, ids, mine[part], None if other is None else other[part]))
    return found


def _scores(inputs: Inputs, outputs: Array, data: Dataset) -> Array:
    """How good each row is, up is better: hits first, then the probability of the truth; elsewhere minus the error."""
    kind, y = inputs.spec.task.kind, np.asarray(data.y)
    if inputs.catalogue.classes is not None:
        return np.asarray(soft_rows(kind, outputs, y) + (outputs.argmax(axis=1) == y))
    metric: Metric = inputs.metric
    if kind == "custom" or (kind == "image_to_image" and metric.is_mean):
        return np.asarray(metric.rows(outputs, y), dtype=float)
    return np.asarray(soft_rows(kind, outputs, y), dtype=float)


def _first(order: Array, numbers: Array, most: int, least: float = 0.0) -> Array:
    """The rows of largest `order`, above `least`, one of each cluster."""
    chosen: list[int] = []
    known: set[int] = set()
    for row in np.argsort(-order, kind="stable"):
        if len(chosen) == most or not order[row] > least:
            break
        if int(numbers[row]) not in known:
            known.add(int(numbers[row]))
            chosen.append(int(row))
    return np.array(chosen, dtype=int)


def _shown(
    inputs: Inputs, data: Dataset, part: str, group: Group, ids: Array, mine: Array, other: Array | None
) -> Shown:
    said = [mine[ids]] if other is None else [mine[ids], other[ids]]
    arrays = [dict(rows_shown(_view(inputs, data, ids, one), np.arange(len(ids)))) for one in said]
    return Shown(
        group=group, part=part, ids=tuple(map(int, ids)), mine=arrays[0], other=None if other is None else arrays[1]
    )


def _view(inputs: Inputs, data: Dataset, ids: Array, outputs: Array) -> View:
    """These rows as those who show them read them."""
    catalogue, some = inputs.catalogue, data.take(ids)
    truth = np.asarray(catalogue.original_target(some))
    columns = [] if not isinstance(some.x, Table) or some.x.kind != "table" else [some.x.frame()]
    columns += [some.metadata.reset_index(drop=True)]
    if data.attributes is not None:
        columns.append(data.attributes.iloc[ids].reset_index(drop=True))
    frame = pd.concat(columns, axis=1)
    classes = tuple(catalogue.classes or ())
    prediction = np.asarray(classes)[outputs.argmax(axis=1)] if classes else np.asarray(outputs)
    return View(
        ids=ids,
        error=-_scores(inputs, outputs, some),
        failed=np.ones(len(ids), dtype=bool),
        target=truth,
        prediction=prediction,
        attributes=frame.loc[:, ~frame.columns.duplicated()],
        groups=np.arange(len(ids)),
        probabilities=probabilities(outputs) if classes else None,
        classes=classes,
        x=taken(data.x, ids),
    )
