"""The line between the driver's desk and its workers: a socket on which jobs go out and completions come back.

A worker dials in, proves that it knows the key, and then serves: one job at a time, with a sign of life every few
seconds. The driver gives up a worker that falls silent, whatever the cluster believes of it: its job comes back as
`lost`, or is the next to go where it had not started.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Pipe, answer_challenge, deliver_challenge, wait
from pathlib import Path
from typing import Any, final

from autodc.adapters.executors.desk import Desk
from autodc.adapters.executors.supervisor import Supervisor
from autodc.trial.executor import Completion, Job

BEAT_SECONDS = 2.0
"""How often a worker that trains gives a sign of life."""
SILENCE_SECONDS = 30.0
"""After this long without one the driver gives the worker up."""
IDLE_SECONDS = 0.5
"""How often the driver looks whether an idle worker is still there."""
DIAL_SECONDS = 30.0


@final
class Switchboard:
    """The driver's end: takes calls of workers and hands them the jobs of the desk."""

    def __init__(self, desk: Desk, host: str) -> None:
        self._desk = desk
        self.key = secrets.token_bytes(32)
        self._listener = socket.create_server((host, 0))
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._workers = 0
        self._ended = 0
        threading.Thread(target=self._answer, name="switchboard", daemon=True).start()

    @property
    def workers(self) -> int:
        """How many workers are on the line."""
        return self._workers

    @property
    def ended(self) -> int:
        """How many jobs workers have brought to an end so far: a sign that the cluster works."""
        return self._ended

    def close(self) -> None:
        """Hang up; every worker goes home."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _answer(self) -> None:
        while True:
            try:
                call, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(call,), name="line", daemon=True).start()

    def _talk(self, call: socket.socket) -> None:
        _tune(call)
        line: Connection[Any, Any] = Connection(call.detach())
        with line, contextlib.suppress(EOFError, OSError, AuthenticationError):
            deliver_challenge(line, self.key)
            answer_challenge(line, self.key)
            self._workers += 1
            try:
                while not self._desk.closed and self._one(line):
                    pass
                line.send(("end", None))
            finally:
                self._workers -= 1

    def _one(self, line: Connection[Any, Any]) -> bool:
        """Hand out one job and see it to its end; say whether the worker is good for another."""

        sending = threading.Lock()

        def drop(job: Job) -> None:
            with sending, contextlib.suppress(OSError):
                line.send(("drop", (job.number, job.attempt)))

        job = self._desk.take(drop, IDLE_SECONDS)
        if job is None:
            return not line.poll(0)  # an idle worker has nothing to say: this is its end
        began = time.time()
        taken = False
        try:
            with sending:
                line.send(("job", job))
            while line.poll(SILENCE_SECONDS):
                kind, payload = line.recv()
                taken = True
                if kind == "end":
                    self._ended += 1
                    self._desk.report(job, payload)
                    return True
            why = f"its worker has given no sign of life for {SILENCE_SECONDS:g} s"
        except (EOFError, OSError):
            why = "its worker went away"
        if taken:
            self._desk.report(job, _lost(job, began, why))
        else:
            self._desk.put_back(job)
        return False


@final
class Worker:
    """The worker's end: dials the driver and trains in a supervised child what it is sent."""

    def __init__(self, address: tuple[str, int], key: bytes, log_folder: str | None = None) -> None:
        call = socket.create_connection(address, timeout=DIAL_SECONDS)
        call.settimeout(None)
        _tune(call)
        self._line: Connection[Any, Any] = Connection(call.detach())
        answer_challenge(self._line, key)
        deliver_challenge(self._line, key)
        log = Path(log_folder) / f"worker-{os.getpid()}.log" if log_folder and Path(log_folder).is_dir() else None
        self._supervisor = Supervisor(log=log)
        self._supervisor.warm()

    def serve_one(self) -> Completion | None:
        """Wait for a job and train it; None when there will be no more. Call it from one thread only."""
        try:
            while True:
                kind, job = self._line.recv()
                if kind == "job":
                    return self._train(job)
                if kind == "end":
                    return None
        except (EOFError, OSError):
            return None

    def close(self) -> None:
        """End the child and hang up."""
        self._supervisor.close()
        self._line.close()

    def _train(self, job: Job) -> Completion:
        self._line.send(("begin", None))
        over, tell = Pipe(duplex=False)
        beat = threading.Thread(target=self._beat, args=(job, over), name="beat", daemon=True)
        beat.start()
        with over, tell:
            completion = self._supervisor.run(job)
            tell.send(None)
            beat.join()
        self._line.send(("end", completion))
        return completion

    def _beat(self, job: Job, over: Connection[Any, Any]) -> None:
        """Give signs of life while the job runs; end it when the driver says so or is gone."""
        try:
            while over not in (ready := wait([self._line, over], BEAT_SECONDS)):
                if self._line in ready:
                    kind, which = self._line.recv()
                    if kind == "end" or which == (job.number, job.attempt):
                        self._supervisor.drop(job)
                else:
                    self._line.send(("alive", None))
        except (EOFError, OSError):
            self._supervisor.drop(job)


def _tune(call: socket.socket) -> None:
    call.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    call.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _lost(job: Job, began: float, why: str) -> Completion:
    return Completion(
        number=job.number,
        attempt=job.attempt,
        status="lost",
        started=began,
        ended=time.time(),
        error=f"the training was lost: {why} [ADC-EXEC-006]",
    )
