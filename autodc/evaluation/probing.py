"""What a probe says: how a few steps with some of a dataset change the soft score of the rows that are held out.

Of classes the score is the log-probability of the truth at the temperature that suits the control best: there, to first
order, being surer or less sure of everything changes nothing, so that a dataset is not liked for making the model
timid. A row counts no worse than FLOOR, or a few wrong labels would own the mean. Of values and images it is minus the
absolute error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from autodc.evaluation.metrics import probabilities, soft_rows
from autodc.evaluation.slices import SliceTable
from autodc.large import distinct_values
from autodc.studyfile.study import TaskKind

Array = np.ndarray[Any, Any]

FLOOR = -6.0
"""The least log-probability that a row counts."""

TEMPERATURES = (-2.0, 4.0)
"""Natural logarithms of the lowest and the highest that is tried."""

TINY = 1e-12


def probed_rows(table: SliceTable, kind: TaskKind, outputs: Mapping[str, Array]) -> dict[str, Array]:
    """The soft score of every row in every fork: part → (1 + forks, rows), the control first.

    outputs: part → predictions, shape (1 + forks, rows, ...).
    """
    found = {}
    for part in table.parts:
        predicted, truth = outputs[part], table.targets[part]
        if kind == "classification":
            rows = _rows_that_tell(table, part)
            heat = temperature(probabilities(predicted[0][rows]), truth[rows])
            found[part] = np.stack([np.maximum(_at(probabilities(one), truth, heat), FLOOR) for one in predicted])
        else:
            found[part] = np.stack([soft_rows(kind, one, truth) for one in predicted])
    return {part: rows.astype(np.float32) for part, rows in found.items()}


def probed_changes(table: SliceTable, rows: Mapping[str, Array], names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Dataset → slice → change of the mean soft score by its fork. names: the datasets in the order of the forks."""
    means = {one.name: rows[one.part][:, one.rows].mean(axis=1, dtype=float) for one in table.slices}
    return {
        name: {which: float(value[1 + i] - value[0]) for which, value in means.items()} for i, name in enumerate(names)
    }


def temperature(given: Array, truth: Array) -> float:
    """What the logarithms of probabilities are to be divided by, for the truth to be likeliest."""

    def loss(log_heat: float) -> float:
        return -float(_at(given, truth, np.exp(log_heat)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=TEMPERATURES, method="bounded", options={"xatol": 0.01}).x))


def _at(given: Array, truth: Array, heat: float) -> Array:
    """Log-probability of the truth at a temperature, shape (rows,)."""
    logs = np.log(np.maximum(np.asarray(given, dtype=float), TINY)) / heat
    logs -= logs.max(axis=1, keepdims=True)
    logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
    return np.asarray(logs[np.arange(len(truth)), truth.astype(int)])


def _rows_that_tell(table: SliceTable, part: str) -> Array:
    """Rows of the target slices of a part; of all its slices where none is a target."""
    mine = [one for one in table.slices if one.part == part]
    chosen = [one for one in mine if one.role == "target"] or mine
    return distinct_values(np.concatenate([one.rows for one in chosen]))
