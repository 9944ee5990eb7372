"""Executors without Ray: in this process, for debugging and benchmarks, and in supervised children of this process."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import final

from autodc.adapters.executors.desk import Desk
from autodc.adapters.executors.harness import train_job
from autodc.adapters.executors.supervisor import Supervisor
from autodc.trial.executor import Completion, Job


@final
class InlineExecutor:
    """Trains in this process, inside `wait`, one job at a time. Deadlines and memory limits are not kept."""

    def __init__(self) -> None:
        self._queue: deque[Job] = deque()

    @property
    def slots(self) -> int:
        """One."""
        return 1

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._queue.append(job)

    def wait(self, timeout: float | None = None) -> list[Completion]:
        """Train the next job and return its completion; empty when nothing is queued."""
        return [train_job(self._queue.popleft())] if self._queue else []

    def cancel(self) -> None:
        """Forget what is queued."""
        self._queue.clear()

    def close(self) -> None:
        """Forget what is queued."""
        self.cancel()


@final
class LocalExecutor:
    """Trains in supervised children of this process, one per slot, without Ray."""

    def __init__(self, slots: int, *, threads: int = 1, log_folder: Path | None = None) -> None:
        self._desk = Desk()
        logs = [log_folder / f"slot-{k}.log" if log_folder else None for k in range(slots)]
        self._supervisors = [Supervisor(threads=threads, log=log) for log in logs]
        self._threads = [
            threading.Thread(target=self._serve, args=(s,), name=f"slot-{k}", daemon=True)
            for k, s in enumerate(self._supervisors)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def slots(self) -> int:
        """How many jobs train at once."""
        return len(self._supervisors)

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._desk.submit(job)

    def wait(self, timeout: float | None = None) -> list[Completion]:
        """Return completions as soon as there is one."""
        return self._desk.wait(timeout)

    def cancel(self) -> None:
        """Forget what is queued and end what runs."""
        self._desk.cancel()

    def close(self) -> None:
        """Cancel and end every child."""
        self._desk.close()
        for thread in self._threads:
            thread.join()

    def _serve(self, supervisor: Supervisor) -> None:
        supervisor.warm()
        while (job := self._desk.take(supervisor.drop)) is not None:
            self._desk.report(job, supervisor.run(job))
        supervisor.close()
