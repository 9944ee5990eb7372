"""The page's section on quality against cost: which trained plans none is believed, or was seen, to beat."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.report import charts
from autodc.report.charts import CHART_BOTTOM, CHART_HEIGHT, CHART_LEFT, CHART_TOP, CHART_WIDTH, Scale
from autodc.review.simple import called, simple
from autodc.study.journal.records import TrialState
from autodc.study.journal.state import State

UNITS = {
    "predict_ms": ("prediction time", "ms a row"),
    "train_seconds": ("training time", "s"),
    "model_mb": ("model size", "MB"),
}
"""Trade-off → its name for a reader, and its unit."""
SEEN = ("predict_ms", "model_mb")
"""Trade-offs that are drawn of a study that searches for none."""
LEAST_PLANS, LEAST_SPREAD = 4, 1.2
"""With fewer plans, or none that costs so many times what another does, there is nothing to choose between."""
REACH = 1.0
"""A simple baseline is drawn up to so many powers of ten beside what the trainings cost."""

Point = tuple[float, float, Mapping[str, float]]
"""Logarithm of the cost, objective, mixture."""


def section(state: State, result: Mapping[str, Any], sign: float) -> dict[str, Any] | None:
    """The charts, and of a study with several objectives the table; None where there is nothing to choose between.

    believed: whether the front is what the search believes, or what was seen of every plan. sign: as of
    `charts.objectives`.
    """
    front = result["pareto"]
    full = [(one, value) for one, value in charts.full_trainings(state, sign) if one.trial.phase != "test"]
    if not front:
        found = {name: seen for name in SEEN if (seen := _seen(full, name, sign))}
        drawn = [_chart(state, name, full, seen) | {"believed": False} for name, seen in found.items()]
        return {"believed": False, "names": [], "rows": [], "charts": drawn} if drawn else None
    names = list(front[0]["tradeoffs"])
    return {
        "believed": True,
        "names": [{"name": n, "what": UNITS[n][0], "unit": UNITS[n][1]} for n in names],
        "rows": [
            {
                "objective": point["objective"],
                "tradeoffs": [point["tradeoffs"][n] for n in names],
                "mixture": point["plan"]["mixture"],
                "hyperparameters": point["plan"]["hyperparameters"],
                "trials": point["trials"],
                "incumbent": point["plan"] == result["incumbent"],
            }
            for point in front
        ],
        "charts": [_chart(state, name, full, _believed(front, name)) | {"believed": True} for name in names],
    }


def _believed(front: Sequence[Mapping[str, Any]], name: str) -> list[Point]:
    return [
        (math.log10(p["tradeoffs"][name]["estimate"]), p["objective"]["estimate"], p["plan"]["mixture"]) for p in front
    ]


def _costed(full: Sequence[tuple[TrialState, float]], name: str) -> list[tuple[TrialState, float, float]]:
    """Trainings with the logarithm of a cost and the objective, where the cost was measured."""
    found = [(one, float(getattr(one.outcome, name)), value) for one, value in full]
    return [(one, math.log10(cost), value) for one, cost, value in found if cost > 0]


def _seen(full: Sequence[tuple[TrialState, float]], name: str, sign: float) -> list[Point]:
    """The plans, by the means of their trainings, that no other beats in both; none where all cost alike."""
    of_plan: dict[Plan, list[tuple[float, float]]] = {}
    for one, cost, value in _costed(full, name):
        of_plan.setdefault(one.trial.plan, []).append((cost, value))
    means = [(float(np.mean([c for c, _ in runs])), _mean(runs), plan) for plan, runs in of_plan.items()]
    costs = [cost for cost, _, _ in means]
    if len(costs) < LEAST_PLANS or max(costs) - min(costs) < math.log10(LEAST_SPREAD):
        return []
    front, best = list[Point](), -math.inf
    for cost, value, plan in sorted(means, key=lambda one: (one[0], -sign * one[1])):
        if sign * value > best:
            best = sign * value
            front.append((cost, value, plan.mixture.to_dict()))
    return front


def _simple(state: State, name: str, costs: Sequence[float], low: float, high: float) -> list[dict[str, Any]]:
    """The simple baselines that can be drawn: of trade-offs they have the time of a row."""
    if name != "predict_ms":
        return []
    known = [(called(method), one["predict_ms"], one["objective"]) for method, one in simple(state).items()]
    told = [{"name": n, "cost": math.log10(cost), "value": v} for n, cost, v in known if cost and v is not None]
    least, most = min(costs) - REACH, max(costs) + REACH
    return [one for one in told if least <= one["cost"] <= most and 2 * low - high <= one["value"] <= 2 * high - low]


def _chart(state: State, name: str, full: Sequence[tuple[TrialState, float]], front: Sequence[Point]) -> dict[str, Any]:
    """One trade-off, on a logarithmic scale, against the objective: full trainings, front, incumbent, baselines."""
    runs = _costed(full, name)
    values = np.array([v for _, _, v in runs] + [v for _, v, _ in front])
    costs = [x for _, x, _ in runs] + [x for x, _, _ in front]
    low, high = charts.value_range(values)
    beside = _simple(state, name, costs, low, high)
    costs += [one["cost"] for one in beside]
    low, high = charts.reaching(low, high, [one["value"] for one in beside])
    pad = 0.04 * (max(costs) - min(costs)) or 0.1
    across = Scale(low=min(costs) - pad, high=max(costs) + pad, start=CHART_LEFT, end=CHART_WIDTH - 12)
    up = Scale(low=low, high=high, start=CHART_HEIGHT - CHART_BOTTOM, end=CHART_TOP)
    mine = [(x, v) for one, x, v in runs if one.trial.plan == state.incumbent]
    return {
        "width": CHART_WIDTH,
        "height": CHART_HEIGHT,
        "left": CHART_LEFT,
        "floor": CHART_HEIGHT - CHART_BOTTOM,
        "top": CHART_TOP,
        "what": UNITS[name][0],
        "unit": UNITS[name][1],
        "points": [
            {"x": across.at(x), "y": up.at(v), "number": one.trial.number, "value": v, "cost": 10**x}
            for one, x, v in runs
        ],
        "front": [
            {"x": across.at(x), "y": up.at(v), "value": v, "cost": 10**x, "with": [n for n in mixture if n != BASE]}
            for x, v, mixture in front
        ],
        "simple": [
            {**one, "x": across.at(one["cost"]), "y": up.at(one["value"]), "cost": 10 ** one["cost"]} for one in beside
        ],
        "incumbent": {"x": across.at(float(np.mean([x for x, _ in mine]))), "y": up.at(_mean(mine))} if mine else None,
        "ticks": [{"y": up.at(value), "value": value} for value in charts.ticks(low, high)],
        "least": 10 ** min(costs),
        "most": 10 ** max(costs),
    }


def _mean(points: Sequence[tuple[float, float]]) -> float:
    return float(np.mean([v for _, v in points]))
