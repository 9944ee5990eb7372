"""The driver's queue: tasks waiting, tasks under way, completions to hand back; every task comes back exactly once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import final

from autodc.errors import AutodcError
from autodc.trial.executor import Completion, Task, key

Drop = Callable[[Task], None]
"""Ends a task that was taken, at once."""


@final
class TaskQueue:
    """The state that an executor's slots share, safe from any thread.

    A slot takes a task, then reports its completion or puts it back. A completion of a task that is not under way
    any more (late, a second one, or cancelled) is ignored, and so is one of another task or attempt.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._again: deque[Task] = deque()
        self._queue: deque[Task] = deque()
        self._running: dict[int, tuple[Task, Drop]] = {}
        self._ended: deque[Completion] = deque()
        self._closed = self._held = False
        self._most: int | None = None
        self._broken: AutodcError | None = None

    def submit(self, task: Task) -> None:
        """Queue a task behind the others; one that is tried again goes before all that are not."""
        task = replace(task, out=str(Path(task.out).absolute()))
        with self._changed:
            (self._again if task.attempt else self._queue).append(task)
            self._changed.notify_all()

    def hold(self, held: bool) -> None:
        """Hand out no task until it is let go on; those under way are."""
        with self._changed:
            self._held = held
            self._changed.notify_all()

    @property
    def most(self) -> int | None:
        """So many tasks may be under way at once; None: as many as there are slots."""
        return self._most

    def limit(self, most: int) -> None:
        """Let so many tasks be under way at once; those that are come to their end."""
        with self._changed:
            self._most = most
            self._changed.notify_all()

    def take(self, drop: Drop, timeout: float | None = None) -> Task | None:
        """Wait for a task and hand it out; None after `timeout` seconds or when closed. drop: ends it at once."""
        with self._changed:
            self._changed.wait_for(lambda: self._may_begin() or self._closed, timeout)
            if self._closed or not self._may_begin():
                return None
            task = (self._again or self._queue).popleft()
            self._running[id(task)] = task, drop
            return task

    def _may_begin(self) -> bool:
        room = self._most is None or len(self._running) < self._most
        return bool(self._again or self._queue) and room and not self._held

    def put_back(self, task: Task) -> None:
        """Return a task that never started: it is the next to go."""
        with self._changed:
            if self._running.pop(id(task), None) is not None:
                self._again.appendleft(task)
                self._changed.notify_all()

    def report(self, task: Task, completion: Completion) -> None:
        """Take the end of a task that is under way."""
        with self._changed:
            if key(task) != key(completion):
                return
            if self._running.pop(id(task), None) is not None:
                self._ended.append(completion)
                self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> list[Completion]:
        """Return all completions there are, as soon as there is one. Raises what broke the executor."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not (self._ended or self._broken or self._closed) and (self._again or self._queue or self._running):
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            ended = list(self._ended)
            self._ended.clear()
            if self._broken is not None and not ended:
                raise self._broken
            return ended

    def cancel(self) -> None:
        """Forget every task; end those under way."""
        with self._changed:
            running = list(self._running.values())
            self._again.clear()
            self._queue.clear()
            self._running.clear()
            self._ended.clear()
            self._changed.notify_all()
        for task, drop in running:
            drop(task)

    def break_down(self, error: AutodcError) -> None:
        """Nothing can run any more: `wait` raises this."""
        with self._changed:
            self._broken = error
            self._changed.notify_all()

    def close(self) -> None:
        """Cancel, and let every slot go home."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.cancel()

    @property
    def closed(self) -> bool:
        """Whether the slots may go home."""
        return self._closed
