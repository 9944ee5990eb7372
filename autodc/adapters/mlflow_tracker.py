"""The tracker port on MLflow: starts the writer process, hears from it, never waits for it but in `finish`."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, final
from urllib.parse import urlsplit, urlunsplit

from autodc import fingerprint
from autodc.adapters.journal import open_for_reading
from autodc.adapters.mlflow_writer import Target
from autodc.errors import AutodcError

_RESTART_SECONDS = 30.0
_DONE = "closed"


@final
class NullTracker:
    """Tracks nothing: `tracking: {uri: none}`."""

    def follow(self) -> None:
        """Do nothing."""

    def finish(self, timeout: float) -> bool:
        """Say that everything arrived: there was nothing to send."""
        return True

    @property
    def reference(self) -> Mapping[str, str] | None:
        """There is no run."""
        return None

    @property
    def complaint(self) -> str:
        """There is nothing to complain of."""
        return ""


@final
class MlflowTracker:
    """Shows a study in MLflow: one experiment, a run for the study, a run below it for every trial.

    journal: path of the study's journal, which also holds how far we have come; uri: see `absolute_uri`;
    artifacts: files added to the study's run at the end, those that exist by then (the report page, result.json).
    """

    def __init__(self, journal: str | Path, uri: str, experiment: str, artifacts: Sequence[str | Path] = ()) -> None:
        self._journal = Path(journal).absolute()
        self._target = Target(
            journal=str(self._journal),
            uri=uri,
            experiment=experiment,
            cursor="mlflow:" + fingerprint.of([uri, experiment], kind="mlflow-target")[:16],
            artifacts=tuple(str(Path(path).absolute()) for path in artifacts),
        )
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[bytes] | None = None
        self._heard: dict[str, Any] = {}
        self._ended = threading.Event()
        self._next_start = 0.0
        self._trouble = ""

    def follow(self) -> None:
        """Start the writer if there is something to send and it does not run; returns at once, never raises."""
        try:
            self._tend()
        except (OSError, AutodcError) as error:
            self._trouble = f"tracking cannot start: {error}"

    def finish(self, timeout: float) -> bool:
        """Send what is left, at most `timeout` seconds; say whether everything arrived. What did not is sent by the
        next run of the same command."""
        deadline = time.monotonic() + timeout
        for _ in range(2):  # the first may find that the writer has ended
            self._next_start = 0.0
            self.follow()
        process = self._process
        if process is None:
            return not self._trouble
        try:
            assert process.stdin is not None
            process.stdin.write("finish\n")
            process.stdin.flush()
        except OSError:
            pass  # it has ended; what it said last counts
        self._ended.wait(max(0.0, deadline - time.monotonic()))
        arrived = bool(self._heard.get("finished"))
        if not arrived and not self._ended.is_set():
            self._trouble = f"MLflow took longer than {timeout:g} s; what is not sent goes with the next run"
        self._stop()
        return arrived

    @property
    def reference(self) -> Mapping[str, str] | None:
        """`uri`, `experiment_id` and `run_id` of the study's run, or None before it is known."""
        known = self._heard if "run_id" in self._heard else self._remembered()
        if "run_id" not in known:
            return None
        return {"uri": without_password(self._target.uri)} | {n: str(known[n]) for n in ("experiment_id", "run_id")}

    @property
    def complaint(self) -> str:
        """Why something is not sent yet, in one sentence; empty where all is well."""
        said = str(self._heard.get("complaint") or "") or self._trouble
        return said.replace(self._target.uri, without_password(self._target.uri))

    def _tend(self) -> None:
        if self._process is not None and self._ended.is_set():
            self._trouble = str(self._heard.get("complaint") or "") or f"the MLflow writer ended: {self._last_words()}"
            self._stop()
            self._next_start = time.monotonic() + _RESTART_SECONDS
        if self._process is None and time.monotonic() >= self._next_start and self._has_news():
            self._start()

    def _start(self) -> None:
        self._heard, self._trouble = {}, ""
        self._ended = threading.Event()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "autodc.adapters.mlflow_writer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._process = process
        assert process.stdin is not None
        process.stdin.write(self._target.to_line())
        process.stdin.flush()
        threading.Thread(target=self._listen, args=(process, self._ended), daemon=True).start()

    def _listen(self, process: subprocess.Popen[str], ended: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._heard = {**self._heard, **json.loads(line)}
        ended.set()

    def _stop(self) -> None:
        if (process := self._process) is not None:
            process.kill()
            process.wait()
            self._ended.wait()
            for pipe in (process.stdin, process.stdout, self._errors):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
            self._process = None

    def _has_news(self) -> bool:
        if not self._journal.exists():
            return False
        with open_for_reading(self._journal) as journal:
            cursor = journal.cursor(self._target.cursor)
            return cursor.position < journal.last or (journal.last > 0 and _DONE not in cursor.extra)

    def _remembered(self) -> Mapping[str, Any]:
        try:
            with open_for_reading(self._journal) as journal:
                return journal.cursor(self._target.cursor).extra
        except AutodcError:
            return {}

    def _last_words(self) -> str:
        if self._errors is None:
            return ""
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def absolute_uri(uri: str, folder: str | Path) -> str:
    """Make a tracking URI independent of the working directory: a relative SQLite file or folder is read against
    `folder`; a server's address stays as it is."""
    folder = Path(folder).absolute()
    if match := re.fullmatch(r"(sqlite(?:\+\w+)?:///)([^/?][^?]*)(\?.*)?", uri):
        return f"{match[1]}{(folder / match[2]).resolve()}{match[3] or ''}"
    if uri.startswith("file:"):
        path = urlsplit(uri).path
        return (folder / path).as_uri()
    if "://" not in uri and uri not in ("databricks", "uc"):
        return (folder / uri).as_uri()
    return uri


def without_password(uri: str) -> str:
    """The same URI, fit to be shown."""
    parts = urlsplit(uri)
    if not parts.password:
        return uri
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))
