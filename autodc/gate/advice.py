"""What would decide a test that is undecided: so many pairs, or so many rows, if what was seen goes on."""

from __future__ import annotations

import math
from collections.abc import Iterable

from autodc.gate.demands import Demand, Schedule
from autodc.gate.noise import OBJECTIVE
from autodc.gate.power import pairs_for, rows_for

MOST_PAIRS = 50
"""More pairs than this are no advice."""
MOST_ROWS = 50.0
"""More rows than this many times the present are no advice."""


def advise(demands: Iterable[Demand], schedule: Schedule) -> str:
    """Say for each demand that is not met which evidence would meet it, were the difference what it seems."""
    listed = list(demands)
    gains = [d for d in listed if d.purpose == "gain"]
    missing = [d for d in listed if d.purpose != "gain" and not d.met]
    if gains and not any(d.met for d in gains):
        missing.insert(0, max(gains, key=lambda d: d.chance_with_more))
    told: dict[str, str] = {}
    for demand in missing:
        told.setdefault(demand.name, _one(demand, schedule))
    return " ".join(told.values())


def _one(demand: Demand, schedule: Schedule) -> str:
    label = "The objective" if demand.name == OBJECTIVE else f"`{demand.name}`"
    pairs = pairs_for(demand.estimate, demand.shift, demand.last_bound)
    rows = rows_for(demand.estimate, demand.shift, demand.last_bound, schedule.last)
    ways = []
    if schedule.now < pairs <= MOST_PAIRS:
        ways.append(f"about {math.ceil(pairs)} pairs instead of {schedule.now}")
    if demand.estimate.rows < rows <= MOST_ROWS * demand.estimate.rows:
        ways.append(f"about {math.ceil(rows)} rows instead of {demand.estimate.rows} at {schedule.last} pairs")
    if not ways:
        return f"{label} cannot be settled by a reasonable number of rows or pairs at the difference seen."
    return f"{label} would be settled by {' or '.join(ways)}, if the difference is what it seems."
