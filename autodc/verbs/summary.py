"""A summary beside a long journal, so that `status` answers at once: to fold 100,000 events takes seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from autodc.adapters.journal import (
    JOURNAL,
    AbstractJournalView,
    JournalReader,
    SqliteJournal,
    at_work,
    open_for_following,
    open_for_reading,
)
from autodc.errors import AutodcError

if TYPE_CHECKING:  # to read a summary, nothing heavy is imported
    from autodc.study.driver import Progress
    from autodc.study.journal.state import State

NAME = "status"
"""Of the cursor in the journal that holds it."""

LONG = 4000
"""Events from which on a summary is kept: below, to fold the journal costs little."""

EVERY = 5.0
"""Seconds between two summaries, or twenty times what one takes."""

FRESH = 60.0
"""Seconds for which a summary of a journal that has grown since is told."""


@final
class Summary:
    """Keeps the summary while a study runs, and passes its progress on."""

    def __init__(
        self, journal: SqliteJournal, progress: Progress, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._journal, self._progress, self._monotonic = journal, progress, monotonic
        self._due, self._written = 0.0, 0

    def __call__(self, state: State) -> None:
        """Take note of a step."""
        self._progress(state)
        if self._monotonic() >= self._due:
            self.write(state)

    def write(self, state: State) -> None:
        """Write the summary, where the study is long."""
        if (last := self._journal.last) < LONG or last == self._written:
            return
        from autodc.review.status import status

        begun, now = self._monotonic(), time.time()
        _keep(self._journal, last, status(state, now), now)
        self._written = last
        took = self._monotonic() - begun
        self._due = begun + took + max(EVERY, 20 * took)


def status_of(folder: str | os.PathLike[str]) -> Mapping[str, Any]:
    """What the study in a folder is doing, has spent and kept so far. Raises InputError where none is."""
    path = Path(folder) / JOURNAL
    running = at_work(path.parent)
    if path.is_file():
        with open_for_reading(path) as journal:
            if (found := summary(journal)) is not None:
                return {**found, "running": running}
    from autodc.review.status import status
    from autodc.verbs.folder import Follower

    with Follower(folder) as follower:
        told = status(follower.look(), now := time.time())
        if running is False and follower.position >= LONG:
            with suppress(AutodcError), open_for_following(path) as journal:  # a disk that refuses: the next one folds
                _keep(journal, follower.position, told, now)
    return {**told, "running": running}


def _keep(journal: AbstractJournalView, position: int, told: Mapping[str, Any], now: float) -> None:
    journal.set_cursor(NAME, position, {"time": now, "status": told})


def summary(journal: JournalReader) -> Mapping[str, Any] | None:
    """The status of a long study as of its last summary; None where there is none that is exact, or fresh enough."""
    found = journal.cursor(NAME)
    if not found.position:
        return None
    try:
        age = max(0.0, time.time() - float(found.extra["time"]))
        told = dict(found.extra["status"])
        ago = told["last_event_seconds_ago"]
    except (KeyError, TypeError, ValueError):
        return None  # the events themselves will tell
    if found.position != journal.last and age > FRESH:
        return None
    return {**told, "last_event_seconds_ago": None if ago is None else round(ago + age, 1)}
