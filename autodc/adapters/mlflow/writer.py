"""The one place that talks to MLflow: a child process of the study that follows the journal and sends what is new.

`python -m autodc.adapters.mlflow.writer` reads journal and target as one JSON line on stdin and answers with JSON lines
on stdout. It ends with its parent. A slow or dead server holds up nobody but this process, and MLflow's imports and
migrations cost the study nothing. Whatever it says is without the secrets of the tracking URI.
"""

from __future__ import annotations

import json
import os
import select
import signal
import threading
import time
from pathlib import Path
from typing import IO, Any, final

from autodc.adapters.journal import open_for_following
from autodc.adapters.lock import FolderLock
from autodc.adapters.mlflow.environment import settings
from autodc.adapters.mlflow.runs import client_of
from autodc.adapters.mlflow.sender import Sender
from autodc.adapters.mlflow.store import last_line
from autodc.adapters.mlflow.target import TRACKER_LOCK, MlflowTarget
from autodc.errors import InputError
from autodc.masking import masked

_IDLE_SECONDS = 0.3
_BACKOFF = (0.5, 30.0)  # seconds, first and longest
_LAST_TRIES = 3  # after `finish`, of the same thing
_NICENESS = 5  # trainings come first


@final
class Parent:
    """The study on the other end of the pipes: gives commands, hears how far we are, takes us with it when it ends."""

    def __init__(self, commands: int, answers: IO[str], uri: str = "") -> None:
        self._commands, self._answers, self._uri = commands, answers, uri
        self._pid = os.getppid()
        self._told = threading.Event()
        self.finishing = False

    def watch(self) -> None:
        """Listen for ever; run it in a thread. Ends the process when the study has gone."""
        while os.getppid() == self._pid:
            if select.select([self._commands], [], [], 1.0)[0]:
                said = os.read(self._commands, 4096)
                if not said:
                    break
                if b"finish" in said:
                    self.finishing = True
                    self._told.set()
        os._exit(0)

    def wait(self, seconds: float) -> None:
        """Sleep, but not through a command."""
        if self.finishing:
            time.sleep(min(seconds, 1.0))
        else:
            self._told.wait(seconds)

    def say(self, sender: Sender | None, complaint: str = "", **more: Any) -> None:
        """Answer with one line. `sent` is there once MLflow is open, and grows with all that succeeds."""
        reference: dict[str, Any] = {**sender.reference, "sent": sender.sent} if sender else {}
        complaint = masked(complaint or (sender.refused if sender else ""), self._uri)
        self._answers.write(json.dumps({**reference, "complaint": complaint, **more}) + "\n")
        self._answers.flush()


def run(journal: Path, target: MlflowTarget, parent: Parent) -> None:
    """Follow the journal until the study says finish; then send the rest and say whether all arrived.

    journal: what lies beside it (report, result, model) is added to the study's run at the end.
    """
    lock = FolderLock(journal.with_name(TRACKER_LOCK))
    while not _taken(lock):
        parent.wait(_IDLE_SECONDS)
    sender: Sender | None = None
    failures = before = 0
    while True:
        try:
            if sender is None:
                sender = _opened(journal, target)
                parent.say(sender)
            went_on = sender.step()
            if not went_on and parent.finishing:
                sender.close()
                parent.say(sender)
                _add_files(sender, parent)
                return
        except ImportError as error:
            missing = f"MLflow cannot be loaded ({error}); install autodc-optimizer[mlflow]"
            parent.say(None, missing, finished=False)
            return
        # MLflow lets through whatever its store, driver or server raises: SQLAlchemy, requests, alembic, OSError.
        # All of it means "not now", and none of it may end the process before the study does.
        except Exception as error:
            failures = failures + 1 if sender is None or sender.sent == before else 1
            before = sender.sent if sender else 0
            if sender is None:
                complaint = f"MLflow cannot open its store: {last_line(error)}"
            else:
                sender.doubt()
                complaint = f"MLflow does not answer, what is not sent is sent later: {last_line(error)}"
            if parent.finishing and failures >= _LAST_TRIES:
                parent.say(sender, complaint, finished=False)
                return
            parent.say(sender, complaint)
            parent.wait(min(_BACKOFF[0] * 2 ** (failures - 1), _BACKOFF[1]))
            continue
        if went_on:
            parent.say(sender)
        else:
            parent.wait(_IDLE_SECONDS)


def main() -> None:
    """Entry of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the study, which then tells us to finish
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(_NICENESS)
    os.environ.update(settings(retries=0))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # MLflow prints links to stdout
    asked = json.loads(_first_line(0))
    target = MlflowTarget(**asked["target"])
    parent = Parent(0, answers, target.uri)
    threading.Thread(target=parent.watch, daemon=True).start()
    run(Path(asked["journal"]), target, parent)


def _opened(journal: Path, target: MlflowTarget) -> Sender:
    return Sender(client_of(target.uri), open_for_following(journal), target, journal.parent)


def _add_files(sender: Sender, parent: Parent) -> None:
    """Add the files and end: stores of artifacts fail in ways of their own, and the runs are what counts."""
    try:
        while sender.add_file():
            parent.say(sender)
    except Exception as error:
        missing = f"MLflow has the runs but not all of study file, report and result: {last_line(error)}"
        parent.say(sender, missing, finished=False)
        return
    parent.say(sender, finished=True)


def _first_line(file: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(file, 1)
        if not byte:
            raise SystemExit(0)
        line += byte
    return line


def _taken(lock: FolderLock) -> bool:
    try:
        lock.acquire()
    except InputError:
        return False
    return True


if __name__ == "__main__":
    main()
