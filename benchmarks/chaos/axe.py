"""An axe that ends a run of autodc by SIGKILL at one event of its journal.

Every append of every journal goes through one function, and the axe stands around that, in a process that shall die.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from autodc.adapters import journal_table
from autodc.adapters.journal_table import Head

AWAY = ".away"


def hang(kind: str, number: str, side: str, at: str, path: str) -> None:
    """Let it fall right `before` or right `after` the append that holds the numberth event of a kind.

    at, path: what is taken away as soon as an event of that kind is journalled, as a disk loses files.
    """
    append = journal_table.append

    def axed(writer: sqlite3.Connection, head: Head, records: Sequence[tuple[str, int, str]]) -> Head:
        kinds = [one for one, _, _ in records]
        falls = kind in kinds and _known(writer, kind) + kinds.count(kind) >= int(number)
        if falls and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        head = append(writer, head, records)
        if falls:
            os.kill(os.getpid(), signal.SIGKILL)
        if at in kinds:
            _take_away(Path(path))
        return head

    journal_table.append = axed


def _take_away(path: Path) -> None:
    """A folder for ever, a file until it is put back."""
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.rename(f"{path}{AWAY}")


def _known(writer: sqlite3.Connection, kind: str) -> int:
    (found,) = writer.execute("SELECT count(*) FROM events WHERE kind = ?", (kind,)).fetchone()
    return int(found)
