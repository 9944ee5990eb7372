"""The soft score in the units of the metric: what a training is believed to give without the luck of few rows.

The probability given to the truth moves with every row, accuracy only with those that change sides. For every slice the
metric is regressed on the soft score over the trainings, a line that never falls; what the line says of a training is a
rival target of the surrogates, which is judged by how it ranks the metric.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.search.history import History, Told
from autodc.search.surrogates.ladder import FIRST_FIT, fitted_to

Array = np.ndarray[Any, Any]

SOFT = "\0soft:"
"""Before the name of a slice, or before nothing for the objective: the soft score is meant."""

LEAST = 2 * FIRST_FIT
"""Trainings with a soft score in every target, before it is asked at all."""


def is_known(history: History) -> bool:
    """Whether enough trainings have a soft score in every target."""
    return int(np.isfinite(_soft(history)).all(axis=0).sum()) >= LEAST


def linked(history: History, name: str) -> Array:
    """What the models are told of a slice, or of the objective for an empty name, shape (n,)."""
    if "linked" not in history.memo:
        count = fitted_to(len(history))
        raw = {n: _line(history.raw[n], history.soft[n], history.failed, count) for n in _targets(history)}
        history.memo["linked"] = Told(raw, history.failed, history.fidelity)
    told: Told = history.memo["linked"]
    if name:
        return told[name]
    return np.asarray(sum((history.shares[n] * told[n] for n in told), np.zeros(len(history))))


def _line(metric: Array, soft: Array, failed: Array, count: int) -> Array:
    """The metric as the soft score tells it; itself where there is none, or where the two do not go together.

    count: how many of the first trainings the line is fitted to.
    """
    known = np.isfinite(metric) & np.isfinite(soft) & ~failed
    first = known & (np.arange(len(metric)) < count)
    if first.sum() < 2 or (spread := soft[first] - soft[first].mean()) @ spread <= 0:
        return metric
    slope = float(spread @ metric[first]) / float(spread @ spread)
    if slope <= 0:
        return metric
    return np.where(known, metric[first].mean() + slope * (soft - soft[first].mean()), metric)


def _soft(history: History) -> Array:
    return np.array([history.soft[n] for n in _targets(history)]).reshape(-1, len(history))


def _targets(history: History) -> list[str]:
    return [name for name, share in history.shares.items() if share > 0]
