"""A journal and an artefact store in memory: real small classes that pass the same contracts as those on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, final

import numpy as np

from autodc.adapters.artefacts import address_of
from autodc.adapters.journal import Cursor, encode
from autodc.study.journal.codec import from_text
from autodc.study.journal.events import Event
from autodc.study.ports import ArtefactLost

Array = np.ndarray[Any, Any]
Row = tuple[str, int, str]


@final
class MemoryJournal:
    """Keeps events as JSON text, as the file does. rows: hand the same list to two journals to reopen one."""

    def __init__(self, rows: list[Row] | None = None) -> None:
        self._rows: list[Row] = [] if rows is None else rows
        self._cursors: dict[str, Cursor] = {}

    def append(self, events: Sequence[Event]) -> None:
        """Write all of these or none."""
        self._rows.extend([(event.kind, event.version, encode(event.to_dict())) for event in events])

    def read(self, after: int = 0) -> Iterator[tuple[int, Event]]:
        """Yield (position, event) from the first one beyond `after`."""
        for position, (kind, version, payload) in enumerate(self._rows[after:], start=after + 1):
            yield position, from_text(kind, version, payload, vouched=True)

    def cursor(self, name: str) -> Cursor:
        """Say how far the follower `name` has come."""
        return self._cursors.get(name, Cursor())

    def set_cursor(self, name: str, position: int, extra: Mapping[str, Any] | None = None) -> None:
        """Remember how far `name` has come."""
        self._cursors[name] = Cursor(position=position, extra=json.loads(encode(extra or {})))

    @property
    def last(self) -> int:
        """The position of the last event, 0 where there is none."""
        return len(self._rows)

    def close(self) -> None:
        """Do nothing: the rows live as long as their list."""


@final
class MemoryStore:
    """Keeps arrays by address."""

    def __init__(self) -> None:
        self._arrays: dict[str, dict[str, Array]] = {}

    def put(self, arrays: Mapping[str, Array]) -> str:
        """Store copies and return the address."""
        address = address_of(arrays)
        self._arrays[address] = {name: np.array(array) for name, array in arrays.items()}
        return address

    def get(self, address: str) -> Mapping[str, Array]:
        """Return the arrays of an address."""
        if address not in self._arrays:
            raise ArtefactLost(address, "the outcome of a trial is lost", got=address)
        return {name: array.copy() for name, array in self._arrays[address].items()}

    def drop(self, address: str) -> None:
        """Forget the arrays of an address."""
        self._arrays.pop(address, None)

    def lose(self, *addresses: str) -> None:
        """Be a disk that has lost these; all of them where none is named."""
        for address in addresses or tuple(self._arrays):
            del self._arrays[address]
