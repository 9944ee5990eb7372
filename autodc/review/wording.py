"""Words that need nothing but what they are about: to say them, nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodc.review.numbers import count, duration

PURPOSES = {
    "removal": "the challenger with it against the same without it",
    "addition": "the incumbent with it against the incumbent",
    "whole": "the whole challenger against the incumbent",
    "everything": "everything that is free against what was there, each at its best settings",
    "together": "all that is not believed to harm against what was there, each at its best settings",
    "harm": "the whole without what is believed to harm against the whole",
    "pruning": "the whole without these against the whole",
    "block": "these together against the same without them",
    "weights": "the weights that the search recommends against weight 1",
    "tuning": "the best settings for what is there against those it had",
    "doubt": "everything that is free against what was there, kept in doubt",
}
"""Purpose of a comparison → its two arms."""
BECAUSE = {
    "rounds": "all planned rounds were made",
    "findings": "nothing was left to compare",
    "expected": "nothing that could be done promised a gain that matters",
    "budget.trainings": "the budget of trainings was used up",
    "budget.wall_clock": "the time it was given was over",
    "until": "the hour named by --until had come",
    "stopped": "it was stopped by hand",
}
"""What ended a study, in words."""
ALIKE = 0.8
"""From this share of the longest time left on, the shortest is not told beside it."""
VERDICTS = {"keep": "kept", "drop": "dropped", "undecided": "undecided"}
"""Verdict → what became of the dataset."""


def of_finding(name: str) -> str:
    """The own slice of a finding, which is called `finding-F3` or the like, in words."""
    from autodc.evaluation.evidence import OF_FINDING  # numpy comes with it

    return f"slice of finding {name.removeprefix(OF_FINDING).partition('.')[0]}, gate rows"


def where(found: Mapping[str, Any]) -> str:
    """Round and phase in words; before the first round and after the last there is no round to name.

    found: as `status` gives it.
    """
    words = found["doing"]
    if found["finished"]:
        after = f", round {found['round']} of {found['rounds']}" if found["round"] else ""
        return f"finished{after}: {BECAUSE.get(found['stopped_because'], found['stopped_because'])}"
    if not found["round"]:
        return f"{words}; {count(found['rounds'], 'round')} to come" if words else "begun, nothing was trained yet"
    return f"round {found['round']} of {found['rounds']}, {words}"


def under_way(found: Mapping[str, Any]) -> str:
    """How many trainings run, and how many are planned and wait for a slot. found: as `status` gives it."""
    running, waiting = found["trainings"]["under_way"], found["trainings"]["waiting"]
    if found["paused_since"]:
        return f"{running + waiting} not ended"
    return f"{running} under way{f', {waiting} waiting' if waiting else ''}"


def time_left(left: Mapping[str, Any] | None) -> str:
    """The span as a person says it. left: of `status`."""
    if left is None:
        return "how much is left is not known yet"
    low, high = left["low"], left["high"]
    if left["by"] == "rounds":
        return f"about {duration(high)} left if every round is made"
    if low >= ALIKE * high or high < 1:
        return f"about {duration(high)} left"
    return f"{duration(low)} to {duration(high)} left"
