"""The ports of the loop: the journal it writes ahead to, the store of what trainings leave, the tracker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from autodc.errors import ArtefactLost as ArtefactLost

if TYPE_CHECKING:
    from autodc.study.journal.events import DatasetAdmitted, DeliveryRefused, Event
    from autodc.study.journal.state import State

Array = np.ndarray[Any, Any]


class Journal(Protocol):
    """An append-only list of events, durable before `append` returns."""

    def append(self, events: Sequence[Event]) -> None:
        """Write all of these or none, and sync. Raises SurroundingsError where the disk is full or read-only."""
        ...

    def read(self, after: int = 0) -> Iterable[tuple[int, Event]]:
        """Yield (position, event) from the first one beyond position `after`; positions start at 1."""
        ...

    def close(self) -> None:
        """Give the file back. Safe to call twice."""
        ...


class ArtefactStore(Protocol):
    """Per-example arrays by content address."""

    def put(self, arrays: Mapping[str, Array]) -> str:
        """Store durably and return the address; the same arrays give the same address."""
        ...

    def get(self, address: str) -> Mapping[str, Array]:
        """Return the arrays of an address, verified. Raises ArtefactLost where they are gone or damaged."""
        ...

    def drop(self, address: str) -> None:
        """Delete what nobody needs any more; nothing happens where it is gone."""
        ...


class Tracker(Protocol):
    """A view of the journal somewhere else. It may be late, it is never in the way, it can be rebuilt."""

    def follow(self) -> None:
        """Look at what is new in the journal and send it in the background; returns at once, never raises."""
        ...

    def finish(self, timeout: float, stop: Callable[[], bool] = lambda: False) -> bool:
        """Send what is left; say whether everything arrived.

        For as long as something moves within `timeout` seconds and `stop` does not say so.
        """
        ...

    @property
    def reference(self) -> Mapping[str, str] | None:
        """`uri`, `experiment_id` and `run_id` of the study's run, or None before it is known."""
        ...

    @property
    def complaint(self) -> str:
        """Why something is not sent yet, in one sentence; empty where all is well."""
        ...


class Arrivals(Protocol):
    """Datasets that people deliver while a study runs."""

    def arrived(self, state: State) -> Sequence[DatasetAdmitted | DeliveryRefused]:
        """Look at what is new: let in what fits, its content stored before this returns, and say why others do not.

        Each once; the state has what was answered before.
        """
        ...
