"""An executor on a clock of its own: tasks take the time they are told to, and no processor works on them.

What keeps slots idle is then seen exactly: the loop, the journal, and, where it is counted, the time that the driver
itself takes.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import final

from autodc.trial.executor import Completion, Task

BEGINS = 1_000_000_000.0
"""Unix time at which the clock begins."""


@final
class VirtualExecutor:
    """Runs tasks on so many slots in virtual time, which goes on in `wait` alone and with what the driver takes.

    seconds: how long a task takes; answer: what comes of it, its numbers and times are set here; thinking: a clock of
    what the driver has taken so far, left out it takes no time. What this executor itself takes of that clock is none
    of the driver's.
    """

    def __init__(
        self,
        slots: int,
        seconds: Callable[[Task], float],
        answer: Callable[[Task], Completion],
        thinking: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._slots, self._seconds, self._answer, self._thinking = slots, seconds, answer, thinking
        self._queue: deque[Task] = deque()
        self._running: list[tuple[float, int, float, Task]] = []
        self._ended: list[Completion] = []
        self._skipped, self._own, self._count = 0.0, thinking(), 0
        self.spans: list[tuple[float, float]] = []
        """Start and end of every task that began, in the order in which they began."""

    @property
    def slots(self) -> int:
        """How many tasks run at once."""
        return self._slots

    @property
    def thought(self) -> float:
        """Seconds that the driver has taken."""
        return self._thinking() - self._own

    def clock(self) -> float:
        """Unix time as this executor has it."""
        return BEGINS + self._skipped + self.thought

    def submit(self, task: Task) -> None:
        """Queue a task; it begins at once where a slot is free."""
        now, entered = self.clock(), self._thinking()
        self._settle(now)
        if len(self._running) < self._slots:
            self._begin(task, now)
        else:
            self._queue.append(task)
        self._own += self._thinking() - entered

    def wait(self, timeout: float | None = None) -> list[Completion]:
        """Let time go on to the next end of a task, at most so far, and return what has ended."""
        now, entered = self.clock(), self._thinking()
        self._settle(now)
        if not self._ended and self._running:
            step = max(0.0, self._running[0][0] - now)
            self._skipped += step if timeout is None else min(step, timeout)
            self._settle(now + step if timeout is None else now + min(step, timeout))
        ended, self._ended = self._ended, []
        self._own += self._thinking() - entered
        return ended

    def cancel(self) -> None:
        """Drop what is queued and what runs: it ran until now."""
        now = self.clock()
        self._queue.clear()
        self.spans = [(a, min(b, now)) for a, b in self.spans]
        self._running.clear()
        self._ended.clear()

    def close(self) -> None:
        """Cancel."""
        self.cancel()

    def busy(self) -> float:
        """Seconds of tasks ÷ (slots × seconds from the first to the last), as a study's `busy_share`."""
        span = max(b for _, b in self.spans) - self.spans[0][0]
        return sum(b - a for a, b in self.spans) / (self._slots * span)

    def _settle(self, now: float) -> None:
        """End what has ended by now; what waits takes its place at that very moment."""
        while self._running and self._running[0][0] <= now:
            end, _, began, task = heapq.heappop(self._running)
            told = replace(self._answer(task), number=task.number, attempt=task.attempt, work=task.work)
            self._ended.append(replace(told, started=began, ended=end, seconds=end - began))
            if self._queue:
                self._begin(self._queue.popleft(), end)

    def _begin(self, task: Task, at: float) -> None:
        self._count += 1
        end = at + self._seconds(task)
        self.spans.append((at, end))
        heapq.heappush(self._running, (end, self._count, at, task))
