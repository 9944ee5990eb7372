"""Executors without Ray: in this process, for debugging and benchmarks, and in supervised children of this process."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import final

from autodc.adapters.executors.harness import run_task
from autodc.adapters.executors.prints import log_file, printing_to
from autodc.adapters.executors.supervisor import Supervisor
from autodc.adapters.executors.task_queue import TaskQueue
from autodc.trial.executor import Completion, Task, no_room


@final
class InlineExecutor:
    """Works in this process, inside `wait`, one task at a time. Deadlines and memory limits are not kept.

    log_folder: gets what tasks print; without one the last lines are told of a task that fails.
    """

    def __init__(self, log_folder: Path | None = None) -> None:
        self._queue: deque[Task] = deque()
        self._logs = log_folder

    @property
    def slots(self) -> int:
        """One."""
        return 1

    def submit(self, task: Task) -> None:
        """Queue a task."""
        self._queue.append(task)

    def wait(self, timeout: float | None = None) -> list[Completion]:
        """Train the next task and return its completion; empty when nothing is queued."""
        if not self._queue:
            return []
        task = self._queue.popleft()
        return [run_task(task, printing_to(log_file(self._logs, task)))]

    def cancel(self) -> None:
        """Forget what is queued."""
        self._queue.clear()

    def close(self) -> None:
        """Forget what is queued."""
        self.cancel()


@final
class LocalExecutor:
    """Works in supervised children of this process, one per slot, without Ray."""

    def __init__(self, slots: int, *, threads: int = 1, log_folder: Path | None = None) -> None:
        self._queue = TaskQueue()
        self._threads, self._logs = threads, log_folder
        self._slots: list[_Slot] = []
        self._shared = False
        self._grow(slots)

    @classmethod
    def on_shared_child(cls) -> LocalExecutor | None:
        """One slot on the child that this process shares, where it does and nobody else uses it; else None."""
        if not (_shared and (slot := _shared[-1]).lent.acquire(blocking=False)):
            return None
        made = cls.__new__(cls)
        made._queue, made._slots, made._shared = TaskQueue(), [slot], True
        slot.serve(made._queue)
        return made

    @property
    def slots(self) -> int:
        """How many tasks run at once."""
        return len(self._slots) if self._queue.most is None else self._queue.most

    def hold(self, held: bool) -> None:
        """Begin no task until it is called with False."""
        self._queue.hold(held)

    def resize(self, slots: int) -> None:
        """Run so many at once, as many as there are cores; a child that is not needed stays for later."""
        most = 1 if self._shared else max(len(self._slots), len(os.sched_getaffinity(0)) // self._threads)
        if not 1 <= slots <= most:
            raise no_room(slots, most, "this machine")
        self._queue.limit(slots)
        self._grow(slots)

    def submit(self, task: Task) -> None:
        """Queue a task."""
        self._queue.submit(task)

    def wait(self, timeout: float | None = None) -> list[Completion]:
        """Return completions as soon as there is one."""
        return self._queue.wait(timeout)

    def cancel(self) -> None:
        """Forget what is queued and end what runs."""
        self._queue.cancel()

    def close(self) -> None:
        """Cancel and end every child, but a shared one."""
        if self._queue.closed:
            return
        self._queue.close()
        for slot in self._slots:
            slot.free.wait()
            if self._shared:
                slot.lent.release()
            else:
                slot.close()

    def _grow(self, slots: int) -> None:
        """Have so many children at least."""
        for k in range(len(self._slots), slots):
            slot = _Slot(self._threads, self._logs / f"slot-{k}.log" if self._logs else None)
            self._slots.append(slot)
            slot.serve(self._queue)


@contextlib.contextmanager
def shared_child() -> Iterator[None]:
    """Inside the block, inline runs of this process train in one child, one run after the other.

    For many small studies in a row, as in tests: a child takes a second to start. It keeps what it has imported, also
    a trainer's file that has changed since, and what it prints is in no log. Inside another such block it is that
    one's.
    """
    if _shared:
        yield
        return
    slot = _Slot(1, None)
    _shared.append(slot)
    try:
        yield
    finally:
        _shared.remove(slot)
        slot.close()


@final
class _Slot:
    """A supervised child with the thread it belongs to, which serves one queue after the other."""

    def __init__(self, threads: int, log: Path | None) -> None:
        self.lent = threading.Lock()
        self.free = threading.Event()
        self._supervisor = Supervisor(threads=threads, log=log)
        self._queues: SimpleQueue[TaskQueue | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._live, name="slot", daemon=True)
        self._thread.start()

    def serve(self, queue: TaskQueue) -> None:
        """Train what comes to this queue until it is closed; returns at once."""
        self.free.clear()
        self._queues.put(queue)

    def close(self) -> None:
        """End the child."""
        self._queues.put(None)
        self._thread.join()

    def _live(self) -> None:
        while (queue := self._queues.get()) is not None:
            self._supervisor.warm()
            while (task := queue.take(self._supervisor.drop)) is not None:
                queue.report(task, self._supervisor.run(task))
            self.free.set()
        self._supervisor.close()


_shared: list[_Slot] = []
