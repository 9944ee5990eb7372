"""What more rows would do to the rows of a finding: by every training of a study, scored on them from what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodc.diagnose.more_rows import MoreRows
from autodc.evaluation.scores import slice_value
from autodc.evaluation.slices import VALIDATION, Slice
from autodc.study.ports import ArtefactLost, ArtefactStore
from autodc.study.rules.more_rows import of_rows
from autodc.study.view import View
from autodc.wire.inputs import Inputs

Array = np.ndarray[Any, Any]

TOLD = "more_rows"
"""Key of what is told of a finding."""
SHOWN = 3
"""Datasets that are told of a finding, those that help most."""


def of_findings(
    inputs: Inputs, view: View, store: ArtefactStore, rows: Mapping[str, Sequence[int]]
) -> dict[str, tuple[MoreRows, ...]]:
    """Finding → what more rows of each dataset would do to its error, the one that helps most first.

    rows: finding → positions in validation. Trainings of which nothing is kept are left out.
    """
    slices = {name: one for name, ids in rows.items() if (one := rows_slice(inputs, name, ids)) is not None}
    seen: dict[str, dict[str, float]] = {}
    for trained in view.visible if slices else ():
        if trained.outcome is None or not trained.outcome.arrays:
            continue
        try:
            arrays = store.get(trained.outcome.arrays)
        except ArtefactLost:
            continue
        values = {name: slice_value(inputs.table, inputs.metric, own, arrays) for name, own in slices.items()}
        seen[trained.outcome.arrays] = values
    return {name: of_rows(view, lambda o, name=name: seen.get(o.arrays, {}).get(name)) for name in slices}  # type: ignore[misc]


def rows_slice(inputs: Inputs, name: str, ids: Sequence[int]) -> Slice | None:
    """Rows of validation as a slice; None where the metric says nothing of them."""
    rows = np.sort(np.asarray(ids, dtype=int))
    if not len(rows) or not inputs.metric.measures(inputs.table.targets[VALIDATION][rows]):
        return None
    return Slice(name=name, role="guard", margin=None, weight=1.0, part=VALIDATION, rows=rows, clusters=None)


def told_of(found: Sequence[MoreRows]) -> dict[str, Any]:
    """What is told of one finding, as JSON; nothing where nothing is known. Points only where they tell a curve."""
    short = [
        {key: value for key, value in one.to_dict().items() if key != "points" or one.known} for one in found[:SHOWN]
    ]
    return {TOLD: short} if short else {}
