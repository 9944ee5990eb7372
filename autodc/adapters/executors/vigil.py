"""Watches how workers die: one death is mended, deaths in a row without a finished job break the executor."""

from __future__ import annotations

import time
from typing import final

from autodc.adapters.executors.desk import Desk
from autodc.adapters.executors.link import Switchboard
from autodc.errors import SurroundingsError

DEATHS_PER_SLOT = 5
"""So many deaths per slot in a row, with no job brought to an end between them, and there is no use in going on."""
PAUSE_SECONDS = 0.5
LONGEST_PAUSE = 15.0


@final
class Vigil:
    """Counts deaths of workers and slows their replacement when they come in a row."""

    def __init__(self, desk: Desk, switchboard: Switchboard, slots: int) -> None:
        self._desk, self._switchboard, self._slots = desk, switchboard, slots
        self.given_up = False
        self._deaths = 0
        self._ended = 0
        self._not_before = 0.0

    def died(self, why: str) -> None:
        """Note a death; break the executor when there were too many in a row."""
        if self._desk.closed:
            return
        if self._switchboard.ended > self._ended:
            self._deaths, self._ended = 0, self._switchboard.ended
        self._deaths += 1
        in_a_row = self._deaths / self._slots
        if in_a_row > 1:
            self._not_before = time.monotonic() + min(PAUSE_SECONDS * 2**in_a_row, LONGEST_PAUSE)
        if in_a_row >= DEATHS_PER_SLOT and not self.given_up:
            self.given_up = True
            hint = "look at Ray's logs, mend it, and run the same command again; it goes on where it stopped"
            last = why.strip().splitlines()[-1] if why.strip() else ""
            self._desk.break_down(
                SurroundingsError("ADC-EXEC-023", f"{self._deaths} workers in a row died on Ray", "", last, hint)
            )

    def may_start(self) -> bool:
        """Whether a new worker may be started now."""
        return not (self.given_up or self._desk.closed) and time.monotonic() >= self._not_before
