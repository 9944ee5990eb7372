"""Runs autodc in this process, and ends it by SIGKILL at one event of its journal.

    python -m benchmarks.chaos.axe KIND NUMBER before|after AT PATH WORDS OF AUTODC…

It falls right before or right after the append that holds the NUMBERth event of a KIND. PATH, where it is none of `-`,
is taken away as soon as an event of the kind AT is journalled, as a disk loses files. Every append of every journal
goes through one function, and the axe stands around that.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from autodc.adapters import journal_table
from autodc.adapters.journal_table import Head

AWAY = ".away"


def main() -> None:
    """Wield the axe."""
    kind, number, side, at, path, *words = sys.argv[1:]
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
    sys.argv = ["autodc", *words]
    from autodc.cli.main import main as autodc

    autodc()


def _take_away(path: Path) -> None:
    """A folder for ever, a file until it is put back."""
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.rename(f"{path}{AWAY}")


def _known(writer: sqlite3.Connection, kind: str) -> int:
    (found,) = writer.execute("SELECT count(*) FROM events WHERE kind = ?", (kind,)).fetchone()
    return int(found)


if __name__ == "__main__":
    main()
