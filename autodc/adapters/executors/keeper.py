"""Keeps the process alive that holds Ray: starts it, listens to it, clears up after it and starts another."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, final

import psutil

import autodc
from autodc.adapters.executors.attempts import Desk
from autodc.adapters.executors.lifeline import start
from autodc.adapters.executors.link import PROOF, Call, Switchboard, proof
from autodc.adapters.executors.pool import LOCAL, Opening, Service, refusal
from autodc.errors import AutodcError, SurroundingsError
from autodc.study.driver import Interrupted
from autodc.studyfile.study import MachineSpec

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
"""So often may Ray die in a row, with no job brought to an end between."""
CLOSE_SECONDS = 2.5
LISTEN_SECONDS = 0.25
TAIL_BYTES = 8192
LAST_LETTERS = 200
"""So much of a last line is told."""
MARK = "AUTODC_RAY"
"""Environment variable by which all processes of one Ray of ours are found again, whoever their parent is now."""

_QUIET = {
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_RECORD_ACTOR_TASK_LOGGING": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
}
"""Set before Ray starts, unless the person has set them."""

_SLOW = {
    "RAY_agent_register_timeout_ms": "300000",
    "RAY_worker_register_timeout_seconds": "300",
    "RAY_gcs_rpc_server_connect_timeout_s": "60",
}
"""The same for a Ray of our own: on a busy machine its parts take minutes to find each other."""

_HEAD = re.compile(r"^\[[^\]]*\] \S+:\d+: ")
"""Time, process and source line before a message of Ray's C++."""

Notice = Callable[[str], None]


@final
class Keeper:
    """A thread with one process below it: see the module.

    What breaks for good is put on the desk. notice: told in words what the night meets.
    """

    def __init__(self, machine: MachineSpec, desk: Desk, log_folder: str | None, notice: Notice) -> None:
        self._machine, self._desk, self._notice = machine, desk, notice
        self._address = _address(machine)
        self._folder = Path(tempfile.mkdtemp(prefix="autodc-ray-"))
        self._log_folder = os.path.abspath(log_folder) if log_folder else None
        self._home: str | None = None
        with contextlib.suppress(OSError):  # the folder that the user stood in may be gone
            self._home = os.getcwd()
        self._log = Path(self._log_folder) / "ray.log" if self._log_folder else self._folder / "ray.log"
        self._switchboard: Switchboard | None = None
        self._opened: Future[int] = Future()
        self._closing = threading.Event()
        self._answered = time.monotonic()
        self._falls = 0
        self._ended = 0
        self._thread = threading.Thread(target=self._keep, name="ray", daemon=True)

    def open(self, stop: Callable[[], bool]) -> int:
        """Start Ray and its workers; the number of slots. Raises Interrupted when asked to stop meanwhile."""
        self._thread.start()
        try:
            while not self._opened.done():
                if stop():
                    raise Interrupted
                with contextlib.suppress(TimeoutError):
                    self._opened.exception(LISTEN_SECONDS)
            return self._opened.result()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End Ray where it is ours, leave it where it is not; the desk is closed. Safe to call twice."""
        self._closing.set()
        if self._switchboard is not None:
            self._switchboard.close()
        self._thread.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _keep(self) -> None:
        try:
            slots, pool = self._first()
        except BaseException as error:
            self._opened.set_exception(error)
            return
        self._opened.set_result(slots)
        try:
            while True:
                try:
                    why = self._follow(pool, slots)
                finally:
                    pool.end()
                if self._closing.is_set():
                    return
                pool = self._again(why, slots)
        except _Closed:
            return
        except AutodcError as error:
            self._desk.break_down(error)
        except Exception as error:  # whatever it is: a driver that waits for a thread that is gone waits for ever
            self._desk.break_down(AutodcError("ADC-EXEC-079", "the keeper of Ray failed", "", repr(error)))

    def _first(self) -> tuple[int, _Pool]:
        """Start Ray: a cluster answers or does not, a Ray of our own is tried more than once."""
        tries = PATIENCE if self._address is None else (CLUSTER_SECONDS - SPARE_SECONDS,)
        for k, patience in enumerate(tries):
            try:
                slots, host, pool = self._start(patience)
                break
            except SurroundingsError as error:
                if k + 1 == len(tries):
                    raise
                self._notice(f"Ray does not start ({error.got}); trying again")
        try:
            self._switchboard = Switchboard(self._desk, host)
            if self._log_folder is not None:
                (Path(self._log_folder) / PROOF).write_text(proof(self._switchboard.key))
        except OSError as error:
            pool.end(0.0)
            raise refusal(self._address, str(error)) from error
        self._serve(pool, slots)
        return slots, pool

    def _again(self, why: str, slots: int) -> _Pool:
        """Start Ray anew after its death. Raises SurroundingsError where that is of no use."""
        assert self._switchboard is not None
        self._falls = 1 if self._switchboard.ended > self._ended else self._falls + 1
        self._ended = self._switchboard.ended
        if self._falls >= FALLS:
            hint = "mend it and give the same command again; it goes on where it stopped"
            raise SurroundingsError("ADC-EXEC-076", f"Ray died {self._falls} times in a row", "", why, hint)
        what = "Ray died" if self._address is None else "the Ray cluster is gone"
        self._notice(f"{what} ({why}); {'starting it again' if self._address is None else 'trying to join it again'}")
        for k in range(100):
            self._pause(min(0.5 * 2 ** (k + self._falls - 1), 5.0))
            try:
                _, _, pool = self._start(self._patience(k))
            except AutodcError as error:
                why = error.got
                self._give_up(k, error)
                continue
            self._serve(pool, slots)
            self._notice("Ray is back")
            return pool
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

    def _start(self, patience: float) -> tuple[int, str, _Pool]:
        """Start the process and wait until Ray is ready there. Raises what it was refused with."""
        pool = _Pool.start(self._folder, self._log, self._address is None)
        try:
            pool.line.send(Opening(machine=self._machine, address=self._address, patience=patience))
            end = time.monotonic() + patience + SPARE_SECONDS
            while time.monotonic() < end:
                if self._closing.is_set():
                    raise _Closed
                if not pool.line.poll(LISTEN_SECONDS):
                    continue
                kind, *payload = pool.line.recv()
                if kind == "refused":
                    raise payload[0]
                self._answered = time.monotonic()
                return payload[0], payload[1], pool
            raise refusal(self._address, f"no answer within {patience + SPARE_SECONDS:g} s")
        except (EOFError, OSError) as error:
            raise refusal(self._address, pool.obituary()) from error
        except BaseException:
            pool.end(0.0)
            raise

    def _serve(self, pool: _Pool, slots: int) -> None:
        assert self._switchboard is not None
        call = Call(
            address=self._switchboard.address,
            key=self._switchboard.key,
            log_folder=self._log_folder,
            home=self._home,
        )
        with contextlib.suppress(OSError):  # it died meanwhile, which is noticed next
            pool.line.send(Service(slots=slots, call=call))

    def _follow(self, pool: _Pool, slots: int) -> str:
        """Listen until the process is gone, is of no use any more, or is to close; say why."""
        assert self._switchboard is not None
        watch = _Watch(slots, self._notice)
        told = -1
        words = ""
        self._answered = time.monotonic()
        try:
            while True:
                if pool.line.poll(LISTEN_SECONDS):
                    kind, *payload = pool.line.recv()
                    if kind == "alive":
                        self._answered, words = time.monotonic(), payload[0]
                        words += f"; a worker's last line: {payload[1]}" if payload[1] else ""
                    elif kind == "broken":
                        raise _given_up(*payload)
                    elif kind == "over":
                        return str(payload[0])
                if self._closing.is_set():
                    pool.line.send(("close",))
                    return "closed"
                if self._switchboard.ended != told:
                    told = self._switchboard.ended
                    pool.line.send(("ended", told))
                missing = watch.look(self._switchboard.workers, words)
                silent = time.monotonic() - self._answered
                if missing and silent > SILENT_SECONDS:
                    return f"it has not answered for {silent:.0f} s"
                if self._address is None and not self._switchboard.workers and missing > WORKERLESS_SECONDS:
                    return f"no worker has come in {missing:.0f} s"
        except (EOFError, OSError):
            return pool.obituary()

    def _pause(self, seconds: float) -> None:
        if self._closing.wait(seconds):
            raise _Closed


class _Closed(Exception):
    """The executor is to close."""


@final
class _Watch:
    """Sees how many workers are on the line, and tells the user when some stay away."""

    def __init__(self, slots: int, notice: Notice) -> None:
        self._slots, self._notice = slots, notice
        self._since: float | None = None
        self._told = False

    def look(self, workers: int, words: str) -> float:
        """Seconds since workers are missing, 0 where none is."""
        if workers >= self._slots:
            if self._told:
                self._notice(f"all {self._slots} workers are there")
            self._since, self._told = None, False
            return 0.0
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since > NOTICE_SECONDS and not self._told:
            self._told = True
            said = f" ({words})" if words else ""
            self._notice(f"{workers} of {self._slots} workers are there{said}; waiting")
        return max(now - self._since, 1e-9)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Pool:
    """The process that holds Ray, and the line to it."""

    process: subprocess.Popen[bytes]
    line: Connection[Any, Any]
    lifeline: int
    log: IO[bytes]
    begins: int
    mark: str

    @classmethod
    def start(cls, folder: Path, log: Path, ours: bool) -> _Pool:
        mark = secrets.token_hex(16)
        opened = open(log, "a+b")  # noqa: SIM115
        marked = {**environment(os.environ, ours), MARK: mark}
        process, line, lifeline = start("autodc.adapters.executors.pool", opened, marked, folder)
        begins = os.fstat(opened.fileno()).st_size
        return cls(process=process, line=line, lifeline=lifeline, log=opened, begins=begins, mark=mark)

    def obituary(self) -> str:
        """How the process ended, and its last line."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(LISTEN_SECONDS)
        last = self._last_line()
        self.end(0.0)
        code = self.process.returncode
        how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        return f"its process ended with {how}" + (f": {last}" if last else "")

    def end(self, grace: float = CLOSE_SECONDS) -> None:
        """End the process, after `grace` seconds by force, with all it started on this machine. Safe to call twice."""
        if self.line.closed:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(grace)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == self.mark:
                    process.kill()
        self.line.close()
        self.log.close()
        os.close(self.lifeline)

    def _last_line(self) -> str:
        """The last thing it said, without the stack that C++ prints below it."""
        size = os.fstat(self.log.fileno()).st_size
        text = os.pread(self.log.fileno(), TAIL_BYTES, max(self.begins, size - TAIL_BYTES)).decode(errors="replace")
        lines = [line.strip() for line in text.partition("*** StackTrace")[0].splitlines() if line.strip()]
        return _HEAD.sub("", lines[-1])[:LAST_LETTERS] if lines else ""


def environment(given: Mapping[str, str], ours: bool) -> dict[str, str]:
    """What Ray's process gets: quiet, patient and with a token of its own where Ray is ours.

    Ray's processes listen on every interface, also on a laptop: a run of our own gets a token for itself, which is
    in no file. A cluster is joined with a token where one is given, without where none is: left alone it would
    depend on files that lie about. Relative paths in PYTHONPATH are made absolute; the working directory is not in it.
    """
    env = {**_QUIET, **(_SLOW if ours else {}), **given}
    if "RAY_AUTH_MODE" not in given:
        token = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(given)
        if ours and not token:
            env["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
        env["RAY_AUTH_MODE"] = "token" if ours or token else "disabled"
    root = str(Path(autodc.__file__).parents[1])
    paths = [os.path.abspath(path) for path in given.get("PYTHONPATH", "").split(os.pathsep) if path]
    if root != sysconfig.get_paths()["purelib"] and root not in paths:
        paths.insert(0, root)
    env["PYTHONPATH"] = os.pathsep.join(paths)
    return env


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
