"""Printed intervals held against the truth: at the level they were printed at, and scaled to 90%."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit

from autodc.gate.types import SliceLook
from benchmarks.gate.nights import Night, share
from benchmarks.gate.population import OBJECTIVE

LEVEL = 0.9


def interval(seen: SliceLook) -> dict[str, float | None]:
    """What a look printed of a slice, and the same at 90%."""
    return rescaled(seen.difference, seen.low, seen.high, seen.level, seen.df)


def rescaled(
    difference: float, low: float | None, high: float | None, level: float, df: float | None
) -> dict[str, float | None]:
    """An interval, and the same at 90%: its reach from the estimate is scaled by Student's quantiles.

    df: None where it was not printed; the quantiles are then the normal ones.
    """
    told = {"difference": difference, "low": low, "high": high, "level": level}
    if low is None or high is None:
        return {**told, "low90": None, "high90": None}
    factor = _quantile(LEVEL, df) / _quantile(level, df)
    return {
        **told,
        "low90": difference + factor * (low - difference),
        "high90": difference + factor * (high - difference),
    }


def _quantile(level: float, df: float | None) -> float:
    tail = 0.5 + level / 2
    return float(ndtri(tail) if df is None else stdtrit(df, tail))


def holds(shown: Mapping[str, Any], at: str = "90") -> bool:
    """Whether an interval holds the truth. at: `90`, or empty for the level it was printed at."""
    return bool(shown[f"low{at}"] <= shown["truth"] <= shown[f"high{at}"])


Shown = tuple[Night, Night, str, Mapping[str, Any]]
"""Night, comparison, slice, what was printed of it."""


def printed(found: Iterable[Night]) -> list[Shown]:
    """Every interval that was printed."""
    return [
        (one, c, name, seen)
        for one in found
        for c in one["comparisons"]
        for name, seen in c["slices"].items()
        if seen["low"] is not None and seen["high"] is not None
    ]


COVERED = (
    "intervals of",
    "of 90%, objective (87–95%)",
    "of 90%, targets (87–95%)",
    "at the printed level",
    "mean level",
)


def covered(name: str, group: Sequence[Shown]) -> Sequence[object]:
    """Coverage of some intervals, as `COVERED` names it."""
    whole = [seen for _, _, where, seen in group if where == OBJECTIVE]
    parts = [seen for _, _, where, seen in group if where != OBJECTIVE]
    every = [*whole, *parts]
    levels = [seen["level"] for seen in every]
    return (
        name,
        *(share(holds(seen) for seen in some) for some in (whole, parts)),
        share(holds(seen, "") for seen in every),
        f"{np.mean(levels):.3f}" if levels else "–",
    )


def grouped(shown: Sequence[Shown]) -> dict[str, list[Shown]]:
    """Intervals by kind of comparison, by verdict, by rows, and by learner, whether rows were drawn, and pairs."""
    groups: dict[str, list[Shown]] = defaultdict(list)
    for one in shown:
        night, c = one[0], one[1]
        groups["all"].append(one)
        groups[f"{c['purpose']}, {c['kind']}"].append(one)
        if c["pairs"] is not None:
            drawn = "rows drawn" if c["drawn"] else "no rows drawn"
            groups[f"learner {night['learner']}, {drawn}, {'1 pair' if c['pairs'] == 1 else 'more pairs'}"].append(one)
            groups[f"verdict {c['verdict']}"].append(one)
            groups[f"{night['rows']:,} validation rows"].append(one)
    return {"all": groups.pop("all", []), **dict(sorted(groups.items()))}
