"""The event by which people are asked for data that nothing here can make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autodc.study.journal.events.base import Event
from autodc.study.journal.shapes import InsideJson, PromiseJson, StepsJson

__all__ = ["RequestMade"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMade(Event):
    """Rows of a kind are asked for. What kind, its finding tells."""

    id: str
    """R1, R2 … in the order of the study."""
    round: int
    horizon: int
    finding: str
    rows: int
    gain: PromiseJson
    """By how much the mean error of all rows would fall."""
    inside: InsideJson
    """The error of the finding's rows now, and by how much it would fall."""
    steps: StepsJson = ()
    """The same for fewer and for more rows."""
    cost: float = 0.0
    """In the unit of budget.cost, 0 where no price is known."""
    price: float | None = None
    """Of a row; None where none is known."""
    purse: float | None = None
    """What was left of budget.cost; None where it has no end."""
    priority: int = 1
    """Among those of the same round, 1 first."""
    until: int | None = None
    """The round at whose beginning it is taken at the latest; None: no round is left, it is for another night."""
    targets: tuple[str, ...] = ()
    """Target slices that it is meant to help; none named: all."""
    like: str | None = None
    """The dataset whose learning curve tells the gain; None: it is weighed from what is usual."""
    exhibit: str = ""
    """Address of the rows that are shown as examples, empty where nothing is kept."""
    label: Mapping[str, Any] = field(default_factory=dict)
    """Rows of the pool that are to be labelled, empty where rows are to be found: `rows` (positions), `matching`, the
    fingerprint of the `pool` and the address of the `sheet`. JSON values."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What else the words need: {makers: [pool, names of generators] that had nothing for it}. JSON values."""
