"""Keeps the process alive that holds Ray: starts it, listens to it, clears up after it and starts another."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import final

from autodc.adapters.executors.link import PROOF, DriverAddress, TaskServer, proof
from autodc.adapters.executors.pool import LOCAL, Opening, Service, refusal
from autodc.adapters.executors.ray_process import RayProcess
from autodc.adapters.executors.task_queue import TaskQueue
from autodc.errors import AutodcError, SurroundingsError
from autodc.study.driver import Interrupted
from autodc.studyfile.study import MachineSpec
from autodc.trial.executor import no_room

PATIENCE = (120.0, 240.0)
"""Seconds that a Ray of our own may take to start, at the first try and at the next ones."""
SPARE_SECONDS = 5.0
"""So much later its process is given up, which should have said so itself."""
CLUSTER_SECONDS = 60.0
"""How long a cluster that is not ours may give no answer."""
SILENT_SECONDS = 60.0
"""After so long without a word of Ray's, and with workers missing, Ray is given up."""
WORKERLESS_SECONDS = 300.0
"""A Ray of our own that has had no worker for so long is started anew."""
NOTICE_SECONDS = 60.0
"""After so long with fewer workers than slots the user is told."""
FALLS = 5
"""So often may Ray die in a row, with no task brought to an end between."""
LISTEN_SECONDS = 0.25
Notice = Callable[[str], None]


@final
class Keeper:
    """A thread with one process below it: see the module.

    What breaks for good is put on the queue. notice: told in words what the night meets.
    """

    def __init__(self, machine: MachineSpec, queue: TaskQueue, log_folder: str | None, notice: Notice) -> None:
        self._machine, self._queue, self._notice = machine, queue, notice
        self._address = _address(machine)
        self._folder = Path(tempfile.mkdtemp(prefix="autodc-ray-"))
        self._log_folder = os.path.abspath(log_folder) if log_folder else None
        self._home: str | None = None
        with contextlib.suppress(OSError):  # the folder that the user stood in may be gone
            self._home = os.getcwd()
        self._log = Path(self._log_folder) / "ray.log" if self._log_folder else self._folder / "ray.log"
        self._server: TaskServer | None = None
        self._opened: Future[None] = Future()
        self._most = machine.max_concurrent
        self._wanted = self._room = 0
        self._closing = threading.Event()
        self._answered = time.monotonic()
        self._falls = 0
        self._ended = 0
        self._thread = threading.Thread(target=self._keep, name="ray", daemon=True)

    def open(self, stop: Callable[[], bool]) -> None:
        """Start Ray and its workers. Raises Interrupted when asked to stop meanwhile."""
        self._thread.start()
        try:
            while not self._opened.done():
                if stop():
                    raise Interrupted
                with contextlib.suppress(TimeoutError):
                    self._opened.exception(LISTEN_SECONDS)
            self._opened.result()
        except BaseException:
            self.close()
            raise

    @property
    def slots(self) -> int:
        """How many tasks run at once, on the nodes that are there now."""
        return min(self._wanted, self._room)

    def resize(self, slots: int) -> None:
        """Have so many workers from now on. Raises InputError ADC-EXEC-024 where there is no room for them."""
        if not 1 <= slots <= self._room:
            where = "this machine" if self._address is None else "the Ray cluster"
            raise no_room(slots, self._room, where)
        self._queue.limit(slots)
        self._most = self._wanted = slots

    def close(self) -> None:
        """End Ray where it is ours, leave it where it is not; the queue is closed. Safe to call twice."""
        self._closing.set()
        if self._server is not None:
            self._server.close()
        self._thread.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _keep(self) -> None:
        try:
            process = self._first()
        except BaseException as error:
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        try:
            while True:
                try:
                    why = self._follow(process)
                finally:
                    process.end()
                if self._closing.is_set():
                    return
                process = self._again(why)
        except _Closed:
            return
        except AutodcError as error:
            self._queue.break_down(error)
        except Exception as error:  # whatever it is: a driver that waits for a thread that is gone waits for ever
            self._queue.break_down(AutodcError("ADC-EXEC-079", "the keeper of Ray failed", "", repr(error)))

    def _first(self) -> RayProcess:
        """Start Ray: a cluster answers or does not, a Ray of our own is tried more than once."""
        tries = PATIENCE if self._address is None else (CLUSTER_SECONDS - SPARE_SECONDS,)
        for k, patience in enumerate(tries):
            try:
                self._wanted, self._room, host, process = self._start(patience)
                break
            except SurroundingsError as error:
                if k + 1 == len(tries):
                    raise
                self._notice(f"Ray does not start ({error.got}); trying again")
        try:
            self._server = TaskServer(self._queue, host)
            if self._log_folder is not None:
                (Path(self._log_folder) / PROOF).write_text(proof(self._server.key))
        except OSError as error:
            process.end(0.0)
            raise refusal(self._address, str(error)) from error
        self._serve(process)
        return process

    def _again(self, why: str) -> RayProcess:
        """Start Ray anew after its death. Raises SurroundingsError where that is of no use."""
        assert self._server is not None
        self._falls = 1 if self._server.ended > self._ended else self._falls + 1
        self._ended = self._server.ended
        if self._falls >= FALLS:
            hint = "mend it and give the same command again; it goes on where it stopped"
            raise SurroundingsError("ADC-EXEC-076", f"Ray died {self._falls} times in a row", "", why, hint)
        what = "Ray died" if self._address is None else "the Ray cluster is gone"
        self._notice(f"{what} ({why}); {'starting it again' if self._address is None else 'trying to join it again'}")
        for k in range(100):
            self._pause(min(0.5 * 2 ** (k + self._falls - 1), 5.0))
            try:
                _, self._room, _, process = self._start(self._patience(k))
            except AutodcError as error:
                why = error.got
                self._give_up(k, error)
                continue
            self._serve(process)
            self._notice("Ray is back")
            return process
        raise SurroundingsError("ADC-EXEC-076", "Ray does not come back", "", why)

    def _patience(self, k: int) -> float:
        if self._address is None:
            return PATIENCE[min(k, len(PATIENCE) - 1)]
        return max(5.0, CLUSTER_SECONDS - (time.monotonic() - self._answered))

    def _give_up(self, k: int, error: AutodcError) -> None:
        """Raise where another try is of no use."""
        if self._address is None:
            if k + 1 >= len(PATIENCE):
                raise error
        elif time.monotonic() - self._answered >= CLUSTER_SECONDS:
            where = f"machine file: address {self._address}"
            hint = "bring it back and give the same command again; it goes on where it stopped"
            raise SurroundingsError(
                "ADC-EXEC-075", f"the Ray cluster has not answered for {CLUSTER_SECONDS:g} s", where, error.got, hint
            )

    def _start(self, patience: float) -> tuple[int, int, str, RayProcess]:
        """Start the process and wait until Ray is ready there. Raises what it was refused with."""
        process = RayProcess.start(self._folder, self._log, self._address is None)
        try:
            process.line.send(Opening(machine=self._machine, address=self._address, patience=patience))
            end = time.monotonic() + patience + SPARE_SECONDS
            while time.monotonic() < end:
                if self._closing.is_set():
                    raise _Closed
                if not process.line.poll(LISTEN_SECONDS):
                    continue
                kind, *payload = process.line.recv()
                if kind == "refused":
                    raise payload[0]
                self._answered = time.monotonic()
                return payload[0], payload[1], payload[2], process
            raise refusal(self._address, f"no answer within {patience + SPARE_SECONDS:g} s")
        except (EOFError, OSError) as error:
            raise refusal(self._address, process.cause_of_death()) from error
        except BaseException:
            process.end(0.0)
            raise

    def _serve(self, process: RayProcess) -> None:
        assert self._server is not None
        driver = DriverAddress(
            address=self._server.address,
            key=self._server.key,
            log_folder=self._log_folder,
            home=self._home,
        )
        with contextlib.suppress(OSError):  # it died meanwhile, which is noticed next
            process.line.send(Service(slots=self._wanted, driver=driver))

    def _follow(self, process: RayProcess) -> str:
        """Listen until the process is gone, is of no use any more, or is to close; say why."""
        assert self._server is not None
        watch = _Watch(self._notice)
        told, wanted = -1, self._wanted
        words = ""
        self._answered = time.monotonic()
        try:
            while True:
                if process.line.poll(LISTEN_SECONDS):
                    kind, *payload = process.line.recv()
                    if kind == "alive":
                        self._answered, words = time.monotonic(), payload[0]
                        words += f"; a worker's last line: {payload[1]}" if payload[1] else ""
                        self._see(payload[2])
                    elif kind == "broken":
                        raise _given_up(*payload)
                    elif kind == "over":
                        return str(payload[0])
                if self._closing.is_set():
                    process.line.send(("close",))
                    return "closed"
                if self._server.ended != told:
                    told = self._server.ended
                    process.line.send(("ended", told))
                if self._wanted != wanted:
                    wanted = self._wanted
                    process.line.send(("slots", wanted))
                missing = watch.look(self._server.workers, wanted, words)
                silent = time.monotonic() - self._answered
                if missing and silent > SILENT_SECONDS:
                    return f"it has not answered for {silent:.0f} s"
                if self._address is None and not self._server.workers and missing > WORKERLESS_SECONDS:
                    return f"no worker has come in {missing:.0f} s"
        except (EOFError, OSError):
            return process.cause_of_death()

    def _see(self, room: int) -> None:
        """Follow a cluster that nodes join and leave.

        A worker that lost its node stays wanted: it asks the autoscaler for another place, and comes back.
        """
        before, self._room = self.slots, room
        self._wanted = max(self._wanted, min(room, self._most or room))
        if self.slots != before:
            self._notice(f"nodes {'joined' if self.slots > before else 'left'}: slots are {self.slots} now")

    def _pause(self, seconds: float) -> None:
        if self._closing.wait(seconds):
            raise _Closed


class _Closed(Exception):
    """The executor is to close."""


@final
class _Watch:
    """Sees how many workers are on the line, and tells the user when some stay away."""

    def __init__(self, notice: Notice) -> None:
        self._notice = notice
        self._since: float | None = None
        self._told = False

    def look(self, workers: int, slots: int, words: str) -> float:
        """Seconds since workers are missing, 0 where none is."""
        if workers >= slots:
            if self._told:
                self._notice(f"all {slots} workers are there")
            self._since, self._told = None, False
            return 0.0
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since > NOTICE_SECONDS and not self._told:
            self._told = True
            said = f" ({words})" if words else ""
            self._notice(f"{workers} of {slots} workers are there{said}; waiting")
        return max(now - self._since, 1e-9)


def _address(machine: MachineSpec) -> str | None:
    """The cluster to join: the one of the machine file, or the Ray that this process is part of already."""
    if machine.address not in (None, LOCAL):
        return machine.address
    ray = sys.modules.get("ray")
    if ray is not None and ray.is_initialized():
        return str(ray.get_runtime_context().gcs_address)
    return None


def _given_up(deaths: int, why: str) -> SurroundingsError:
    hint = "look at Ray's logs, mend it, and run the same command again; it goes on where it stopped"
    return SurroundingsError("ADC-EXEC-023", f"{deaths} workers in a row died on Ray", "", why, hint)
