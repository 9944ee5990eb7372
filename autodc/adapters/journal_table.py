"""The tables of a journal: records sealed in a chain (study/journal/chain.py), and how far its followers have come.

Journals of before have no seals. They are read as they are, every field of every event checked; the first that opens
one for writing seals it, from its first record on, so that from then on all of it is watched over, old and new alike.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodc.adapters.journal_file import APPLICATION_ID, damaged, explained, transaction
from autodc.study.journal.chain import START, seal

if TYPE_CHECKING:
    from autodc.study.journal.events import Event

Reading = Callable[[], AbstractContextManager[sqlite3.Connection | None]]
IDENTITY = "journal"
_PAGE_OF_EVENTS = 500
_EVENTS = """CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY, kind TEXT NOT NULL, version INTEGER NOT NULL,
    payload TEXT NOT NULL, written REAL NOT NULL, seal BLOB NOT NULL)"""
_CURSORS = "CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, position INTEGER NOT NULL, extra TEXT NOT NULL)"
_INSERT = "INSERT INTO events (position, kind, version, payload, written, seal) VALUES (?,?,?,?,?,?)"
_RECORD = "position, CAST(kind AS BLOB), version, CAST(payload AS BLOB), written"
LONE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a follower of the journal has come."""

    position: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What it needs to go on, as JSON."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a journal."""

    position: int = 0
    seal: bytes = START


def encode(value: Any) -> str:
    """Write a payload as JSON text; numpy numbers and arrays become plain ones, NaN and infinity stay as they are.

    What no text file can hold (a byte of a file's name that is no UTF-8) is spelled out.
    """
    text = _ENCODER.encode(value)
    return LONE.sub(lambda lone: f"\\\\u{ord(lone[0]):04x}", text)


def prepare(writer: sqlite3.Connection, path: Path) -> Head:
    """Make the tables where they are missing, seal a journal of before, and return the last record.

    Raises SurroundingsError ADC-JRNL-007 where a journal of before cannot be sealed: nothing is changed then.
    """
    with transaction(writer):
        if has_table(writer) and not _is_sealed(writer):
            _seal_all(writer, path)
        writer.execute(_EVENTS)
        writer.execute(_CURSORS)
        writer.execute("INSERT OR IGNORE INTO cursors VALUES (?, 0, ?)", (IDENTITY, encode({"id": uuid.uuid4().hex})))
        writer.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    found = writer.execute("SELECT position, CAST(seal AS BLOB) FROM events ORDER BY position DESC LIMIT 1").fetchone()
    return Head() if found is None else Head(found[0], bytes(found[1]))


def append(writer: sqlite3.Connection, head: Head, records: Sequence[tuple[str, int, str]]) -> Head:
    """Write these behind the last record, all or none, and return what is the last record now.

    records: kind, version and payload each.
    """
    rows, now = [], time.time()
    for kind, version, payload in records:
        position = head.position + 1
        head = Head(position, seal(head.seal, position, kind, version, now, payload))
        rows.append((position, kind, version, payload, now, head.seal))
    with transaction(writer):
        writer.executemany(_INSERT, rows)
    return head


def read(path: Path, reading: Reading, after: int) -> Iterator[tuple[int, Event]]:
    """Yield (position, event) beyond `after`, in pages.

    Raises SurroundingsError ADC-JRNL-007 at the first record that is not as it was written, is missing, or is no event.
    """
    from autodc.adapters.journal_record import event_of  # every kind of event comes with it: cursors do without

    before: bytes | None = START if after == 0 else None
    while True:
        with reading() as side, explained(path):
            rows, sealed = _page(side, after)
            if rows and sealed and before is None:  # NULL where the page before was read unsealed
                before = _seal_of(side, after)
        for position, kind, version, payload, written, found in rows:
            if position != after + 1:
                raise damaged(path, f"event {position} after event {after}")
            event = event_of(path, (position, kind, version, payload, written), before if sealed else None, found)
            after, before = position, found
            yield position, event
        if len(rows) < _PAGE_OF_EVENTS:
            return


def last(side: sqlite3.Connection | None) -> int:
    """The position of the last record, 0 where there is none."""
    if side is None or not has_table(side):
        return 0
    (found,) = side.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()
    return int(found)


def has_table(side: sqlite3.Connection | None, name: str = "events") -> bool:
    """Whether the file has a table of that name."""
    if side is None:
        return False
    return side.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone() is not None


def cursors(side: sqlite3.Connection | None, beginning: str) -> list[tuple[str, Cursor]]:
    """The followers whose names begin so, by name."""
    if side is None or not has_table(side, "cursors"):
        return []
    rows = side.execute("SELECT name, position, extra FROM cursors ORDER BY name").fetchall()
    return [(name, _cursor_of(position, extra)) for name, position, extra in rows if name.startswith(beginning)]


def set_cursor(side: sqlite3.Connection | None, name: str, position: int, extra: Mapping[str, Any] | None) -> None:
    """Remember durably how far a follower has come."""
    if side is None:
        raise ValueError("a cursor needs a journal with events")
    with transaction(side):
        side.execute(
            "INSERT INTO cursors VALUES (?,?,?) ON CONFLICT (name) DO UPDATE"
            " SET position = excluded.position, extra = excluded.extra",
            (name, position, encode(extra or {})),
        )


def _page(side: sqlite3.Connection | None, after: int) -> tuple[list[tuple[Any, ...]], bool]:
    """The next records, and whether they are sealed."""
    if side is None or not has_table(side):
        return [], False
    side.execute("BEGIN")  # one view of the file: a writer may seal it between two statements
    try:
        sealed = _is_sealed(side)
        found = "seal" if sealed else "NULL"
        query = f"SELECT {_RECORD}, {found} FROM events WHERE position > ? ORDER BY position LIMIT ?"
        return side.execute(query, (after, _PAGE_OF_EVENTS)).fetchall(), sealed
    finally:
        if side.in_transaction:
            side.execute("COMMIT")


def _is_sealed(side: sqlite3.Connection) -> bool:
    return any(name == "seal" for _, name, *_ in side.execute("PRAGMA table_info(events)"))


def _seal_of(side: sqlite3.Connection | None, position: int) -> bytes:
    assert side is not None
    found = side.execute("SELECT CAST(seal AS BLOB) FROM events WHERE position = ?", (position,)).fetchone()
    return b"" if found is None else bytes(found[0])


def _seal_all(writer: sqlite3.Connection, path: Path) -> None:
    """Seal every record of a journal of before, each of them checked."""
    from autodc.adapters.journal_record import event_of

    writer.execute("ALTER TABLE events RENAME TO unsealed")
    writer.execute(_EVENTS)
    head = Head()
    for record in writer.execute(f"SELECT {_RECORD} FROM unsealed ORDER BY position").fetchall():
        position, kind, version, payload, written = record
        if position != head.position + 1:
            raise damaged(path, f"event {position} after event {head.position}")
        event_of(path, record, before=None, found=None)
        kind, payload = kind.decode(), payload.decode()
        head = Head(position, seal(head.seal, position, kind, version, written, payload))
        writer.execute(_INSERT, (position, kind, version, payload, written, head.seal))
    writer.execute("DROP TABLE unsealed")


def _cursor_of(position: int, extra: str) -> Cursor:
    try:
        found = json.loads(extra)
    except ValueError:
        found = None
    return Cursor(position=position, extra=found) if isinstance(found, dict) else Cursor()


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} has no place in the journal")


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=_plain)
"""Made once: every event is written by it."""
