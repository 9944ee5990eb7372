"""The process that holds Ray, seen from the driver: how it is started, what it gets, how it is ended."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, final

import psutil

import autodc
from autodc.adapters.executors.lifeline import start

CLOSE_SECONDS = 2.5
EXIT_SECONDS = 0.25
"""How long one that hung up may take to end by itself, so that its own exit code is told."""
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


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RayProcess:
    """The process that holds Ray, and the line to it."""

    process: subprocess.Popen[bytes]
    line: Connection[Any, Any]
    lifeline: int
    log: IO[bytes]
    begins: int
    mark: str

    @classmethod
    def start(cls, folder: Path, log: Path, ours: bool) -> RayProcess:
        """Start the process in `folder`; what it prints is added to `log`. ours: the Ray in it is one of our own."""
        mark = secrets.token_hex(16)
        opened = open(log, "a+b")  # noqa: SIM115
        marked = {**environment(os.environ, ours), MARK: mark}
        process, line, lifeline = start("autodc.adapters.executors.pool", opened, marked, folder)
        begins = os.fstat(opened.fileno()).st_size
        return cls(process=process, line=line, lifeline=lifeline, log=opened, begins=begins, mark=mark)

    def cause_of_death(self) -> str:
        """How the process ended, and its last line."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(EXIT_SECONDS)
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
