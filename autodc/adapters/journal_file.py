"""The SQLite file under a journal: connecting to it, and what it says when it is refused or broken."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autodc.errors import SurroundingsError

APPLICATION_ID = 0x61646331
"""`adc1`, read by `file` and by us."""

JOURNAL = "journal.sqlite"
"""Its name in the folder of a study."""
_LONGEST = 200
_PRIVATE_FILE = 0o600
_BUSY_SECONDS = 30.0
_BROKEN = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_FORMAT", "SQLITE_MISMATCH", "SQLITE_ERROR")
"""Beginnings of what SQLite calls a file that is not what we wrote; anything else it says of disks and locks."""


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open the file. mode: as in SQLite's addresses."""
    uri = f"{path.as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS)


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """Prefer read-write with writes forbidden: it tidies the WAL files away, which a read-only connection cannot."""
    for mode in ("rw", "ro", "ro&immutable=1"):
        connection = connect(path, mode)
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


def check_kind(path: Path) -> None:
    """Raise SurroundingsError ADC-JRNL-007 where there is something, and no ordinary file."""
    if not path.is_file():
        raise damaged(path, "a folder" if path.is_dir() else "no ordinary file")


def check_application(connection: sqlite3.Connection, path: Path) -> None:
    """Raise SurroundingsError ADC-JRNL-007 where another program wrote the file."""
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and found != APPLICATION_ID:
        connection.close()
        raise damaged(path, "a SQLite file of another program")


def make_private(path: Path) -> None:
    """Make the empty file that only its owner may read; what SQLite lays beside it has the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, _PRIVATE_FILE))
    except OSError as error:
        raise refused(path, error) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say what SQLite says in our words: ADC-JRNL-007 of a broken file, ADC-JRNL-001 of anything else."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        if isinstance(error, sqlite3.ProgrammingError):
            raise
        name = getattr(error, "sqlite_errorname", "")
        broken = name.startswith(_BROKEN) or not name  # Python names none for text that is no UTF-8
        raise (damaged(path, str(error)) if broken else refused(path, error)) from error


def refused(path: Path, error: Exception) -> SurroundingsError:
    """The disk, or who may use it, is in the way."""
    return SurroundingsError(
        "ADC-JRNL-001",
        "the journal cannot be written or read",
        place=str(path),
        got=str(error),
        hint="see that the disk has room, works and may be written to, then give the same command again",
    )


def damaged(path: Path, got: str) -> SurroundingsError:
    """The file is not what was written."""
    return SurroundingsError(
        "ADC-JRNL-007",
        "this is not a journal, or it is damaged",
        place=str(path),
        got=got if len(got) <= _LONGEST else f"{got[:_LONGEST]} …",
        hint="restore it from a copy, or give another --out",
    )
