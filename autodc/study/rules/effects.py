"""What each dataset does to single rows, as the search's trainings show it: a ridge on what went in and how it trained.

One linear smoother serves all rows, so a dataset's effect on a slice is the mean of its effects on the rows of it, and
how unevenly it falls on rows says how far another draw of rows would move that mean (DESIGN §11.7, ψ).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodc.plan.plan import Plan
from autodc.studyfile.study import ParameterSpec

Array = np.ndarray[Any, Any]

PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Of the ridge, in units of a standardised column; the one with the least generalised cross-validation is taken."""

FEWEST = 8
"""Trainings below which nothing is said."""


def design(plans: Sequence[Plan], names: Sequence[str], space: Mapping[str, ParameterSpec]) -> Array:
    """What a training was, in columns: √weight of each dataset of `names` first, then its settings; shape (n, p)."""
    weights = np.array([[plan.mixture.weight(name) for name in names] for plan in plans]).reshape(len(plans), -1)
    columns = [np.sqrt(weights)]
    for key, parameter in space.items():
        values = [dict(plan.hyperparameters).get(key) for plan in plans]
        columns.append(_setting(values, parameter))
    recipes = sorted({plan.recipe for plan in plans})[1:]
    columns.append(np.array([[plan.recipe == one for one in recipes] for plan in plans], dtype=float))
    return np.concatenate([c.reshape(len(plans), -1) for c in columns], axis=1)


def smoother(columns: Array, objective: Array, count: int) -> Array | None:
    """The linear map from outcomes of n trainings to the coefficients of the first `count` columns, shape (count, n).

    None with too few trainings. objective: shape (n,), which the penalty is chosen by.
    """
    n = len(columns)
    if n < FEWEST or not count:
        return None
    spread = columns.std(axis=0)
    x = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    y = objective - objective.mean()
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    best, kept = np.inf, PENALTIES[-1]
    for penalty in PENALTIES:
        shrunk = s**2 / (s**2 + penalty * n / 10)
        rest = y - u @ (shrunk * (u.T @ y))
        freedom = n - 1 - shrunk.sum()
        score = float(rest @ rest) / freedom**2 if freedom > 0 else np.inf
        if score < best:
            best, kept = score, penalty
    inverse = (vt.T * (s / (s**2 + kept * n / 10))) @ u.T
    scaled = inverse[:count] / np.where(spread > 0, spread, np.inf)[:count, None]
    return np.asarray(scaled - scaled.mean(axis=1, keepdims=True))


def _setting(values: Sequence[Any], parameter: ParameterSpec) -> Array:
    """A setting as a number and its square; a choice as one column for each but the first; zero where it is not set."""
    if parameter.type == "categorical":
        known = sorted({repr(v) for v in values})[1:]
        return np.array([[repr(v) == one for one in known] for v in values], dtype=float)
    numbers = np.array([np.nan if v is None else float(v) for v in values])
    if parameter.log:
        numbers = np.log(numbers)
    middle = np.nanmean(numbers) if np.isfinite(numbers).any() else 0.0
    centred = np.nan_to_num(numbers - middle)
    return np.stack([centred, centred**2], axis=1)
