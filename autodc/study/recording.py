"""Events are written, then applied: singly, or several with one sync of the disk, which nothing may rest on before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import final

from autodc.study.journal import events as ev
from autodc.study.journal.fold import apply
from autodc.study.journal.state import State
from autodc.study.ports import ArtefactStore, Journal


@final
class Recorder:
    """Takes the events of one study: into its journal and its state.

    clock: Unix time; monotonic: seconds awake; both are written into every event.
    """

    def __init__(
        self,
        journal: Journal,
        store: ArtefactStore,
        state: State,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._journal, self._store, self._state = journal, store, state
        self._clock, self._monotonic = clock, monotonic
        self._begun: float | None = None
        self._gathers = False
        self._unwritten, self._stale = list[ev.Event](), set[str]()

    def record(self, *events: ev.Event) -> None:
        """Journal events, then apply them; what is recorded `together` is applied at once and written at the end."""
        if not events:
            return
        if any(isinstance(event, ev.SessionStarted) for event in events):
            self._begun = self._monotonic()
        awake = 0.0 if self._begun is None else round(self._monotonic() - self._begun, 3)
        stamped = [replace(event, time=self._clock(), awake=awake) for event in events]
        if self._gathers:
            self._unwritten += stamped
        else:
            self._append(stamped)
        before = set(self._state.outputs.values())
        for event in stamped:
            apply(self._state, event)
        self._stale |= before - set(self._state.outputs.values())
        if not self._gathers:
            self._drop()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is recorded inside is written at the end, synced once: nothing outside may rest on it before.

        Raises SurroundingsError at the end where the journal cannot be written; the next that is recorded, or
        gathered, writes it too, then.
        """
        if self._gathers:
            yield
            return
        self._gathers = True
        try:
            yield
        finally:
            self._gathers = False
            self.write()
            self._drop()

    def write(self) -> None:
        """Write what was gathered so far."""
        if self._unwritten:
            self._append([])

    def _append(self, further: list[ev.Event]) -> None:
        self._journal.append([*self._unwritten, *further])
        self._unwritten.clear()

    def _drop(self) -> None:
        """Delete predictions that by what is written nobody needs any more."""
        stale, self._stale = self._stale, set()
        for address in stale - set(self._state.outputs.values()):
            self._store.drop(address)
