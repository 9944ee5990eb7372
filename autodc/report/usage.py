"""What the workers did all night: how many trained at any time, and where the rest of the time went."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autodc.report.charts import CHART_LEFT, CHART_WIDTH, Scale
from autodc.review.numbers import duration
from autodc.study.journal.state import State

Array = np.ndarray[Any, Any]

BINS = 120
"""So many stretches of equal length the night is cut into."""
HEIGHT, FLOOR, TOP, RIGHT, BAND = 170.0, 120.0, 12.0, CHART_WIDTH - 12, 14.0
NAMED = 46.0
"""Pixels that a phase must be wide to be named."""
TONES = {"search": 0, "gate": 1, "sweep": 1, "tuning": 2, "calibration": 3, "credit": 3, "test": 3}
"""Phase → its tone in the drawing; others train nothing."""


def usage(state: State) -> dict[str, Any] | None:
    """The drawing and the account; None before the first training has ended."""
    ended = [t.outcome for t in state.trials if t.outcome is not None and t.outcome.ended > 0 and t.outcome.took > 0]
    if not ended or not state.sessions:
        return None
    clock = _Clock(state)
    if clock.length <= 0:
        return None
    start = clock.at(np.array([one.ended - one.took for one in ended]))
    end = np.maximum(clock.at(np.array([one.ended for one in ended])), start)
    edges = np.linspace(0.0, clock.length, BINS + 1)
    slots = max(session.most for session in state.sessions)
    busy = np.minimum(_overlap(start, end, edges) / (clock.length / BINS), slots)
    across = Scale(low=0.0, high=clock.length, start=CHART_LEFT, end=RIGHT)
    up = Scale(low=0.0, high=float(slots), start=FLOOR, end=TOP)
    phases = _phases(state, clock)
    return {
        "width": CHART_WIDTH,
        "height": HEIGHT,
        "left": CHART_LEFT,
        "right": RIGHT,
        "floor": FLOOR,
        "top": TOP,
        "slots": slots,
        "area": _area(busy, edges, across, up),
        "phases": [_band(name, at, until, across) for name, at, until in phases],
        "pauses": [across.at(at) for at in clock.starts[1:]],
        "length": duration(clock.length),
        "rows": _account(phases, start, end, slots),
        "around": _around([(one.took, one.train_seconds) for one in ended]),
    }


class _Clock:
    """Seconds of work since the study began: what lies between two sessions takes no time."""

    def __init__(self, state: State) -> None:
        self._began = np.array([one.started for one in state.sessions])
        self._until = np.array([max(one.ended, one.started) for one in state.sessions])
        lengths = self._until - self._began
        self.starts = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
        self.length = float(lengths.sum())

    def at(self, times: Array) -> Array:
        """Unix times → seconds; between two sessions the end of the first."""
        of = np.clip(np.searchsorted(self._began, times, side="right") - 1, 0, None)
        found: Array = self.starts[of] + np.clip(times, self._began[of], self._until[of]) - self._began[of]
        return found


def _overlap(start: Array, end: Array, edges: Array) -> Array:
    """Seconds of training in every stretch."""
    before = np.clip(edges[None, :], start[:, None], end[:, None]) - start[:, None]
    return np.asarray(np.diff(before.sum(axis=0)))


def _area(busy: Array, edges: Array, across: Scale, up: Scale) -> str:
    path = [f"M{across.at(0.0):g} {up.start:g}"]
    path += [f"V{up.at(value):g} H{across.at(end):g}" for value, end in zip(busy, edges[1:], strict=True)]
    return " ".join([*path, f"V{up.start:g} Z"])


def _phases(state: State, clock: _Clock) -> list[tuple[str, float, float]]:
    """Name, start and end of every stretch of a phase."""
    times = [*clock.at(np.array([one.time for one in state.phases])), clock.length] if state.phases else []
    return [(one.phase, float(a), float(b)) for one, (a, b) in zip(state.phases, pairwise(times), strict=True) if b > a]


def _band(name: str, at: float, until: float, across: Scale) -> dict[str, Any]:
    x, end = across.at(at), across.at(until)
    width = round(end - x, 1)
    return {"name": name, "x": x, "width": width, "tone": TONES.get(name, 4), "named": width >= NAMED}


def _account(phases: Sequence[tuple[str, float, float]], start: Array, end: Array, slots: int) -> list[dict[str, Any]]:
    """One row a phase: how long it took, how busy the workers were, how much of their time was idle."""
    rows = dict[str, list[float]]()
    for name, a, b in phases:
        busy = float(np.clip(np.minimum(end, b) - np.maximum(start, a), 0.0, None).sum())
        known = rows.setdefault(name, [0.0, 0.0])
        known[0] += b - a
        known[1] += min(busy, slots * (b - a))
    whole = sum(wall for wall, _ in rows.values()) or 1.0
    return [
        {
            "name": name,
            "time": duration(wall),
            "share": f"{wall / whole:.0%}",
            "busy": f"{busy / (slots * wall):.0%}",
            "idle": duration(slots * wall - busy),
        }
        for name, (wall, busy) in sorted(rows.items(), key=lambda one: one[1][1] - slots * one[1][0])
    ]


def _around(took: Sequence[tuple[float, float]]) -> str:
    """What of a training is fitting, and what is reading, predicting and saving around it."""
    whole, fitting = sum(a for a, _ in took), sum(min(a, b) for a, b in took)
    if not whole or not fitting:
        return ""
    return f"{fitting / whole:.0%} of it fitting, the rest reading rows, predicting and saving"
