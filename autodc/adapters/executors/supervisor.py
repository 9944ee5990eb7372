"""Holds one training process: gives it jobs, keeps their deadline and memory limit, replaces it when it dies.

A training never runs in the process that supervises it. So a crash, a hang in native code or a `kill -9` costs one
attempt, not a slot, and the memory of a dead training, GPU memory too, is given back.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import IO, Any, final

import psutil

import autodc
from autodc.adapters.executors import harness
from autodc.adapters.executors.lifeline import start
from autodc.trial.executor import Completion, Job, Status, TrainerRef

EXIT_SECONDS = 5.0
"""How long a process that has closed its line may take to end by itself, so that its own exit code is told."""
START_SECONDS = 300.0
"""How long a fresh process may take to import what the trainer needs."""
POLL_SECONDS = 0.25
"""How often the memory of a job with a limit is measured."""
LOOK_SECONDS = 60.0
"""The longest sleep of a supervisor that has nothing to measure; ends and deadlines wake it anyway."""
TAIL_LINES = 12
TAIL_BYTES = 8192
LOG_BYTES = 16 * 2**20
"""A log longer than this is emptied before the next job."""

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)


@final
class Supervisor:
    """One slot: at most one child process and one job at a time.

    threads: cores a training sees; log: file that gets the child's stdout and stderr, a temporary one if None.
    `run` belongs to one thread, which must outlive the child; `drop` and `close` may be called from any.
    """

    def __init__(self, *, threads: int = 1, log: Path | None = None) -> None:
        self._threads = threads
        self._log: IO[bytes] = open(log, "a+b") if log else tempfile.TemporaryFile("a+b")  # noqa: SIM115
        self._child: _Child | None = None
        self._trainer: TrainerRef | None = None
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._dropped: Job | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Process id of the child, or None where there is none."""
        child = self._child
        return child.process.pid if child else None

    def warm(self, trainer: TrainerRef | None = None) -> None:
        """Start the child ahead of the first job, and let it import what `trainer` needs. Returns at once."""
        self._trainer = trainer or self._trainer
        with self._lock:
            if self._closed or (self._child is not None and self._child.alive()):
                return
            self._end_child()
            self._child = _Child.start(self._threads, self._log)
            if self._trainer is not None:
                with contextlib.suppress(OSError):
                    self._child.pipe.send(("warm", self._trainer))

    def run(self, job: Job) -> Completion:
        """Train one job in the child and say how it ended, whatever happened to it."""
        started, begun = time.time(), time.monotonic()
        with self._lock:
            if self._closed or self._dropped is job:
                return _ended(job, "lost", started, "the job was cancelled [ADC-EXEC-005]")
            self._job = job
        if job.threads != self._threads:
            self._threads = job.threads
            with self._lock:
                self._end_child()
        self.warm(job.trainer)
        mark = self._mark()
        child = self._child
        if child is None:
            return _ended(job, "lost", started, "the slot is closed [ADC-EXEC-005]")
        try:
            child.pipe.send(("job", job))
            completion = self._watch(child, job)
        except (EOFError, OSError) as error:
            completion = _ended(job, "crashed", started, self._obituary(child, error))
        if completion.status in ("done", "failed", "surroundings"):
            return completion
        with self._lock:
            self._end_child()
        harness.leave_scratch(job, keep_model=False)
        tail = self._tail(mark)
        if self._dropped is not job:
            self.warm()
        seconds = time.monotonic() - begun
        ended = _ended(job, completion.status, completion.started, completion.error + tail, seconds)
        return harness.ended_by_lost_data(job, ended)

    def drop(self, job: Job) -> None:
        """End this job at once, if it is the one that runs or the next one; what `run` returns is of no account."""
        with self._lock:
            self._dropped = job
            if self._job is job and self._child is not None:
                self._child.kill()

    def close(self) -> None:
        """End the child and everything below it. Safe to call twice."""
        with self._lock:
            self._closed = True
            self._end_child()
            self._log.close()

    def _watch(self, child: _Child, job: Job) -> Completion:
        started = time.time()
        training = False
        deadline = time.monotonic() + START_SECONDS
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                limit = f"{job.timeout:g} s" if training else f"{START_SECONDS:g} s to start"
                return _ended(job, "timeout", started, f"the training took longer than {limit} [ADC-EXEC-003]")
            ready = wait([child.pipe, child.pidfd], min(left, POLL_SECONDS if job.memory else LOOK_SECONDS))
            if child.pipe in ready:
                kind, payload = child.pipe.recv()
                if kind == "end":
                    completion: Completion = payload
                    return completion
                training, started = True, payload
                deadline = time.monotonic() + (job.timeout if job.timeout else math.inf)
            elif child.pidfd in ready:
                raise EOFError
            elif job.memory and child.memory(job.memory) > job.memory:
                limit = f"{job.memory / 2**20:.0f} MB"
                return _ended(job, "memory", started, f"the training used more than {limit} [ADC-EXEC-004]")

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None

    def _obituary(self, child: _Child, error: Exception) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(EXIT_SECONDS)
        child.kill()
        code = child.process.wait()
        if code >= 0:
            how = f"exit code {code}" if isinstance(error, EOFError) else f"exit code {code}, {error}"
        else:
            how = signal.Signals(-code).name
        if -code == signal.SIGKILL:
            how += ", killed from outside or for want of memory"
        return f"the training process died ({how}) [ADC-EXEC-002]"

    def _mark(self) -> int:
        with contextlib.suppress(ValueError, OSError):
            size = os.fstat(self._log.fileno()).st_size
            if size <= LOG_BYTES:
                return size
            self._log.truncate(0)
        return 0

    def _tail(self, mark: int) -> str:
        try:
            size = os.fstat(self._log.fileno()).st_size
            text = os.pread(self._log.fileno(), TAIL_BYTES, max(mark, size - TAIL_BYTES))
        except (ValueError, OSError):
            return ""
        lines = text.decode(errors="replace").rstrip().splitlines()[-TAIL_LINES:]
        return "\n" + "\n".join(lines) if lines else ""


@dataclass(frozen=True, slots=True)
class _Child:
    """A running child: its process, the pipe for jobs, the lifeline, and a descriptor that tells its end."""

    process: subprocess.Popen[bytes]
    pipe: Connection[Any, Any]
    lifeline: int
    pidfd: int

    @classmethod
    def start(cls, threads: int, log: IO[bytes]) -> _Child:
        root = str(Path(autodc.__file__).parents[1])
        paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        shares = {name: str(threads) for name in _THREAD_VARIABLES}
        environment = {**os.environ, **shares, "PYTHONPATH": os.pathsep.join(paths)}
        process, pipe, lifeline = start("autodc.adapters.executors.child", log, environment)
        return cls(process, pipe, lifeline, os.pidfd_open(process.pid))

    def alive(self) -> bool:
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
        self.kill()
        self.process.wait()
        self.pipe.close()
        os.close(self.lifeline)
        os.close(self.pidfd)

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


def _ended(job: Job, status: Status, started: float, error: str, seconds: float = 0.0) -> Completion:
    return Completion(
        number=job.number,
        attempt=job.attempt,
        status=status,
        started=started,
        ended=time.time(),
        seconds=seconds,
        error=error,
    )
