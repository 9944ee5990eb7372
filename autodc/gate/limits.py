"""What a challenger may cost beside the model the study begins with: `metrics.limits`. Pure.

A limit is broken where that is shown, not where a timing was slow by chance; and nothing is kept in haste that seems to
break one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autodc.gate.reasons import GO_ON, OVER_LIMIT
from autodc.gate.thresholds import SURE
from autodc.gate.types import Cost, Look

TIMING = 0.03
"""No timing is taken to be surer than to this share of it, however alike a few of them are; sizes are exact."""
OF_MEDIAN, OF_DEVIATION = 1.2533, 1.4826
"""Standard error of a median in those of a mean; standard deviation in median absolute deviations, of normal noise."""
EXACT = ("model_mb",)

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What one arm's trainings cost: name → one number a training, 0 where it was not measured."""

    start: Mapping[str, Sequence[float]]
    challenger: Mapping[str, Sequence[float]]
    incumbent: Mapping[str, Sequence[float]]


def weighed(
    limits: Mapping[str, float], start: Mapping[str, Sequence[float]], arm: Mapping[str, Sequence[float]]
) -> dict[str, Cost]:
    """Each cost that is limited and was measured of both: medians, their ratio, and how high it surely is."""
    found = {}
    for name, times in limits.items():
        before, now = (np.array([v for v in of.get(name, ()) if v > 0 and math.isfinite(v)]) for of in (start, arm))
        if not len(before) or not len(now):
            continue
        ratio = float(np.median(now) / np.median(before))
        error = _error(np.log(before), np.log(now), 0.0 if name in EXACT else TIMING)
        found[name] = Cost(
            start=float(np.median(before)),
            challenger=float(np.median(now)),
            times=ratio,
            surely=ratio * math.exp(-SURE * error) if math.isfinite(error) else 0.0,
            allowed=times,
        )
    return found


def limited(look: Look, limits: Mapping[str, float], costs: Costs, *, alone: bool, last: bool) -> Look:
    """Hold a look to the limits of the study.

    alone: it asks what one dataset is worth, which is dropped where it breaks a limit that the other arm keeps; what
    else breaks one is left open, for its settings may be to blame. last: no other look can be paid.
    """
    found = weighed(limits, costs.start, costs.challenger)
    if not found:
        return look
    others = weighed(limits, costs.start, costs.incumbent) if alone else {}
    own = [c for n, c in found.items() if n not in others or others[n].times <= c.allowed]
    look = replace(look, costs=found)
    if any(c.surely > c.allowed for c in own):
        return replace(look, verdict="drop" if alone else "undecided", reasons=(*_refusals(look), OVER_LIMIT))
    if look.verdict == "keep" and not last and any(c.times > c.allowed for c in own):
        return replace(look, verdict=None, reasons=(GO_ON,))
    return look


def _refusals(look: Look) -> tuple[str, ...]:
    """What a look says beside, where it does not keep."""
    return look.reasons if look.verdict in ("drop", "undecided") else ()


def _error(before: Array, now: Array, least: float) -> float:
    """Standard error of the difference of the medians of logarithms; infinite where each arm is one training.

    The challenger is taken to move at least as much as the start.
    """
    spreads = [max(least, spread) for arm in (before, now) if (spread := _spread(arm)) is not None]
    if not spreads:
        return math.inf
    first, last = (spreads[0] if len(before) > 1 else max(spreads)), max(spreads)
    return OF_MEDIAN * math.hypot(first / math.sqrt(len(before)), last / math.sqrt(len(now)))


def _spread(arm: Array) -> float | None:
    """Standard deviation by the median absolute deviation; None of one number."""
    if len(arm) < 2:
        return None
    return OF_DEVIATION * float(np.median(np.abs(arm - np.median(arm)))) * math.sqrt(len(arm) / (len(arm) - 1))
