"""Sends the changes that events make to MLflow, in order, and keeps in the journal how far it has come.

The cursor moves from run to run; before each batch of events it notes how far it means to go, so that after a kill the
next process looks up what may already be there before it creates.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from autodc.adapters.journal import JournalReader
from autodc.adapters.mlflow.artifacts import Deposit
from autodc.adapters.mlflow.changes import STUDY, RunChange, merged
from autodc.adapters.mlflow.projection import Projection
from autodc.adapters.mlflow.runs import Runs
from autodc.adapters.mlflow.target import MlflowTarget
from autodc.masking import masked

if TYPE_CHECKING:
    from mlflow import MlflowClient

CLOSED, FILES = "closed", "files"
"""In the cursor: the study's run was ended, and the files were added to it."""

_BATCH = 40  # events whose changes are merged; within them the cursor moves from run to run
_KEEP_SECONDS = 0.5  # between two moves of the cursor within a batch


@final
class Sender:
    """Sends changes in order, one call at a time.

    Every method may raise what MLflow raises, and may then be called again: what has arrived is not sent anew by this
    process, and looked up by the next.
    """

    def __init__(
        self, client: MlflowClient, journal: JournalReader, target: MlflowTarget, folder: Path | None = None
    ) -> None:
        """folder: of the study, whose files are added to its run at the end; None: none are."""
        self._journal, self._target, self._folder = journal, target, folder
        self._runs = Runs(client, journal.identity)
        self._projection = Projection()
        self._waiting: deque[RunChange] = deque()
        self._calls: deque[Callable[[], None]] = deque()
        self._client = client
        self._deposit: Deposit | None = None
        self._upto = self._position = 0
        self._looking = True
        self._extra: dict[str, Any] = {}
        self._ready = False
        self._kept_at = 0.0
        self.sent = 0
        """How many steps have succeeded: what tells a slow server from one that does not answer."""

    @property
    def reference(self) -> dict[str, str]:
        """Experiment and run of the study, as far as known."""
        return {name: self._extra[name] for name in ("experiment_id", "run_id") if self._extra.get(name)}

    @property
    def refused(self) -> str:
        """What MLflow refused for its content, in a sentence."""
        return self._runs.refused

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
        """End the study's run: as FINISHED where the study is, as KILLED where it was interrupted.

        A resumed study sets it RUNNING again.
        """
        run_id = self._extra.get("run_id")
        if not run_id or CLOSED in self._extra:
            return
        status = "FINISHED" if self._projection.finished else "KILLED"
        if status == "KILLED":
            self._runs.interrupt(run_id)
        self._extra[CLOSED] = status
        self._keep()
        self.sent += 1

    def add_file(self) -> bool:
        """Add one of report, tables, pictures and model to the study's run. False where all are there."""
        run_id = self._extra.get("run_id")
        if not run_id or FILES in self._extra:
            return False
        if self._deposit is None:
            folder, register = self._folder or Path("/nonexistent"), self._target.register
            self._deposit = Deposit(self._client, run_id, folder, self._projection.question, register)
        if not self._deposit.step():
            self._extra[FILES] = self._deposit.sent
            self._keep()
            return False
        self.sent += 1
        return True

    def doubt(self) -> None:
        """A call failed and may have arrived: look before creating from here on, until the batch is through."""
        self._looking = True

    def _prepare(self) -> None:
        """Pick up where the last process stopped; begin anew where someone deleted the study's run."""
        cursor = self._journal.cursor(self._target.cursor)
        extra, position = dict(cursor.extra), cursor.position
        if extra.get("run_id") and not self._runs.is_there(extra["run_id"]):
            extra, position = {"generation": int(extra.get("generation", 0)) + 1}, 0
        extra["uri"] = masked(self._target.uri)
        if not extra.get("experiment_id"):
            extra["experiment_id"] = self._runs.experiment(self._target.experiment, self._target.uri)
        self._extra, self._position = extra, position
        self._runs.resume(extra["experiment_id"], int(extra.get("generation", 0)), extra.get("run_id"))
        known = bool(extra.get("run_id")) or self._runs.is_known()
        if known and not position:  # the cursor was lost, or stands where it began: what is there is looked for
            extra["doubt"] = max(self._journal.last, int(extra.get("doubt", 0)))
        self._upto = self._position
        self._projection, self._waiting = Projection(), deque()
        for _, event in islice(self._journal.read(), self._position):
            self._projection.feed(event)
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
        changes += self._projection.note()
        self._waiting = deque(change for change in changes if change.key not in sent)
        self._deposit = None
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

    def _calls_of(self, change: RunChange) -> list[Callable[[], None]]:
        """What makes a change true, in steps that are not repeated once they have succeeded."""
        calls: list[Callable[[], None]] = [lambda: self._find_or_create(change)]
        if change.experiment:
            calls.append(lambda: self._runs.tell_experiment(change))
        if change.texts:
            calls.append(lambda: self._runs.log_texts(change))
        calls.append(lambda: self._runs.log(change))
        if change.datasets:
            calls.append(lambda: self._runs.log_datasets(change))
        if change.status:
            calls.append(lambda: self._runs.set_status(change))
        return calls

    def _find_or_create(self, change: RunChange) -> None:
        run_id = self._runs.find_or_create(change, self._looking)
        if run_id is not None and change.of == STUDY:
            self._extra["run_id"] = run_id
