"""The page's section on several objectives: which trained plans none is believed to beat, as a chart and a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodc.report import charts
from autodc.report.charts import CHART_BOTTOM, CHART_HEIGHT, CHART_LEFT, CHART_TOP, CHART_WIDTH, Scale
from autodc.study.journal.records import TrialState
from autodc.study.journal.state import State

UNITS = {
    "predict_ms": ("prediction time", "ms a row"),
    "train_seconds": ("training time", "s"),
    "model_mb": ("model size", "MB"),
}
"""Trade-off → its name for a reader, and its unit."""


def section(state: State, result: Mapping[str, Any], sign: float) -> dict[str, Any] | None:
    """The charts and the table; None where the study has one objective, or no front yet."""
    front = result["pareto"]
    if not front:
        return None
    names = list(front[0]["tradeoffs"])
    full = [(one, value) for one, value in charts.full_trainings(state, sign) if one.trial.phase != "test"]
    return {
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
        "charts": [_chart(state, result, name, full) for name in names],
    }


def _chart(
    state: State, result: Mapping[str, Any], name: str, full: Sequence[tuple[TrialState, float]]
) -> dict[str, Any]:
    """One trade-off, on a logarithmic scale, against the objective: every full training, the front, the incumbent."""
    costed = [(one, float(getattr(one.outcome, name)), value) for one, value in full]
    runs = [(one, math.log10(cost), value) for one, cost, value in costed if cost > 0]
    front = [(math.log10(p["tradeoffs"][name]["estimate"]), p["objective"]["estimate"], p) for p in result["pareto"]]
    values = np.array([v for _, _, v in runs] + [v for _, v, _ in front])
    costs = [x for _, x, _ in runs] + [x for x, _, _ in front]
    low, high = charts.value_range(values)
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
            {"x": across.at(x), "y": up.at(v), "value": v, "cost": 10**x, "with": _added(p)} for x, v, p in front
        ],
        "incumbent": {"x": across.at(float(np.mean([x for x, _ in mine]))), "y": up.at(_mean(mine))} if mine else None,
        "ticks": [{"y": up.at(value), "value": value} for value in charts.ticks(low, high)],
        "least": 10 ** min(costs),
        "most": 10 ** max(costs),
    }


def _mean(points: list[tuple[float, float]]) -> float:
    return float(np.mean([v for _, v in points]))


def _added(point: Mapping[str, Any]) -> list[str]:
    return [n for n in point["plan"]["mixture"] if n != "base"]
