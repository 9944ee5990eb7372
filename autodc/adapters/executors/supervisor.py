"""Holds one child process: gives it tasks, keeps their deadline and memory limit, replaces it when it dies.

A task never runs in the process that supervises it. So a crash, a hang in native code or a `kill -9` costs one
attempt, not a slot, and the memory of a dead one, GPU memory too, is given back.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
import threading
import time
from multiprocessing.connection import wait
from pathlib import Path
from typing import IO, final

from autodc.adapters.executors import ends
from autodc.adapters.executors.child_process import Child
from autodc.adapters.executors.prints import close_log, cut_overgrown, last_lines, log_file
from autodc.trial.executor import Completion, Task

START_SECONDS = 300.0
"""How long a fresh process may take to import what the task needs."""
POLL_SECONDS = 0.25
"""How often the memory of a task with a limit is measured."""
LOOK_SECONDS = 60.0
"""The longest sleep of a supervisor that has nothing to measure; ends and deadlines wake it anyway."""
LOG_SECONDS = 0.5
"""How often it is looked whether the log of a task has outgrown what its process cuts."""
LOG_BYTES = 16 * 2**20
"""A log longer than this is emptied before the next task."""


@final
class Supervisor:
    """One slot: at most one child process and one task at a time.

    threads: cores a task sees; log: file that gets what the child prints, a temporary one if None; where it has a name,
    what a task prints goes to a file of the task's own beside it.
    `run` belongs to one thread, which must outlive the child; `drop` and `close` may be called from any.
    """

    def __init__(self, *, threads: int = 1, log: Path | None = None) -> None:
        self._threads = threads
        self._logs = None if log is None else log.parent
        self._log: IO[bytes] = open(log, "a+b") if log else tempfile.TemporaryFile("a+b")  # noqa: SIM115
        self._child: Child | None = None
        self._last: Task | None = None
        self._lock = threading.Lock()
        self._task: Task | None = None
        self._dropped: Task | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Process id of the child, or None where there is none."""
        child = self._child
        return child.process.pid if child else None

    def warm(self, task: Task | None = None) -> None:
        """Start the child ahead of the first task, and return at once.

        It imports what `task`, or the last one, needs.
        """
        self._last = task or self._last
        with self._lock:
            if self._closed or (self._child is not None and self._child.alive()):
                return
            self._end_child()
            self._child = Child.start(self._threads, self._log)
            if self._last is not None:
                with contextlib.suppress(OSError):
                    self._child.pipe.send(("warm", self._last))

    def run(self, task: Task) -> Completion:
        """Run one task in the child and say how it ended, whatever happened to it."""
        started, begun, seen = time.time(), time.monotonic(), ends.lie(task)
        with self._lock:
            if self._closed or self._dropped is task:
                return ends.ended(task, "lost", started, error="the task was cancelled [ADC-EXEC-005]")
            self._task = task
        if task.threads != self._threads:
            self._threads = task.threads
            with self._lock:
                self._end_child()
        self.warm(task)
        mark = self._mark()
        child = self._child
        if child is None:
            return ends.ended(task, "lost", started, error="the slot is closed [ADC-EXEC-005]")
        try:
            child.pipe.send(("task", task, log_file(self._logs, task)))
            completion = self._watch(child, task)
        except (EOFError, OSError) as error:
            completion = ends.ended(task, "crashed", started, error=child.cause_of_death(task, error))
        if completion.status in ("done", "failed", "surroundings"):
            return completion
        with self._lock:
            self._end_child()
        ends.leave_scratch(task, done=False)
        tail = self._tail(task, mark)
        if self._dropped is not task:
            self.warm()
        words, seconds = completion.error + tail, time.monotonic() - begun
        ended = ends.ended(task, completion.status, completion.started, error=words, seconds=seconds)
        return ends.ended_by_lost_data(task, ended, seen)

    def drop(self, task: Task) -> None:
        """End this task at once, if it is the one that runs or the next one; what `run` returns is of no account."""
        with self._lock:
            self._dropped = task
            if self._task is task and self._child is not None:
                self._child.kill()

    def close(self) -> None:
        """End the child and everything below it. Safe to call twice."""
        with self._lock:
            self._closed = True
            self._end_child()
            self._log.close()

    def _watch(self, child: Child, task: Task) -> Completion:
        started, log = time.time(), log_file(self._logs, task)
        begun = False
        deadline = time.monotonic() + START_SECONDS
        look = POLL_SECONDS if task.memory else LOG_SECONDS if log else LOOK_SECONDS
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                limit = f"{task.timeout:g} s" if begun else f"{START_SECONDS:g} s to start"
                why = f"the {task.work} took longer than {limit} [ADC-EXEC-003]"
                return ends.ended(task, "timeout", started, error=why)
            ready = wait([child.pipe, child.pidfd], min(left, look))
            if log is not None:
                cut_overgrown(log)
            if child.pipe in ready:
                kind, payload = child.pipe.recv()
                if kind in ("end", "last"):
                    completion: Completion = payload
                    if kind == "last":
                        self._replace_child()
                    return completion
                begun, started = True, payload
                deadline = time.monotonic() + (task.timeout if task.timeout else math.inf)
            elif child.pidfd in ready:
                raise EOFError
            elif task.memory and child.memory(task.memory) > task.memory:
                limit = f"{task.memory / 2**20:.0f} MB"
                why = f"the {task.work} used more than {limit} [ADC-EXEC-004]"
                return ends.ended(task, "memory", started, error=why)

    def _replace_child(self) -> None:
        with self._lock:
            self._end_child()
        self.warm()

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None

    def _mark(self) -> int:
        with contextlib.suppress(ValueError, OSError):
            size = os.fstat(self._log.fileno()).st_size
            if size <= LOG_BYTES:
                return size
            self._log.truncate(0)
        return 0

    def _tail(self, task: Task, mark: int) -> str:
        """The last lines of a task that could not tell them itself."""
        own = log_file(self._logs, task)
        lines = ""
        if own is not None:
            with contextlib.suppress(OSError), open(own, "rb") as opened:
                lines = last_lines(opened.fileno())
            close_log(own)
        with contextlib.suppress(ValueError):
            lines = lines or last_lines(self._log.fileno(), mark)
        return f"\n{lines}" if lines else ""
