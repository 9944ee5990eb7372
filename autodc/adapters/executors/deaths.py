"""Watches how workers die: one death is mended, deaths in a row without a finished task are given up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

DEATHS_PER_SLOT = 5
"""So many deaths per slot in a row, with no task brought to an end between them, and there is no use in going on."""
PAUSE_SECONDS = 0.5
LONGEST_PAUSE = 15.0


@final
class Orders:
    """What the driver has told the pool so far.

    slots: workers to keep alive; closed: go home; ended: how many tasks came to an end.
    """

    def __init__(self, slots: int = 1) -> None:
        self.slots = slots
        self.closed = False
        self.ended = 0


@final
class WorkerDeaths:
    """Counts deaths of workers and slows their replacement when they come in a row.

    give_up: called once, with the number of deaths and what was last known of them.
    """

    def __init__(self, orders: Orders, slots: int, give_up: Callable[[int, str], None]) -> None:
        self._orders, self._slots, self._give_up = orders, slots, give_up
        self.given_up = False
        self._in_a_row = 0
        self._ended = 0
        self._not_before = 0.0

    def died(self, why: str) -> None:
        """Note a death; give up when there were too many in a row."""
        if self._orders.closed:
            return
        if self._orders.ended > self._ended:
            self._in_a_row, self._ended = 0, self._orders.ended
        self._in_a_row += 1
        per_slot = self._in_a_row / self._slots
        if per_slot > 1:
            self._not_before = time.monotonic() + min(PAUSE_SECONDS * 2**per_slot, LONGEST_PAUSE)
        if per_slot >= DEATHS_PER_SLOT and not self.given_up:
            self.given_up = True
            self._give_up(self._in_a_row, why)

    def may_start(self) -> bool:
        """Whether a new worker may be started now."""
        return not (self.given_up or self._orders.closed) and time.monotonic() >= self._not_before
