"""The journal on SQLite: an append-only table of events, durable before `append` returns, one writer per folder.

Nothing is created before the first append, so a study that is refused leaves nothing behind. A folder that is made
for it and the file itself are for their owner alone; the modes of what is there already stay as they are.
"""

from __future__ import annotations

import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from autodc.adapters import journal_table as table
from autodc.adapters.journal_file import JOURNAL as JOURNAL
from autodc.adapters.journal_file import (
    check_application,
    check_kind,
    connect,
    connect_for_reading,
    explained,
    make_private,
    refused,
)
from autodc.adapters.journal_table import Cursor, Head, encode
from autodc.adapters.lock import FolderLock, is_held
from autodc.errors import InputError

if TYPE_CHECKING:
    from autodc.study.journal.events import Event
    from autodc.study.journal.state import State

__all__ = [
    "JOURNAL",
    "AbstractJournalView",
    "Cursor",
    "JournalReader",
    "SqliteJournal",
    "at_work",
    "encode",
    "open_for_following",
    "open_for_reading",
    "state_of",
]


_PRIVATE_FOLDER = 0o700


class AbstractJournalView(ABC):
    """What the writer of a journal and its readers can both be asked."""

    _path: Path

    @abstractmethod
    def _reading(self) -> AbstractContextManager[sqlite3.Connection | None]:
        """Lend the connection that reads and keeps cursors; None before the first append."""

    def read(self, after: int = 0) -> Iterator[tuple[int, Event]]:
        """Yield (position, event) from the first one beyond `after`, in pages: the file is not held open between."""
        return table.read(self._path, self._reading, after)

    def cursor(self, name: str) -> Cursor:
        """Say how far the follower `name` has come; position 0 where it never set out."""
        return next((cursor for found, cursor in self.cursors(name) if found == name), Cursor())

    def cursors(self, beginning: str) -> list[tuple[str, Cursor]]:
        """All followers whose names begin so, by name."""
        with self._reading() as side, explained(self._path):
            return table.cursors(side, beginning)

    def set_cursor(self, name: str, position: int, extra: Mapping[str, Any] | None = None) -> None:
        """Remember durably how far `name` has come."""
        with self._reading() as side, explained(self._path):
            table.set_cursor(side, name, position, extra)

    @property
    def identity(self) -> str:
        """A name of this journal alone, given when it was made; empty before the first append."""
        return str(self.cursor(table.IDENTITY).extra.get("id", ""))

    @property
    def last(self) -> int:
        """The position of the last event, 0 where there is none."""
        with self._reading() as side, explained(self._path):
            return table.last(side)


@final
class SqliteJournal(AbstractJournalView):
    """Writes and reads one study's events. Safe to share between threads; one process at a time.

    Raises InputError ADC-JRNL-004 where another process works in the folder, SurroundingsError ADC-JRNL-001 where the
    disk refuses, and ADC-JRNL-007 where the file is no journal.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()
        self._lock = FolderLock(_lock_of(self._path))
        self._writer: sqlite3.Connection | None = None
        self._side: sqlite3.Connection | None = None
        self._head = Head()
        self._writing, self._siding = threading.Lock(), threading.Lock()
        if self._path.exists():
            check_kind(self._path)
            self._open()

    @property
    def path(self) -> Path:
        """The absolute path of the file."""
        return self._path

    def append(self, events: Sequence[Event]) -> None:
        """Write all of these or none, and sync."""
        records = [(event.kind, event.version, encode(event.to_dict())) for event in events]
        if not records:
            return
        with self._writing:
            if self._writer is None:
                self._create()
            assert self._writer is not None
            with explained(self._path):
                self._head = table.append(self._writer, self._head, records)

    @property
    def last(self) -> int:
        """The position of the last event, 0 where there is none: nobody else writes any."""
        return self._head.position

    def close(self) -> None:
        """Give the file back. Safe to call twice."""
        with self._writing, self._siding:
            for connection in (self._side, self._writer):
                if connection is not None:
                    connection.close()
            self._side = self._writer = None
            self._lock.release()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        with self._siding:
            yield self._side

    def _create(self) -> None:
        try:
            self._path.parent.parent.mkdir(parents=True, exist_ok=True)
            self._path.parent.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        except OSError as error:
            raise refused(self._path, error) from error
        self._lock.acquire()
        if self._path.exists() and _has_events(self._path):
            self._lock.release()
            raise InputError(
                "ADC-JRNL-005",
                "another run has begun in this folder since this one looked",
                place=str(self._path.parent),
                hint="give the same command again to go on with that study, or another --out",
            )
        self._open()

    def _open(self) -> None:
        self._lock.acquire()
        writer = None
        try:
            if not self._path.exists():
                make_private(self._path)
            with explained(self._path), self._siding:
                writer = connect(self._path, "rwc")
                check_application(writer, self._path)
                writer.execute("PRAGMA journal_mode = WAL")
                writer.execute("PRAGMA synchronous = FULL")
                self._head = table.prepare(writer, self._path)
                self._side = connect(self._path, "rw")
                self._side.execute("PRAGMA synchronous = FULL")
                self._writer = writer
        except BaseException:
            if writer is not None:
                writer.close()
            self._lock.release()
            raise


@final
class JournalReader(AbstractJournalView):
    """Reads a journal that another process may be writing; writes no event and takes no lock a writer waits for."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path, self._connection = path, connection
        self._siding = threading.Lock()

    def close(self) -> None:
        """Give the file back. Safe to call twice."""
        self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._siding:
            yield self._connection

    def __enter__(self) -> JournalReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_for_reading(path: str | Path) -> JournalReader:
    """Open a journal to look at it, also while a study writes it.

    Raises InputError ADC-JRNL-006 where there is none.
    """
    return _open_existing(path, connect_for_reading)


def state_of(folder: Path) -> State:
    """What the journal in the folder of a study tells."""
    from autodc.study.journal.fold import fold  # numpy comes with it; a summary is read without

    with open_for_reading(folder / JOURNAL) as reader:
        return fold(event for _, event in reader.read())


def at_work(folder: Path) -> bool | None:
    """Whether a process works on the study in a folder; None where that cannot be told: it is on another machine."""
    return is_held(_lock_of(folder / JOURNAL))


def open_for_following(path: str | Path) -> JournalReader:
    """Open a journal to read it and to keep a cursor in it, also while a study writes it."""
    return _open_existing(path, lambda found: connect(found, "rw"))


def _open_existing(path: str | Path, connect: Callable[[Path], sqlite3.Connection]) -> JournalReader:
    path = Path(path).absolute()
    if not path.exists():
        raise InputError(
            "ADC-JRNL-006",
            "there is no study in this folder",
            place=str(path.parent),
            hint="give the folder that `autodc run` wrote (its --out)",
        )
    check_kind(path)
    with explained(path):
        connection = connect(path)
        check_application(connection, path)
    return JournalReader(path, connection)


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _has_events(path: Path) -> bool:
    with open_for_reading(path) as reader:
        return next(iter(reader.read()), None) is not None
