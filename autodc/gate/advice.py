"""What would decide a comparison that is undecided: so many pairs, or so many rows, if what was seen goes on."""

from __future__ import annotations

import math
from collections.abc import Iterable

from autodc.gate.demands import Demand, Schedule
from autodc.gate.power import pairs_for, rows_for
from autodc.gate.types import Settling

MOST_PAIRS = 50
"""More pairs than this are no advice."""
MOST_ROWS = 50.0
"""More rows than this many times the present are no advice."""


def advise(demands: Iterable[Demand], schedule: Schedule) -> tuple[Settling, ...]:
    """Say for each demand that is not met which evidence would meet it, were the difference what it seems."""
    listed = list(demands)
    gains = [d for d in listed if d.aim == "gain"]
    missing = [d for d in listed if d.aim != "gain" and not d.met]
    if gains and not any(d.met for d in gains):
        missing.insert(0, max(gains, key=lambda d: d.chance_with_more))
    found: dict[str, Settling] = {}
    for demand in missing:
        found.setdefault(demand.name, _settling(demand, schedule))
    return tuple(found.values())


def _settling(demand: Demand, schedule: Schedule) -> Settling:
    pairs = pairs_for(demand.estimate, demand.shift, demand.last_bound)
    rows = rows_for(demand.estimate, demand.shift, demand.last_bound, schedule.last)
    return Settling(
        name=demand.name,
        pairs=math.ceil(pairs) if schedule.now < pairs <= MOST_PAIRS else None,
        pairs_now=schedule.now,
        rows=math.ceil(rows) if demand.estimate.rows < rows <= MOST_ROWS * demand.estimate.rows else None,
        rows_now=demand.estimate.rows,
        pairs_at_most=schedule.last,
    )
