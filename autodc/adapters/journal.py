"""The journal on SQLite: an append-only table of events, durable before `append` returns, one writer per folder.

Nothing is created before the first append, so a study that is refused leaves nothing behind. A folder that is made
for it and the file itself are for their owner alone; the modes of what is there already stay as they are.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from autodc.adapters.lock import FolderLock
from autodc.errors import InputError, SurroundingsError
from autodc.study.journal.codec import from_dict
from autodc.study.journal.events import Event

_APPLICATION_ID = 0x61646331  # "adc1", read by `file` and by us
_LONGEST = 200
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600
_PAGE_OF_EVENTS = 500
_BUSY_SECONDS = 30.0
_IDENTITY = "journal"
_BROKEN = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_FORMAT", "SQLITE_MISMATCH", "SQLITE_ERROR")
"""Beginnings of what SQLite calls a file that is not what we wrote; anything else it says of disks and locks."""
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS events (
        position INTEGER PRIMARY KEY, kind TEXT NOT NULL, version INTEGER NOT NULL,
        payload TEXT NOT NULL, written REAL NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, position INTEGER NOT NULL, extra TEXT NOT NULL)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a follower of the journal has come. extra: what it needs to go on, as JSON."""

    position: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)


class AbstractJournalView(ABC):
    """What the writer of a journal and its readers can both be asked."""

    _path: Path

    @abstractmethod
    def _reading(self) -> AbstractContextManager[sqlite3.Connection | None]:
        """Lend the connection that reads and keeps cursors; None before the first append."""

    def read(self, after: int = 0) -> Iterator[tuple[int, Event]]:
        """Yield (position, event) from the first one beyond `after`, in pages: the file is not held open between."""
        return _read(self._path, self._reading, after)

    def cursor(self, name: str) -> Cursor:
        """Say how far the follower `name` has come; position 0 where it never set out."""
        with self._reading() as side, _explained(self._path):
            return _cursor(side, name)

    def cursors(self, beginning: str) -> list[tuple[str, Cursor]]:
        """All followers whose names begin so, by name."""
        with self._reading() as side, _explained(self._path):
            return _cursors(side, beginning)

    def set_cursor(self, name: str, position: int, extra: Mapping[str, Any] | None = None) -> None:
        """Remember durably how far `name` has come."""
        with self._reading() as side, _explained(self._path):
            _set_cursor(side, name, position, extra)

    @property
    def identity(self) -> str:
        """A name of this journal alone, given when it was made; empty before the first append."""
        return str(self.cursor(_IDENTITY).extra.get("id", ""))

    @property
    def last(self) -> int:
        """The position of the last event, 0 where there is none."""
        with self._reading() as side, _explained(self._path):
            return _last(side)


@final
class SqliteJournal(AbstractJournalView):
    """Writes and reads one study's events. Safe to share between threads; one process at a time.

    Raises InputError ADC-JRNL-004 where another process works in the folder, SurroundingsError ADC-JRNL-001 where the
    disk refuses, and ADC-JRNL-007 where the file is no journal.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()
        self._lock = FolderLock(self._path.with_name(self._path.name + ".lock"))
        self._writer: sqlite3.Connection | None = None
        self._side: sqlite3.Connection | None = None
        self._writing, self._siding = threading.Lock(), threading.Lock()
        if self._path.exists():
            _check_kind(self._path)
            self._open()

    @property
    def path(self) -> Path:
        """The absolute path of the file."""
        return self._path

    def append(self, events: Sequence[Event]) -> None:
        """Write all of these or none, and sync."""
        rows = [(event.kind, event.version, encode(event.to_dict()), time.time()) for event in events]
        if not rows:
            return
        with self._writing:
            if self._writer is None:
                self._create()
            assert self._writer is not None
            with _explained(self._path), _transaction(self._writer):
                self._writer.executemany("INSERT INTO events (kind, version, payload, written) VALUES (?,?,?,?)", rows)

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
            raise _refused(self._path, error) from error
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
        try:
            if not self._path.exists():
                _make_private(self._path)
            with _explained(self._path), self._siding:
                writer = _connect(self._path, "rwc")
                _check_application(writer, self._path)
                writer.execute("PRAGMA journal_mode = WAL")
                writer.execute("PRAGMA synchronous = FULL")
                with _transaction(writer):
                    for statement in _SCHEMA:
                        writer.execute(statement)
                    writer.execute(
                        "INSERT OR IGNORE INTO cursors VALUES (?, 0, ?)", (_IDENTITY, encode({"id": uuid.uuid4().hex}))
                    )
                    writer.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                self._side = _connect(self._path, "rw")
                self._side.execute("PRAGMA synchronous = FULL")
                self._writer = writer
        except BaseException:
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
    return _open_existing(path, _connect_for_reading)


def open_for_following(path: str | Path) -> JournalReader:
    """Open a journal to read it and to keep a cursor in it, also while a study writes it."""
    return _open_existing(path, lambda found: _connect(found, "rw"))


LONE = re.compile("[\ud800-\udfff]")


def encode(value: Any) -> str:
    """Write a payload as JSON text; numpy numbers and arrays become plain ones, NaN and infinity stay as they are.

    What no text file can hold (a byte of a file's name that is no UTF-8) is spelled out.
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_plain)
    return LONE.sub(lambda lone: f"\\\\u{ord(lone[0]):04x}", text)


def _open_existing(path: str | Path, connect: Callable[[Path], sqlite3.Connection]) -> JournalReader:
    path = Path(path).absolute()
    if not path.exists():
        raise InputError(
            "ADC-JRNL-006",
            "there is no study in this folder",
            place=str(path.parent),
            hint="give the folder that `autodc run` wrote (its --out)",
        )
    _check_kind(path)
    with _explained(path):
        connection = connect(path)
        _check_application(connection, path)
    return JournalReader(path, connection)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS)


def _connect_for_reading(path: Path) -> sqlite3.Connection:
    """Prefer read-write with writes forbidden: it tidies the WAL files away, which a read-only connection cannot."""
    for mode in ("rw", "ro", "ro&immutable=1"):
        connection = _connect(path, mode)
        try:
            connection.execute("PRAGMA query_only = 1")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            if mode == "ro&immutable=1":
                raise
        else:
            return connection
    raise AssertionError("unreachable")


def _check_application(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and found != _APPLICATION_ID:
        connection.close()
        raise _no_journal(path, "a SQLite file of another program")


def _make_private(path: Path) -> None:
    """Make the empty file that only its owner may read; what SQLite lays beside it has the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, _PRIVATE_FILE))
    except OSError as error:
        raise _refused(path, error) from error


def _check_kind(path: Path) -> None:
    if not path.is_file():
        raise _no_journal(path, "a folder" if path.is_dir() else "no ordinary file")


def _has_events(path: Path) -> bool:
    with open_for_reading(path) as reader:
        return next(iter(reader.read()), None) is not None


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        if isinstance(error, sqlite3.ProgrammingError):
            raise
        name = getattr(error, "sqlite_errorname", "")
        damaged = name.startswith(_BROKEN) or not name  # Python names none for text that is no UTF-8
        raise (_no_journal(path, _shortened(str(error))) if damaged else _refused(path, error)) from error


def _shortened(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]} …"


def _refused(path: Path, error: Exception) -> SurroundingsError:
    return SurroundingsError(
        "ADC-JRNL-001",
        "the journal cannot be written or read",
        place=str(path),
        got=str(error),
        hint="see that the disk has room, works and may be written to, then give the same command again",
    )


def _no_journal(path: Path, got: str) -> SurroundingsError:
    return SurroundingsError(
        "ADC-JRNL-007",
        "this is not a journal, or it is damaged",
        place=str(path),
        got=got,
        hint="restore it from a copy, or give another --out",
    )


def _read(path: Path, reading: Any, after: int) -> Iterator[tuple[int, Event]]:
    query = "SELECT position, kind, version, payload FROM events WHERE position > ? ORDER BY position LIMIT ?"
    while True:
        with reading() as side, _explained(path):
            rows = side.execute(query, (after, _PAGE_OF_EVENTS)).fetchall() if _has_table(side) else []
        for position, kind, version, payload in rows:
            if position != after + 1:
                raise _no_journal(path, f"event {position} after event {after}")
            after = position
            yield position, _event(path, position, kind, version, payload)
        if len(rows) < _PAGE_OF_EVENTS:
            return


def _event(path: Path, position: int, kind: str, version: int, payload: str) -> Event:
    try:
        decoded = json.loads(payload)
        if not isinstance(decoded, dict):
            raise TypeError(f"a {type(decoded).__name__} is no event")
        return from_dict(kind, version, decoded)
    except (TypeError, ValueError) as error:
        raise _no_journal(path, f"event {position}: {_shortened(str(error))}") from error


def _has_table(side: sqlite3.Connection | None, name: str = "events") -> bool:
    if side is None:
        return False
    return side.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone() is not None


def _cursor(side: sqlite3.Connection | None, name: str) -> Cursor:
    return next((cursor for found, cursor in _cursors(side, name) if found == name), Cursor())


def _cursors(side: sqlite3.Connection | None, beginning: str) -> list[tuple[str, Cursor]]:
    if side is None or not _has_table(side, "cursors"):
        return []
    rows = side.execute("SELECT name, position, extra FROM cursors ORDER BY name").fetchall()
    return [(name, _cursor_of(position, extra)) for name, position, extra in rows if name.startswith(beginning)]


def _cursor_of(position: int, extra: str) -> Cursor:
    try:
        found = json.loads(extra)
    except ValueError:
        found = None
    return Cursor(position=position, extra=found) if isinstance(found, dict) else Cursor()


def _set_cursor(side: sqlite3.Connection | None, name: str, position: int, extra: Mapping[str, Any] | None) -> None:
    if side is None:
        raise ValueError("a cursor needs a journal with events")
    with _transaction(side):
        side.execute(
            "INSERT INTO cursors VALUES (?,?,?) ON CONFLICT (name) DO UPDATE"
            " SET position = excluded.position, extra = excluded.extra",
            (name, position, encode(extra or {})),
        )


def _last(side: sqlite3.Connection | None) -> int:
    if side is None or not _has_table(side):
        return 0
    (last,) = side.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()
    return int(last)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} has no place in the journal")
