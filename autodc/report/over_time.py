"""How slices and mixture came to be what they are: one point a model, from the start over every round to the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.report.charts import Scale, apart, reaching
from autodc.review.numbers import Numbers
from autodc.review.simple import called
from autodc.study.direction import natural
from autodc.study.journal.state import State
from autodc.study.phases.order import view_of
from autodc.study.rules.latest_scores import freshest

WIDTH, HEIGHT, LEFT, RIGHT, TOP, FLOOR = 250.0, 128.0, 14.0, 236.0, 22.0, 98.0
"""Of the drawing of one slice, in pixels."""
SLICES, DATASETS = 24, 60
"""So many are drawn, targets and guards first; the data to download have all."""
SHADES = (0.0, 0.5, 1.0, 1.5)
"""Weights from which a cell is darker."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A model that was the best for a while."""

    name: str
    plan: Plan


def standings(state: State) -> list[Standing]:
    """The start, the incumbent at the end of every round that moved it, and the end where its settings are others."""
    if state.start is None or state.incumbent is None:
        return []
    found = {0: Standing(name="start", plan=state.start)}
    for move in state.moves:
        found[move.round] = Standing(name=f"round {move.round}", plan=Plan.from_dict(move.plan))
    told = list(found.values())
    return told if told[-1].plan == state.incumbent else [*told, Standing(name="end", plan=state.incumbent)]


def slices_over_rounds(state: State, numbers: Numbers) -> list[dict[str, Any]]:
    """One small drawing a slice: the mean of each model's freshest trainings, and how far they spread."""
    models = standings(state)
    view = view_of(state)
    runs = [(one.name, freshest(view, one.plan)) for one in models]
    runs = [(name, scores) for name, scores in runs if scores]
    if len(runs) < 2:
        return []
    order = sorted(state.question.slices.items(), key=lambda one: one[1].get("role") not in ("target", "guard"))
    return [drawn for name, card in order[:SLICES] if (drawn := _drawn(state, name, card, runs, numbers)) is not None]


def _drawn(
    state: State,
    name: str,
    card: Mapping[str, Any],
    runs: Sequence[tuple[str, Sequence[Mapping[str, float]]]],
    numbers: Numbers,
) -> dict[str, Any] | None:
    seen = [(label, [natural(state, run[name]) for run in scores if name in run]) for label, scores in runs]
    points = [(label, sum(values) / len(values), min(values), max(values)) for label, values in seen if values]
    if len(points) < 2:
        return None
    margin = card.get("margin")
    floor = None if margin is None else points[0][1] - natural(state, margin)
    every = [end for _, _, low, high in points for end in (low, high)] + ([] if floor is None else [floor])
    simple: list[dict[str, Any]] = [
        {"name": called(method), "value": natural(state, one.slices[name])}
        for method, one in state.simple.items()
        if name in one.slices
    ]
    low, high = reaching(min(every), max(every), [one["value"] for one in simple])
    across = Scale(low=0, high=len(points) - 1, start=LEFT, end=RIGHT)
    up = Scale(low=low, high=high, start=FLOOR, end=TOP)
    marks = [
        {"x": across.at(k), "y": up.at(mean), "low": up.at(low), "high": up.at(high), "name": label, "value": mean}
        for k, (label, mean, low, high) in enumerate(points)
    ]
    return {
        "slice": name,
        "role": card.get("role", ""),
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": RIGHT,
        "levels": apart(simple, up),
        "marks": marks,
        "line": " ".join(f"{one['x']:g},{one['y']:g}" for one in marks),
        "margin": None if floor is None else up.at(floor),
        "words": ", ".join(f"{label} {numbers.plain(mean)}" for label, mean, _, _ in points),
    }


def mixture_over_rounds(state: State) -> dict[str, Any] | None:
    """The weight of every dataset in each model; None where nothing but the base was ever in one."""
    models = standings(state)
    weights = [dict(one.plan.mixture.weights) for one in models]
    names = [BASE, *(name for name in state.candidates if any(mixture.get(name) for mixture in weights))]
    if len(names) < 2 or len(models) < 2:
        return None
    rows = [
        {"name": name, "cells": [_cell(mixture.get(name, 0.0)) for mixture in weights]} for name in names[:DATASETS]
    ]
    return {"models": [one.name for one in models], "rows": rows, "more": len(names) - len(rows)}


def _cell(weight: float) -> dict[str, Any]:
    return {"weight": weight, "shade": sum(weight > step for step in SHADES)}
