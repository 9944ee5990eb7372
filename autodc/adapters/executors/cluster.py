"""The executor on Ray: a queue, a server, and a keeper of the process that holds Ray. Ray is not imported here."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import final

from autodc.adapters.executors.keeper import Keeper, Notice
from autodc.adapters.executors.task_queue import TaskQueue
from autodc.errors import InputError
from autodc.studyfile.study import MachineSpec
from autodc.trial.executor import Completion, Task


def open_on_ray(machine: MachineSpec, log_folder: str | None, notice: Notice, stop: Callable[[], bool]) -> RayExecutor:
    """Open the Ray executor of the machine file: workers in Ray Tune trials, or in plain actors."""
    if importlib.util.find_spec("ray") is None:
        hint = "pip install 'autodc-optimizer[ray]', or set runner: inline in the machine file"
        raise InputError("ADC-EXEC-020", "Ray is not installed", "machine file: runner", "runner ray", hint)
    return RayExecutor(machine, log_folder=log_folder, notice=notice, stop=stop)


@final
class RayExecutor:
    """Works on Ray: this end keeps queue, deadlines and heartbeats; the pool keeps one worker per slot alive."""

    def __init__(
        self, machine: MachineSpec, *, log_folder: str | None, notice: Notice, stop: Callable[[], bool]
    ) -> None:
        self._queue = TaskQueue()
        self._keeper = Keeper(machine, self._queue, log_folder, notice)
        self._keeper.open(stop)

    @property
    def slots(self) -> int:
        """How many tasks run at once."""
        return self._keeper.slots

    def hold(self, held: bool) -> None:
        """Begin no task until it is called with False."""
        self._queue.hold(held)

    def resize(self, slots: int) -> None:
        """Run so many tasks at once; workers that are not needed go home and give back what they hold."""
        self._keeper.resize(slots)

    def submit(self, task: Task) -> None:
        """Queue a task."""
        self._queue.submit(task)

    def wait(self, timeout: float | None = None) -> list[Completion]:
        """Return completions as soon as there is one. Raises SurroundingsError when no worker can be kept alive."""
        return self._queue.wait(timeout)

    def cancel(self) -> None:
        """Forget what is queued and end what runs."""
        self._queue.cancel()

    def close(self) -> None:
        """Cancel, let the workers go, and shut Ray down where we started it."""
        self._queue.close()
        self._keeper.close()
