"""Where the marks of the page's small charts lie, in pixels. Geometry alone; the template draws it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.evaluation import objective
from autodc.study.journal.records import TrialState
from autodc.study.journal.state import State

BAR_WIDTH, BAR_EDGE = 160.0, 6.0
"""Width of an interval's drawing and the empty edge on both of its sides, in pixels."""

CLIP = 2.5
"""A scale reaches no farther than this many times the largest difference drawn; what is cut off ends in an arrow."""

LINE, WORD = 12.0, 92.0
"""Height of a line and width of `better model 12` in a chart, in pixels."""

CHART_WIDTH, CHART_HEIGHT, CHART_LEFT, CHART_BOTTOM, CHART_TOP = 720.0, 260.0, 52.0, 30.0, 26.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A line from the value `low` at pixel `start` to the value `high` at pixel `end`."""

    low: float
    high: float
    start: float = BAR_EDGE
    end: float = BAR_WIDTH - BAR_EDGE

    def at(self, value: float) -> float:
        """The pixel of a value; values outside lie at the edge."""
        share = (min(max(value, self.low), self.high) - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + share * (self.end - self.start), 1)


def difference_scale(rows: Iterable[Mapping[str, Any]], width: float = BAR_WIDTH) -> Scale:
    """One scale for all intervals of a table. Rows without a difference are left out; zero is always on it."""
    shown = [r for r in rows if r.get("difference") is not None]
    known = [abs(end) for r in shown for end in (r["low"], r["high"]) if end is not None]
    reach = CLIP * max((abs(r["difference"]) for r in shown), default=0.0) or max(known, default=1.0)
    low = max(-reach, min((r["low"] for r in shown if r["low"] is not None), default=0.0))
    high = min(reach, max((r["high"] for r in shown if r["high"] is not None), default=0.0))
    return Scale(low=min(low, 0.0), high=max(high, 0.0), end=width - BAR_EDGE)


def bar(row: Mapping[str, Any], scale: Scale, margin: float | None = None) -> dict[str, Any] | None:
    """An interval with its point, zero, and the tolerated loss; None where nothing was measured.

    Its tone is good above zero and bad below the tolerated loss, below zero where none is tolerated.
    """
    if row.get("difference") is None:
        return None
    low = scale.low - 1.0 if row["low"] is None else row["low"]
    high = scale.high + 1.0 if row["high"] is None else row["high"]
    return {
        "width": scale.end + BAR_EDGE,
        "zero": scale.at(0.0),
        "low": scale.at(low),
        "high": scale.at(high),
        "point": scale.at(row["difference"]),
        "cut_low": low < scale.low,
        "cut_high": high > scale.high,
        "margin": scale.at(-margin) if margin is not None and -margin > scale.low else None,
        "tone": "good" if low > 0 else ("bad" if high < -(margin or 0.0) else "open"),
    }


def value_scale(values: Sequence[float], width: float = BAR_WIDTH) -> Scale:
    """A scale for values of the metric: 0 to 1 where all lie there, else from the least to the largest."""
    found = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
    low, high = min(found), max(found)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low == high:
        low, high = low - 1, high + 1
    return Scale(low=low, high=high, end=width - BAR_EDGE)


def dumbbell(before: float | None, after: float | None, scale: Scale) -> dict[str, float] | None:
    """Two points, before and after; None where one is missing."""
    if before is None or after is None:
        return None
    return {"before": scale.at(before), "after": scale.at(after)}


def objectives(state: State, sign: float, levels: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any] | None:
    """The objective of every full training in order, and where the incumbent moved; None before the first outcome.

    sign: 1 or −1, from the oriented objective to the units a user knows; levels: what it is to be held against, each
    {name, value, tone}.
    """
    points = full_trainings(state, sign)
    if not points:
        return None
    values = np.array([value for _, value in points])
    low, high = value_range(values)
    low, high = reaching(low, high, [one["value"] for one in levels])
    across = Scale(low=0, high=max(1, len(state.trials) - 1), start=CHART_LEFT, end=CHART_WIDTH - 12)
    up = Scale(low=low, high=high, start=CHART_HEIGHT - CHART_BOTTOM, end=CHART_TOP)
    return {
        "width": CHART_WIDTH,
        "height": CHART_HEIGHT,
        "left": CHART_LEFT,
        "floor": CHART_HEIGHT - CHART_BOTTOM,
        "top": CHART_TOP,
        "points": [
            {
                "x": across.at(one.trial.number),
                "y": up.at(value),
                "number": one.trial.number,
                "value": value,
                "phase": one.trial.phase,
                "with": list(one.trial.plan.mixture.added),
            }
            for one, value in points
        ],
        "cut": int(np.sum((values < low) | (values > high))),
        "ticks": [{"y": up.at(value), "value": value} for value in ticks(low, high)],
        "last": len(state.trials) - 1,
        "levels": apart(levels, up),
        "moves": _moves(state, across),
    }


def full_trainings(state: State, sign: float) -> list[tuple[TrialState, float]]:
    """Every full training that has an objective, with it. sign: as of `objectives`."""
    weights = objective.weights(state.question.slices)
    ended = [(one, one.outcome.slices) for one in state.trials if one.outcome is not None and one.trial.fidelity == 1]
    values = [(one, objective.mean(slices, weights)) for one, slices in ended]
    return [(one, sign * value) for one, value in values if value is not None]


def apart(levels: Sequence[Mapping[str, Any]], up: Scale) -> list[dict[str, Any]]:
    """Levels with where their words stand, each a line's height from the one above it.

    One that lies beyond the drawing has no line: its words at the edge say where it would be.
    """
    lines, last = list[dict[str, Any]](), -LINE
    for one in sorted(levels, key=lambda level: up.at(level["value"])):
        y = up.at(one["value"])
        last = max(y - 4, last + LINE)
        off = "↓" if one["value"] < up.low else "↑" if one["value"] > up.high else ""
        lines.append({**one, "y": y, "above": round(last, 1), "off": off})
    return lines


def _moves(state: State, across: Scale) -> list[dict[str, Any]]:
    """Where the incumbent moved; a word that would lie on the one before it is left to the number alone."""
    found, until = list[dict[str, Any]](), -WORD
    for index, move in enumerate(state.moves):
        x = across.at(move.horizon)
        flip, spelt = x > CHART_WIDTH - WORD, x - until >= 0
        found.append({"x": x, "number": index + 1, "round": move.round, "flip": flip, "spelt": spelt})
        until = x + WORD if spelt else max(until, x + LINE)
    return found


def value_range(values: np.ndarray[Any, Any]) -> tuple[float, float]:
    """From the least to the largest, but not farther than twice the middle four fifths below or above them."""
    tenth, ninth = np.quantile(values, [0.1, 0.9])
    room = 2 * (ninth - tenth) or 1.0
    low, high = max(values.min(), tenth - room), min(values.max(), ninth + room)
    pad = 0.04 * (high - low) or 0.5
    return float(low - pad), float(high + pad)


def reaching(low: float, high: float, levels: Iterable[float]) -> tuple[float, float]:
    """A range that takes in the levels that lie no farther outside than it is wide: others would make it all flat."""
    near = [value for value in levels if low - (high - low) <= value <= high + (high - low)]
    return min([low, *near]), max([high, *near])


def ticks(low: float, high: float) -> list[float]:
    """Three to six round values between low and high: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((power * m for m in (1, 2, 5, 10)), key=lambda one: abs(one - rough))
    first = math.ceil(low / step)
    return [round(i * step, 12) for i in range(first, math.floor(high / step) + 1)]
