"""The child process of a supervisor, seen from outside: started, measured, ended with all that is below it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import IO, Any, final

import psutil

import autodc
from autodc.adapters.executors.lifeline import start
from autodc.adapters.executors.threads import environment
from autodc.trial.executor import Task

ARROW = {"ARROW_DEFAULT_MEMORY_POOL": "system"}
"""Arrow's own allocator keeps what it once had."""
EXIT_SECONDS = 5.0
"""How long a process that has closed its line may take to end by itself, so that its own exit code is told."""


@final
@dataclass(frozen=True, slots=True)
class Child:
    """A running child: its process, the pipe for tasks, the lifeline, and a descriptor that tells its end."""

    process: subprocess.Popen[bytes]
    pipe: Connection[Any, Any]
    lifeline: int
    pidfd: int

    @classmethod
    def start(cls, threads: int, log: IO[bytes]) -> Child:
        """Start a fresh interpreter that serves tasks, each on `threads` threads. log: takes what it prints."""
        root = str(Path(autodc.__file__).parents[1])
        paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        variables = {**ARROW, **os.environ, **environment(threads), "PYTHONPATH": os.pathsep.join(paths)}
        process, pipe, lifeline = start("autodc.adapters.executors.child", log, variables)
        return cls(process, pipe, lifeline, os.pidfd_open(process.pid))

    def alive(self) -> bool:
        """Whether the process has not ended; asks the system, without waiting."""
        return not wait([self.pidfd], 0)

    def kill(self) -> None:
        """Kill the child and every program below it, in its group or outside."""
        programs = self._programs()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for program in programs:
            with contextlib.suppress(psutil.Error):
                program.kill()

    def end(self) -> None:
        """Kill the child, reap it and close what leads to it; not to be used again after."""
        self.kill()
        self.process.wait()
        self.pipe.close()
        os.close(self.lifeline)
        os.close(self.pidfd)

    def cause_of_death(self, task: Task, error: Exception) -> str:
        """How a process ended that hung up on us, in words."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(EXIT_SECONDS)
        self.kill()
        code = self.process.wait()
        if code >= 0:
            how = f"exit code {code}" if isinstance(error, EOFError) else f"exit code {code}, {error}"
        else:
            how = signal.Signals(-code).name
        if -code == signal.SIGKILL:
            how += ", killed from outside or for want of memory"
        return f"the {task.work} process died ({how}) [ADC-EXEC-002]"

    def memory(self, limit: float) -> float:
        """Bytes in use by the child and all below it; shared pages are counted in part where it matters."""
        with contextlib.suppress(psutil.Error):
            family = [psutil.Process(self.process.pid), *self._programs()]
            resident = sum(p.memory_info().rss for p in family)
            if resident <= limit:
                return float(resident)
            return float(sum(p.memory_full_info().pss for p in family))
        return 0.0

    def _programs(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
            return found
        return []
