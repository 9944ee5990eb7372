"""The one place that talks to MLflow: a child process of the study that follows the journal and sends what is new.

`python -m autodc.adapters.mlflow_writer` reads its target as one JSON line on stdin and answers with JSON lines on
stdout. It ends with its parent. A slow or dead server holds up nobody but this process, and MLflow's imports and
migrations cost the study nothing. How far it has come is a cursor in the journal, moved from run to run; before each
batch of events it notes how far it means to go, so that after a kill it looks up what may already be there before it
creates. Whatever it says is without the secrets of the tracking URI.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, final

from autodc.adapters.journal import JournalReader, open_for_following
from autodc.adapters.lock import FolderLock
from autodc.adapters.mlflow_items import KEY_TAG, STUDY, Change, Projection, merged
from autodc.adapters.mlflow_store import artifact_location, last_line, sqlite_file
from autodc.errors import InputError
from autodc.masking import masked

CLOSED, FILES = "closed", "files"
"""In the cursor: the study's run was ended, and the files were added to it."""

_BATCH = 40  # events whose changes are merged; within them the cursor moves from run to run
_KEEP_SECONDS = 0.5  # between two moves of the cursor within a batch
_IDLE_SECONDS = 0.3
_BACKOFF = (0.5, 30.0)  # seconds, first and longest
_LAST_TRIES = 3  # after `finish`, of the same thing
_STUDY_FILE = "study.json"
_NICENESS = 5  # trainings come first
_REFUSALS = frozenset({"INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_LIMIT_EXCEEDED"})
_GONE = frozenset({"RESOURCE_DOES_NOT_EXIST"})
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is followed and where it is sent. journal, artifacts: absolute paths; uri: absolute; cursor: its name."""

    journal: str
    uri: str
    experiment: str
    cursor: str
    artifacts: tuple[str, ...] = ()

    def to_line(self) -> str:
        """The target as the line the process is started with."""
        return json.dumps(asdict(self)) + "\n"


@final
class Sender:
    """Sends changes in order, one call at a time. Every method may raise what MLflow raises, and may then be called
    again: what has arrived is not sent anew by this process, and looked up by the next."""

    def __init__(self, client: Any, journal: JournalReader, target: Target) -> None:
        self._client, self._journal, self._target = client, journal, target
        self._projection = Projection()
        self._runs: dict[str, str] = {}
        self._waiting: deque[Change] = deque()
        self._calls: deque[Callable[[], None]] = deque()
        self._files: list[str] = []
        self._upto = self._position = 0
        self._looking = True
        self._extra: dict[str, Any] = {}
        self._ready = False
        self._kept_at = 0.0
        self.refused = ""
        self.sent = 0
        """How many steps have succeeded: what tells a slow server from one that does not answer."""

    @property
    def reference(self) -> dict[str, str]:
        """Experiment and run of the study, as far as known."""
        return {name: self._extra[name] for name in ("experiment_id", "run_id") if self._extra.get(name)}

    def step(self) -> bool:
        """Send one thing. False where there is nothing new."""
        if not self._ready:
            self._prepare()
        elif self._calls:
            self._calls[0]()
            self._calls.popleft()
            if not self._calls:
                self._through()
        elif self._waiting:
            self._calls.extend(self._calls_of(self._waiting[0]))
            return True
        else:
            return self._load()
        self.sent += 1
        return True

    def close(self) -> None:
        """End the study's run: as FINISHED where the study is, as KILLED where it was interrupted (a resumed study
        sets it RUNNING again)."""
        run_id = self._extra.get("run_id")
        if not run_id or CLOSED in self._extra:
            return
        status = "FINISHED" if self._projection.finished else "KILLED"
        if status == "KILLED":
            self._client.set_tag(run_id, "autodc.status", "interrupted")
            self._client.set_terminated(run_id, status)
        self._extra[CLOSED] = status
        self._keep()
        self.sent += 1

    def add_file(self) -> bool:
        """Add one of study file, report and result to the study's run. False where all are there."""
        run_id = self._extra.get("run_id")
        if not run_id or FILES in self._extra:
            return False
        given = [path for path in self._target.artifacts if Path(path).is_file()]
        left = [path for path in (_STUDY_FILE, *given) if path not in self._files]
        if not left:
            self._extra[FILES] = len(self._files)
            self._keep()
            return False
        if left[0] == _STUDY_FILE:
            self._client.log_dict(run_id, dict(self._projection.specification), _STUDY_FILE)
        else:
            self._client.log_artifact(run_id, left[0])
        self._files.append(left[0])
        self.sent += 1
        return True

    def doubt(self) -> None:
        """A call failed and may have arrived: look before creating from here on, until the batch is through."""
        self._looking = True

    def _prepare(self) -> None:
        """Pick up where the last process stopped; begin anew where someone deleted the study's run."""
        cursor = self._journal.cursor(self._target.cursor)
        extra, position = dict(cursor.extra), cursor.position
        if extra.get("run_id") and not self._run_is_there(extra["run_id"]):
            extra, position = {"generation": int(extra.get("generation", 0)) + 1}, 0
        extra["uri"] = masked(self._target.uri)
        if not extra.get("experiment_id"):
            extra["experiment_id"] = self._experiment()
        self._extra, self._position = extra, position
        known = bool(extra.get("run_id")) or self._is_known()
        if known and not position:  # the cursor was lost, or stands where it began: what is there is looked for
            extra["doubt"] = max(self._journal.last, int(extra.get("doubt", 0)))
        self._upto = self._position
        self._projection, self._waiting = Projection(), deque()
        for _, event in islice(self._journal.read(), self._position):
            self._projection.feed(event)
        if extra.get("run_id"):
            self._runs[STUDY] = extra["run_id"]
        self._looking = self._position < int(extra.get("doubt", 0))
        self._ready = True

    def _load(self) -> bool:
        """Take up the next events: as many as the process before had, where it stopped in the middle of them."""
        upto = int(self._extra.get("upto", 0))
        size = upto - self._position if upto > self._position else _BATCH
        batch = list(islice(self._journal.read(after=self._position), size))
        if not batch:
            return False
        self._upto = batch[-1][0]
        sent = set(self._extra.get("sent", ())) if self._upto == upto else set()
        changes = merged([change for _, event in batch for change in self._projection.feed(event)])
        self._waiting = deque(change for change in changes if change.key not in sent)
        self._files = []
        for name in (CLOSED, FILES):
            self._extra.pop(name, None)
        self._extra |= {"upto": self._upto, "sent": sorted(sent)}
        if not self._waiting:
            self._batch_through()
        elif any(change.create for change in self._waiting):
            self._extra["doubt"] = max(self._upto, int(self._extra.get("doubt", 0)))
            self._keep()
        return True

    def _through(self) -> None:
        """The first of the waiting changes has arrived."""
        self._extra["sent"].append(self._waiting.popleft().key)
        if not self._waiting:
            self._batch_through()
        elif time.monotonic() - self._kept_at >= _KEEP_SECONDS:
            self._keep()

    def _batch_through(self) -> None:
        self._position = self._upto
        self._looking = self._position < int(self._extra.get("doubt", 0))
        for name in ("upto", "sent"):
            self._extra.pop(name, None)
        self._keep()

    def _keep(self) -> None:
        self._journal.set_cursor(self._target.cursor, self._position, self._extra)
        self._kept_at = time.monotonic()

    def _calls_of(self, change: Change) -> list[Callable[[], None]]:
        """What makes a change true, in steps that are not repeated once they have succeeded."""
        calls: list[Callable[[], None]] = [lambda: self._find_or_create(change), lambda: self._log(change)]
        if change.datasets:
            calls.append(lambda: self._log_datasets(change))
        if change.status:
            calls.append(lambda: self._set_status(change))
        return calls

    def _find_or_create(self, change: Change) -> None:
        run_id = self._runs.get(change.key)
        if run_id is None and (self._looking or not change.create):
            run_id = self._find(change.key)
        if run_id is None and change.create:
            run_id = self._create(change)
        if run_id is not None:
            self._runs[change.key] = run_id
        if run_id is not None and change.key == STUDY:
            self._extra["run_id"] = run_id

    def _log(self, change: Change) -> None:
        from mlflow.entities import Metric, Param, RunTag

        metrics = [Metric(name, value, at, step) for name, (value, at, step) in change.metrics.items()]
        parameters = [Param(name, value) for name, value in change.parameters.items()]
        tags = [RunTag(name, value) for name, value in change.tags.items()]
        run_id = self._runs.get(change.key)
        if run_id is not None and (metrics or parameters or tags):
            self._try(change, self._client.log_batch, run_id, metrics, parameters, tags)

    def _log_datasets(self, change: Change) -> None:
        if (run_id := self._runs.get(change.key)) is not None:
            self._try(change, self._client.log_inputs, run_id, _inputs(change))

    def _set_status(self, change: Change) -> None:
        run_id = self._runs.get(change.key)
        if run_id is not None and change.status == "RUNNING":
            self._try(change, self._client.update_run, run_id, status="RUNNING")
        elif run_id is not None:
            self._try(change, self._client.set_terminated, run_id, change.status, change.end)

    def _create(self, change: Change) -> str | None:
        tags = {KEY_TAG: self._tag(change.key), **change.tags}
        if change.key != STUDY:
            tags["mlflow.parentRunId"] = self._extra["run_id"]
        experiment = self._extra["experiment_id"]
        run = self._try(change, self._client.create_run, experiment, change.start, tags, change.name)
        return None if run is None else str(run.info.run_id)

    def _find(self, key: str) -> str | None:
        query = f"tags.`{KEY_TAG}` = '{self._tag(key)}'"
        found = self._client.search_runs([self._extra["experiment_id"]], query, max_results=1)
        return str(found[0].info.run_id) if found else None

    def _is_known(self) -> bool:
        """Whether a run of this study is there already."""
        query = f"tags.`{KEY_TAG}` LIKE '{self._tag('')}%'"
        return bool(self._client.search_runs([self._extra["experiment_id"]], query, max_results=1))

    def _tag(self, key: str) -> str:
        generation = self._extra.get("generation", 0)
        return f"{self._journal.identity}.{generation}/{key}" if generation else f"{self._journal.identity}/{key}"

    def _try(self, change: Change, call: Any, *arguments: Any, **named: Any) -> Any:
        """Call MLflow; what it refuses for its content is said once and left out, or it would block all the rest."""
        from mlflow.exceptions import MlflowException

        try:
            return call(*arguments, **named)
        except MlflowException as error:
            if error.error_code not in _REFUSALS:
                raise
            self.refused = self.refused or f"MLflow refuses a part of {change.key}: {last_line(error)}"
            return None

    def _run_is_there(self, run_id: str) -> bool:
        from mlflow.exceptions import MlflowException

        try:
            run = self._client.get_run(run_id)
            experiment = self._client.get_experiment(run.info.experiment_id)
        except MlflowException as error:
            if error.error_code in _GONE:
                return False
            raise
        return bool(run.info.lifecycle_stage == "active" and experiment.lifecycle_stage == "active")

    def _experiment(self) -> str:
        """Find or make the experiment; one that someone deleted is left alone and its name counted on."""
        from mlflow.exceptions import MlflowException

        for number in range(1, 1000):
            name = self._target.experiment if number == 1 else f"{self._target.experiment}-{number}"
            found = self._client.get_experiment_by_name(name)
            if found is None:
                try:
                    return str(self._client.create_experiment(name, artifact_location(self._target.uri, name)))
                except MlflowException as error:
                    if error.error_code != "RESOURCE_ALREADY_EXISTS":
                        raise
                    found = self._client.get_experiment_by_name(name)
            if found is not None and found.lifecycle_stage == "active":
                return str(found.experiment_id)
        raise AssertionError("a thousand deleted experiments of one name")


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


def run(target: Target, parent: Parent) -> None:
    """Follow the journal until the study says finish; then send the rest and say whether all arrived."""
    lock = FolderLock(Path(target.journal).with_name("tracker.lock"))
    while not _taken(lock):
        parent.wait(_IDLE_SECONDS)
    sender: Sender | None = None
    failures = before = 0
    while True:
        try:
            if sender is None:
                sender = _opened(target)
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
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # MLflow prints links to stdout
    fields = json.loads(_first_line(0))
    target = Target(**{**fields, "artifacts": tuple(fields["artifacts"])})
    parent = Parent(0, answers, target.uri)
    threading.Thread(target=parent.watch, daemon=True).start()
    run(target, parent)


def _opened(target: Target) -> Sender:
    return Sender(_client(target.uri), open_for_following(target.journal), target)


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


def _client(uri: str) -> Any:
    from mlflow import MlflowClient

    if (file := sqlite_file(uri)) is not None and not file.exists():
        _make_database(file)
    if file is not None and "%" in uri:  # MLflow makes the folder of what it takes for a path: that of the quoted one
        uri = uri.replace("sqlite:///", "sqlite+pysqlite:///", 1)
    return MlflowClient(tracking_uri=uri)


def _make_database(file: Path) -> None:
    """Make a new SQLite store one with a write-ahead log: half the time and a quarter less CPU for each run."""
    file.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode = WAL")
    database.close()


def _inputs(change: Change) -> Sequence[Any]:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    return [
        DatasetInput(
            Dataset(name=d.name, digest=d.digest, source_type=d.source_type, source=d.source, profile=d.profile),
            tags=[InputTag(name, value) for name, value in _sorted(d.tags)],
        )
        for d in change.datasets
    ]


def _sorted(tags: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(tags.items())


if __name__ == "__main__":
    main()
