"""The line between the driver's queue and its workers: a socket on which tasks go out and completions come back.

A worker dials in, proves that it knows the key, and then serves: one task at a time, with a sign of life every few
seconds. The driver gives up a worker that falls silent, whatever the cluster believes of it: its task comes back as
`lost`, or is the next to go where it had not started.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Pipe, answer_challenge, deliver_challenge, wait
from pathlib import Path
from typing import Any, final

from autodc.adapters.executors.ends import ended
from autodc.adapters.executors.supervisor import Supervisor
from autodc.adapters.executors.task_queue import TaskQueue
from autodc.trial.executor import Completion, Task, key, reads

BEAT_SECONDS = 2.0
"""How often a worker at work gives a sign of life."""
SILENCE_SECONDS = 20.0
"""After this long without one the driver gives the worker up: Ray takes a minute to declare a frozen node dead."""
IDLE_SECONDS = 0.5
"""How often the driver looks whether an idle worker is still there."""
DIAL_SECONDS = 30.0
SIGHT_SECONDS = 20.0
"""How long a worker looks for a file of the driver's before it says that it does not see it: network disks are late."""
PROOF = "driver"
"""The file in the log folder by which a worker knows that it sees the driver's disk, not a folder of the same name."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DriverAddress:
    """What a worker must know to serve a driver: whom to dial and how to prove itself, and where the driver works."""

    address: tuple[str, int]
    key: bytes
    log_folder: str | None = None
    """Gets what tasks print, where there is such a folder."""
    home: str | None = None
    """The driver's working directory."""


@final
class TaskServer:
    """The driver's end: takes calls of workers and hands them the tasks of the queue."""

    def __init__(self, queue: TaskQueue, host: str) -> None:
        self._queue = queue
        self.key = secrets.token_bytes(32)
        self._listener = socket.create_server((host, 0))
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._workers = 0
        self._counting = threading.Lock()
        self._ended = 0
        threading.Thread(target=self._answer, name="server", daemon=True).start()

    @property
    def workers(self) -> int:
        """How many workers are on the line."""
        return self._workers

    @property
    def ended(self) -> int:
        """How many tasks workers have brought to an end so far: a sign that the cluster works."""
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
            with self._counting:
                self._workers += 1
            left = False
            try:
                while not self._queue.closed and self._one(line):
                    if left := self._is_one_too_many():
                        break
                line.send(("end", None))
            finally:
                with self._counting:
                    self._workers -= not left

    def _is_one_too_many(self) -> bool:
        """Whether a worker that is done with its task goes home: fewer are wanted. It is no longer counted then."""
        most = self._queue.most
        with self._counting:
            too_many = most is not None and self._workers > most
            self._workers -= too_many
        return too_many

    def _one(self, line: Connection[Any, Any]) -> bool:
        """Hand out one task and see it to its end; say whether the worker is good for another."""
        sending = threading.Lock()

        def drop(task: Task) -> None:
            with sending, contextlib.suppress(OSError):
                line.send(("drop", key(task)))

        task = self._queue.take(drop, IDLE_SECONDS)
        if task is None:
            return not line.poll(0)  # an idle worker has nothing to say: this is its end
        began = time.time()
        taken = False
        try:
            with sending:
                line.send(("task", task, _in_sight(task)))
            while line.poll(SILENCE_SECONDS):
                kind, payload = line.recv()
                taken = True
                if kind == "end":
                    self._ended += 1
                    self._queue.report(task, payload)
                    return True
            why = f"its worker has given no sign of life for {SILENCE_SECONDS:g} s"
        except (EOFError, OSError):
            why = "its worker went away"
        if taken:
            lost = f"the {task.work} was lost: {why} [ADC-EXEC-006]"
            self._queue.report(task, ended(task, "lost", began, error=lost))
        else:
            self._queue.put_back(task)
        return False


@final
class Worker:
    """The worker's end: dials the driver and runs in a supervised child what it is sent."""

    def __init__(self, driver: DriverAddress, *, sight: float = SIGHT_SECONDS) -> None:
        self._sight, self._parent = sight, os.getppid()
        line = socket.create_connection(driver.address, timeout=DIAL_SECONDS)
        line.settimeout(None)
        _tune(line)
        self._line: Connection[Any, Any] = Connection(line.detach())
        answer_challenge(self._line, driver.key)
        deliver_challenge(self._line, driver.key)
        if driver.home and Path(driver.home).is_dir():
            os.chdir(driver.home)
        folder = Path(driver.log_folder) if driver.log_folder else None
        log = folder / f"worker-{os.getpid()}.log" if folder and folder.is_dir() else None
        self._proof = (str(folder / PROOF), proof(driver.key)) if folder else None
        self._supervisor = Supervisor(log=log)
        self._supervisor.warm()

    def serve_one(self) -> Completion | None:
        """Wait for a task and run it; None when there will be no more. Call it from one thread only."""
        try:
            while True:
                kind, *payload = self._line.recv()
                if kind == "task":
                    return self._run(*payload)
                if kind == "end":
                    break
        except (EOFError, OSError):
            pass
        self._leave_the_orphaned()
        return None

    def _leave_the_orphaned(self) -> None:
        """End this process where its raylet is gone: nobody else would, and the driver has hung up."""
        if os.getppid() != self._parent:
            self.close()
            os._exit(0)

    def close(self) -> None:
        """End the child and hang up."""
        self._supervisor.close()
        self._line.close()

    def _run(self, task: Task, in_sight: tuple[str, ...]) -> Completion:
        self._line.send(("begin", None))
        over, tell = Pipe(duplex=False)
        beat = threading.Thread(target=self._beat, args=(task, over), name="beat", daemon=True)
        beat.start()
        with over, tell:
            completion = self._blind(task, in_sight) or self._supervisor.run(task)
            tell.send(None)
            beat.join()
        self._line.send(("end", completion))
        return completion

    def _blind(self, task: Task, in_sight: tuple[str, ...]) -> Completion | None:
        """The end of a task whose files, there for the driver, are not there for this worker."""
        began, missing = time.time(), unseen(in_sight, self._proof)
        while missing and time.time() - began < self._sight:
            time.sleep(0.5)
            missing = unseen(in_sight, self._proof)
        if not missing:
            self._proof = None
            return None
        why = (
            f"the worker on {socket.gethostname()} does not see what the driver has stored in "
            f"{', '.join(missing)}: cache_dir and --out must lie on a disk that every node of the cluster has at the "
            "same path [ADC-EXEC-078]"
        )
        return ended(task, "surroundings", began, missing=True, error=why)

    def _beat(self, task: Task, over: Connection[Any, Any]) -> None:
        """Give signs of life while the task runs; end it when the driver says so or is gone."""
        try:
            while over not in (ready := wait([self._line, over], BEAT_SECONDS)):
                if self._line in ready:
                    kind, which, *_ = self._line.recv()
                    if kind == "end" or which == key(task):
                        self._supervisor.drop(task)
                else:
                    self._line.send(("alive", None))
        except (EOFError, OSError):
            self._supervisor.drop(task)


def proof(key: bytes) -> str:
    """What the proof file holds; it tells nothing of the key."""
    return hashlib.sha256(key).hexdigest()


def unseen(in_sight: tuple[str, ...], shown: tuple[str, str] | None = None) -> list[str]:
    """Paths that do not exist here. shown: a file and its content, which are another's where they differ."""
    missing = [path for path in in_sight if not os.path.exists(path)]
    if shown is not None:
        path, content = shown
        try:
            same = Path(path).read_text() == content
        except (OSError, ValueError):
            same = False
        if not same and os.path.dirname(path) not in missing:
            missing.append(os.path.dirname(path))
    return missing


def _in_sight(task: Task) -> tuple[str, ...]:
    """The folders of a task that are there for the driver, and so should be for the worker."""
    above = Path(task.out).parent
    above.mkdir(parents=True, exist_ok=True)
    paths = [*reads(task), str(above)]
    return tuple(dict.fromkeys(path for path in map(os.path.abspath, paths) if os.path.exists(path)))


def _tune(call: socket.socket) -> None:
    call.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    call.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
