"""What of a study is told to who asked for it: datasets that were kept, that it is done, that it is blocked.

Each thing once, also after a stop: what was told is kept beside the journal, before it is sent.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, final

from autodc.adapters.journal import SqliteJournal
from autodc.adapters.notify import Notifier
from autodc.errors import AutodcError, SurroundingsError
from autodc.review.story import headline
from autodc.review.wording import BECAUSE
from autodc.study.driver import Progress
from autodc.study.journal.state import State
from autodc.study.rules.actions import of_round

NAME = "notify"
"""Of the cursor in the journal that holds what was told."""


@final
class Notices:
    """Passes the progress of a run on, and sends what is new in it."""

    def __init__(self, notifier: Notifier | None, journal: SqliteJournal, folder: Path, progress: Progress) -> None:
        self._notifier, self._journal, self._folder, self._progress = notifier, journal, folder, progress
        self._told: set[str] | None = None
        self._kept: tuple[str, ...] | None = None

    def __call__(self, state: State) -> None:
        """Take note of a step."""
        self._progress(state)
        if self._notifier is not None and state.kept != self._kept:
            self._kept = state.kept
            new = [name for name in state.kept if f"keep:{name}" not in self._known]
            if new:
                self._send([f"keep:{name}" for name in new], state, event="keep", new=new)

    def ended(self, state: State) -> None:
        """Tell how a finished study ended: done, or blocked where it waits for data."""
        self(state)
        if state.finished is None:
            return
        key = f"end:{state.finished.time:.3f}"
        weighed = of_round(state, state.round)
        first = None if weighed is None else weighed.picked
        if first is not None and first.kind == "wait":
            self._send([key], state, event="blocked", why=f"it waits for {first.name} to be delivered")
        else:
            because = state.finished.because
            self._send([key], state, event="done", why=BECAUSE.get(because, because))

    def blocked(self, state: State, error: SurroundingsError) -> None:
        """Tell that the surroundings ended the run; at one place of the study for one reason once."""
        ended = sum(t.outcome is not None for t in state.trials)
        self._send([f"blocked:{error.code}:{ended}"], state, event="blocked", why=str(error))

    @property
    def _known(self) -> set[str]:
        if self._told is None:
            self._told = set(self._journal.cursor(NAME).extra.get("told", ()))
        return self._told

    def _send(self, keys: list[str], state: State, **told: Any) -> None:
        if self._notifier is None or self._known.issuperset(keys):
            return
        self._known.update(keys)
        with suppress(AutodcError):  # what is told twice for a disk that refuses is better than what is not told
            self._journal.set_cursor(NAME, self._journal.last, {"told": sorted(self._known)})
        self._notifier.send(
            {
                **told,
                "study": state.question.name,
                "folder": str(self._folder),
                "round": state.round,
                "kept": list(state.kept),
                "finished": state.finished is not None,
                "summary": headline(state),
            }
        )
