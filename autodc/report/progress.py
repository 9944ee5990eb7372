"""How the search came on: every plan it trained, the best so far, and what as many random plans would have found."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import ndtri

from autodc.evaluation import objective
from autodc.report.charts import CHART_LEFT, CHART_WIDTH, Scale, apart, reaching, ticks, value_range
from autodc.review.simple import called
from autodc.study.journal.state import State

UNCHOSEN = ("screen", "random")
"""Origins of plans that no model of the search chose."""
LEAST = 4
"""Fewer of them tell nothing of random plans."""
HEIGHT, FLOOR, TOP, RIGHT = 230.0, 200.0, 24.0, CHART_WIDTH - 12


def search_progress(state: State, sign: float) -> dict[str, Any] | None:
    """The drawing; None where the search trained fewer than two plans in full. sign: as of `charts.objectives`."""
    weights = objective.searched(state.question.slices)
    mine = [
        (t, t.outcome)
        for t in state.trials
        if t.trial.phase == "search" and t.trial.fidelity == 1 and t.trial.forks is None and t.outcome is not None
    ]
    told = [(t, objective.mean(outcome.searched, weights)) for t, outcome in mine]
    known = [(t, value) for t, value in told if value is not None]
    if len(known) < 2:
        return None
    values = np.array([value for _, value in known])
    best = np.maximum.accumulate(values)
    random = _random(np.array([value for t, value in known if t.origin in UNCHOSEN]), len(known))
    low, high = value_range(np.concatenate([values, random[-1:] if len(random) else values[:0]]))
    simple: list[dict[str, Any]] = [
        {"name": called(name), "value": value, "tone": "open"}
        for name, outcome in state.simple.items()
        if (value := objective.mean(outcome.searched, weights)) is not None
    ]
    low, high = reaching(low, high, [one["value"] for one in simple])
    across = Scale(low=0, high=len(known) - 1, start=CHART_LEFT, end=RIGHT)
    up = Scale(low=low, high=high, start=FLOOR, end=TOP)
    rounds = [k + 1 for k, (a, b) in enumerate(pairwise(t.round for t, _ in known)) if a != b]
    return {
        "width": CHART_WIDTH,
        "height": HEIGHT,
        "left": CHART_LEFT,
        "floor": FLOOR,
        "top": TOP,
        "points": [
            {
                "x": across.at(k),
                "y": up.at(value),
                "number": t.trial.number,
                "value": sign * value,
                "with": list(t.trial.plan.mixture.added),
            }
            for k, (t, value) in enumerate(known)
        ],
        "levels": [{**one, "value": sign * one["value"]} for one in apart(simple, up)],
        "best": _steps([(across.at(k), up.at(value)) for k, value in enumerate(best)]),
        "random": " ".join(f"{across.at(k):g},{up.at(value):g}" for k, value in enumerate(random)),
        "rounds": [{"x": across.at(k - 0.5), "name": f"round {known[k][0].round}"} for k in rounds],
        "ticks": [{"y": up.at(value), "value": sign * value} for value in ticks(low, high)],
        "last": len(known),
        "found": sign * float(best[-1]),
        "by_chance": sign * float(random[-1]) if len(random) else None,
        "unchosen": int(sum(t.origin in UNCHOSEN for t, _ in known)),
    }


def _random(values: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
    """The expected best of 1 … count random plans, as if the objective of one were normal; nothing of too few.

    Blom, Statistical Estimates and Transformed Beta-Variables (1958): the largest of k lies near the quantile
    (k − .375) ÷ (k + .25).
    """
    if len(values) < LEAST:
        return values[:0]
    k = np.arange(1, count + 1)
    return float(values.mean()) + float(values.std(ddof=1)) * np.asarray(ndtri((k - 0.375) / (k + 0.25)))


def _steps(points: list[tuple[float, float]]) -> str:
    """A line that goes up where something better was found."""
    found = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for (_, before), (x, y) in pairwise(points):
        found.append(f"H{x:g}" if y == before else f"H{x:g} V{y:g}")
    return " ".join(found)
