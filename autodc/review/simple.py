"""The simple baselines of a study, on the gate rows of validation, and how far the end is ahead of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from autodc.evaluation import objective
from autodc.plan.trial import Outcome
from autodc.study.direction import natural
from autodc.study.journal.state import State

COMPARED = ("difference", "low", "high")
"""What is told of the end minus a baseline."""


def simple(state: State) -> dict[str, dict[str, Any]]:
    """METHOD → what it scores, for result.json; those that were not measured yet are left out.

    difference, low, high: the end minus it, up is better for the end, None before the last measurement.
    """
    told = (None if state.credited is None else state.credited.baselines) or {}
    return {name: _told(state, outcome, told.get(name, {})) for name, outcome in state.simple.items()}


def called(name: str) -> str:
    """A METHOD in short: the object of a file."""
    thing = name.rpartition(":")[2]
    return name if "/" in thing else thing


def _told(state: State, outcome: Outcome, seen: Mapping[str, Any]) -> dict[str, Any]:
    mean = objective.mean(outcome.slices, objective.weights(state.question.slices))
    ahead = seen.get("slices", {})
    found: dict[str, Any] = {
        "objective": None if mean is None else rounded(natural(state, mean)),
        "rows": "gate",
        "seeds": seen.get("seeds", 0),
        **{key: rounded(seen.get(key)) for key in COMPARED},
        "standing": _standing(outcome, seen),
        "predict_ms": rounded(outcome.predict_ms),
        "slices": {
            name: {
                "value": rounded(natural(state, value)),
                **{key: rounded(ahead.get(name, {}).get(key)) for key in COMPARED},
            }
            for name, value in outcome.slices.items()
        },
    }
    if outcome.status != "done":
        found["error"] = outcome.error.strip() or outcome.status
    return found


def _standing(outcome: Outcome, seen: Mapping[str, Any]) -> str | None:
    """How the end stands to it; None before that is known."""
    if outcome.status != "done":
        return "failed"
    return None if seen.get("difference") is None else by_interval(seen)


def by_interval(seen: Mapping[str, Any]) -> Literal["ahead", "behind", "level"]:
    """How the end stands to what it was held against. seen: low and high of the end minus it, None where not known."""
    low, high = seen.get("low"), seen.get("high")
    if low is None or high is None:
        return "level"
    return "ahead" if low > 0 else "behind" if high < 0 else "level"


def rounded(value: float | None) -> float | None:
    """A number as result.json has it."""
    return None if value is None else round(value, 6) + 0.0
