"""The objective: the weighted mean of the target slices that are evidence; of all of them where none is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

S = TypeVar("S")


def counted(targets: Iterable[S], is_evidence: Callable[[S], bool]) -> tuple[S, ...]:
    """The targets that make the objective."""
    every = tuple(targets)
    return tuple(t for t in every if is_evidence(t)) or every


def weights(slices: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Slice → its weight in the objective. slices: the cards of a study, as in `StudyStarted`."""
    targets = [name for name, card in slices.items() if card.get("role") == "target"]
    chosen = counted(targets, lambda name: slices[name].get("needed") is None)
    return {name: float(slices[name].get("weight") or 1.0) for name in chosen}


def searched(slices: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The weights by which the search ranks trainings: of the targets that have explore rows."""
    return {name: w for name, w in weights(slices).items() if slices[name].get("explore_rows") != 0}


def mean(values: Mapping[str, float], weights: Mapping[str, float]) -> float | None:
    """The objective of these slices; None where a target is missing or no number, or where there is none."""
    if not weights or any(not math.isfinite(values.get(name, math.nan)) for name in weights):
        return None
    return sum(w * values[name] for name, w in weights.items()) / sum(weights.values())
