"""Tries a user's own metric on stand-in predictions before the night: what fails on them fails on every training."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.evaluation.metrics import Metric
from autodc.evaluation.own_metric import MetricError
from autodc.evaluation.slices import Slice, SliceTable
from autodc.seeds import generator
from autodc.studyfile.study import TaskKind

Array = np.ndarray[Any, Any]

MOST_ROWS = 20_000
"""Of a larger slice this many rows are tried, drawn by chance."""

APART = 0.02
"""`rows` is a mean over rows where its mean is `value` up to this share of it: users round what they show."""


def rehearse(metric: Metric, table: SliceTable, kind: TaskKind, n_classes: int, seed: int) -> list[str]:
    """Score stand-in predictions of every slice with a user's own metric; what is only doubtful is returned as words.

    Stand-ins have the shape and range of real ones: class probabilities drawn by chance, or the targets in another
    order. In a custom task outputs may have another form, so what fails on them is only doubtful.
    Raises MetricError where the metric raises, gives no number, or where the mean of `rows` is not `value`.
    """
    if not metric.own:
        return []
    odd = []
    for one in table.slices:
        rng = generator(seed, "rehearsal", one.name)
        targets = table.targets[one.part][_some(one, rng)]
        outputs = _stand_in(targets, kind, n_classes, rng)
        shapes = f"outputs of shape {outputs.shape}, targets of shape {targets.shape}"
        tried = f"tried on stand-in predictions of slice {one.name}: {shapes}"
        try:
            value = metric.of(outputs, targets)
            means = value if metric.per_row is None else float(np.mean(metric.per_row(outputs, targets)))
        except MetricError as error:
            if kind == "custom":  # outputs may have another form than targets, and nobody has seen any
                return [
                    f"{error.problem} where other targets stand for outputs, which is wrong only if outputs have "
                    f"the form of targets: {error.got}"
                ]
            raise MetricError(error.code, error.problem, error.place, error.got, tried) from error
        if not np.isfinite([value, means]).all():
            odd.append(one.name)
        elif abs(value - means) > APART * max(abs(value), abs(means)) + 1e-6:
            raise MetricError(
                "ADC-METRIC-064",
                f"`rows` of metric {metric.name} is one number a row whose mean is `value`",
                "metrics.primary",
                f"a mean of {means:.4g} where value is {value:.4g}",
                f"mend one of them, or take `rows` out: a metric that is no mean over rows has none; {tried}",
            )
    if not odd:
        return []
    return [
        f"metric {metric.name} is no finite number for stand-in predictions of {', '.join(odd)}: "
        "a training of which that is true counts as failed"
    ]


def _some(one: Slice, rng: np.random.Generator) -> Array:
    if len(one.rows) <= MOST_ROWS:
        return one.rows
    return np.sort(rng.choice(one.rows, MOST_ROWS, replace=False))


def _stand_in(targets: Array, kind: TaskKind, n_classes: int, rng: np.random.Generator) -> Array:
    if kind == "classification":
        drawn = rng.exponential(size=(len(targets), n_classes))
        return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))
    shuffled = targets[rng.permutation(len(targets))]
    return shuffled if kind == "custom" else np.asarray(shuffled, dtype=float)
