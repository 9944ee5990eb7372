"""The driver's desk: jobs waiting, jobs under way, completions to hand back; every job comes back exactly once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import final

from autodc.errors import AutodcError
from autodc.trial.executor import Completion, Job

Drop = Callable[[Job], None]
"""Ends a job that was taken, at once."""


@final
class Desk:
    """The state that an executor's slots share, safe from any thread.

    A slot takes a job, then reports its completion or puts it back. A completion of a job that is not under way
    any more (late, a second one, or cancelled) is ignored, and so is one of another trial or attempt.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[Job] = deque()
        self._running: dict[int, tuple[Job, Drop]] = {}
        self._ended: deque[Completion] = deque()
        self._closed = False
        self._broken: AutodcError | None = None

    def submit(self, job: Job) -> None:
        """Queue a job behind the others."""
        job = replace(job, out=str(Path(job.out).absolute()))
        with self._changed:
            self._queue.append(job)
            self._changed.notify_all()

    def take(self, drop: Drop, timeout: float | None = None) -> Job | None:
        """Wait for a job and hand it out; None after `timeout` seconds or when closed. drop: ends it at once."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed, timeout)
            if self._closed or not self._queue:
                return None
            job = self._queue.popleft()
            self._running[id(job)] = job, drop
            return job

    def put_back(self, job: Job) -> None:
        """Return a job that never started: it is the next to go."""
        with self._changed:
            if self._running.pop(id(job), None) is not None:
                self._queue.appendleft(job)
                self._changed.notify_all()

    def report(self, job: Job, completion: Completion) -> None:
        """Take the end of a job that is under way."""
        with self._changed:
            if (job.number, job.attempt) != (completion.number, completion.attempt):
                return
            if self._running.pop(id(job), None) is not None:
                self._ended.append(completion)
                self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> list[Completion]:
        """Return all completions there are, as soon as there is one. Raises what broke the executor."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not (self._ended or self._broken or self._closed) and (self._queue or self._running):
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
        """Forget every job; end those under way."""
        with self._changed:
            running = list(self._running.values())
            self._queue.clear()
            self._running.clear()
            self._ended.clear()
            self._changed.notify_all()
        for job, drop in running:
            drop(job)

    def break_down(self, error: AutodcError) -> None:
        """Nothing can train any more: `wait` raises this."""
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
