"""The tracker port on MLflow: starts the writer process, hears from it, never waits for it but in `finish`."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, final

from autodc.adapters.journal import open_for_reading
from autodc.adapters.mlflow.sender import CLOSED, FILES
from autodc.adapters.mlflow.target import MlflowTarget
from autodc.errors import AutodcError
from autodc.masking import masked

_LOOK_SECONDS = 0.2
_RESTART_SECONDS = 30.0
_START_SECONDS = 300.0
"""What MLflow may take to be imported and to open its store, with its migrations, on a busy machine."""


@final
class NullTracker:
    """Tracks nothing: `tracking: {uri: none}`."""

    def follow(self) -> None:
        """Do nothing."""

    def finish(self, timeout: float, stop: Callable[[], bool] = lambda: False) -> bool:
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

    journal: path of the study's journal, which also holds how far we have come; what lies beside it (report, result,
    model) is added to the study's run at the end.
    """

    def __init__(self, journal: str | Path, target: MlflowTarget) -> None:
        self._journal = Path(journal).absolute()
        self._target = target
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[bytes] | None = None
        self._heard: dict[str, Any] = {}
        self._ended = threading.Event()
        self._next_start = 0.0
        self._moved = time.monotonic()
        self._trouble = ""

    def follow(self) -> None:
        """Start the writer if there is something to send and it does not run; returns at once, never raises."""
        try:
            self._tend()
        except (OSError, AutodcError) as error:
            self._trouble = f"tracking cannot start: {error}"

    def finish(self, timeout: float, stop: Callable[[], bool] = lambda: False) -> bool:
        """Send what is left for as long as something moves within `timeout` seconds; say whether everything arrived.

        The start of MLflow does not count. What did not arrive is sent by the next run of the same command.
        """
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
        given_up, begun = "", time.monotonic()
        while not given_up and not self._ended.wait(_LOOK_SECONDS):
            open_yet = "sent" in self._heard
            last, patience = (max(self._moved, begun), timeout) if open_yet else (self._moved, _START_SECONDS)
            if stop():
                given_up = "it was stopped"
            elif time.monotonic() - last > patience:
                given_up = f"MLflow took longer than {patience:g} s for {'one step' if open_yet else 'its start'}"
        self._trouble = given_up or self._trouble
        arrived = bool(self._heard.get("finished"))
        if not arrived and self._ended.is_set() and "finished" not in self._heard:
            self._trouble = f"the MLflow writer ended: {self._last_words()}"
        self._stop()
        return arrived

    @property
    def reference(self) -> Mapping[str, str] | None:
        """`uri`, `experiment_id` and `run_id` of the study's run, or None before it is known."""
        known = self._heard if "run_id" in self._heard else self._remembered()
        if "run_id" not in known:
            return None
        return {"uri": masked(self._target.uri)} | {n: str(known[n]) for n in ("experiment_id", "run_id")}

    @property
    def complaint(self) -> str:
        """Why something is not sent yet, in one sentence; empty where all is well."""
        said = [str(self._heard.get("complaint") or ""), self._trouble]
        return masked("; ".join(dict.fromkeys(words for words in said if words)), self._target.uri)

    def _tend(self) -> None:
        if self._process is not None and self._ended.is_set():
            self._trouble = str(self._heard.get("complaint") or "") or f"the MLflow writer ended: {self._last_words()}"
            self._stop()
            self._next_start = time.monotonic() + _RESTART_SECONDS
        if self._process is None and time.monotonic() >= self._next_start and self._has_news():
            self._start()

    def _start(self) -> None:
        self._heard, self._trouble = {}, ""
        self._ended, self._moved = threading.Event(), time.monotonic()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "autodc.adapters.mlflow.writer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._process = process
        assert process.stdin is not None
        process.stdin.write(json.dumps({"journal": str(self._journal), "target": asdict(self._target)}) + "\n")
        process.stdin.flush()
        threading.Thread(target=self._listen, args=(process, self._ended), daemon=True).start()

    def _listen(self, process: subprocess.Popen[str], ended: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line)
            if said.get("sent") != self._heard.get("sent"):
                self._moved = time.monotonic()
            self._heard = {**self._heard, **said}
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
            done = CLOSED in cursor.extra and (FILES in cursor.extra or "run_id" not in cursor.extra)
            return cursor.position < journal.last or (journal.last > 0 and not done)

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
