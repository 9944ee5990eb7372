"""Bounds of a rule where they belong: moved to where they part the errors best, left out where they part nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from autodc.diagnose.rule import Condition, Range, Rule
from autodc.diagnose.terms import cuts, numbers
from autodc.diagnose.weight import Errors

Array = np.ndarray[Any, Any]

OPEN = 2.0
"""A band keeps a bound where the rows beyond it err less by so many standard errors."""
STEPS = 24
"""Bounds that are tried when one is sharpened."""
NEAR = 0.12
"""Share of the rows by which a bound moves at most when it is sharpened."""


def opened(rule: Rule, frame: pd.DataFrame, errors: Errors) -> Rule:
    """The rule without those bounds of bands beyond which rows err as much."""
    for place in range(len(rule.conditions)):
        for side in ("low", "high"):
            condition = rule.conditions[place]
            if not isinstance(condition, Range) or condition.low is None or condition.high is None:
                continue
            wider = replace(condition, low=None) if side == "low" else replace(condition, high=None)
            opened = Rule(tuple(wider if i == place else one for i, one in enumerate(rule.conditions)))
            inside = rule.mask(frame)
            if apart(inside, opened.mask(frame) & ~inside, errors) < OPEN:
                rule = opened
    return rule


def apart(inside: Array, left_out: Array, errors: Errors) -> float:
    """Standard errors by which rows inside err more than those that are left out."""
    means, spread = [], 0.0
    for rows in (inside, left_out):
        weights = errors.weights[rows]
        total = weights.sum()
        if total < 1:
            return 0.0
        mean = weights @ errors.excess[rows] / total
        spread += errors.deviation**2 / total
        means.append(mean)
    return float((means[0] - means[1]) / np.sqrt(spread)) if spread else 0.0


def sharpened(rule: Rule, frame: pd.DataFrame, errors: Errors) -> Rule:
    """The rule with its bounds moved to where they part the errors best."""
    for place, condition in enumerate(rule.conditions):
        if isinstance(condition, Range):
            others = [one for i, one in enumerate(rule.conditions) if i != place]
            rule = _moved(rule, place, Rule(tuple(others)).mask(frame), frame, errors)
    return rule


def _moved(rule: Rule, place: int, rest: Array, frame: pd.DataFrame, errors: Errors) -> Rule:
    condition = rule.conditions[place]
    assert isinstance(condition, Range)
    values = numbers(frame[condition.attribute])
    assert values is not None
    known = np.sort(values[np.isfinite(values)])
    best = float(errors.parted(rule.mask(frame)[None])[0])
    for side in ("low", "high"):
        bound = getattr(condition, side)
        if bound is None:
            continue
        at = np.searchsorted(known, bound) / len(known)
        tried: list[Condition] = [
            replace(condition, low=edge) if side == "low" else replace(condition, high=edge)
            for edge in cuts(known, list(np.linspace(max(0.005, at - NEAR), min(0.995, at + NEAR), STEPS)))
        ]
        scores = errors.parted(np.array([one.mask(frame) & rest for one in tried]).reshape(len(tried), len(frame)))
        if len(scores) and scores.max() > best:
            best = float(scores.max())
            chosen = tried[int(scores.argmax())]
            assert isinstance(chosen, Range)
            condition = chosen
    conditions = tuple(condition if i == place else one for i, one in enumerate(rule.conditions))
    return Rule(conditions)
