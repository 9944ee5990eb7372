"""What `autodc status` costs on a long journal, beside reading the whole journal each time.

    python -m benchmarks.status                     # writes benchmarks/results/status.md
    python -m benchmarks.status --events 20000 --turns 3

The journal is the large study of `benchmarks.report`, drawn out to so many events. The command is timed as a person
sees it, from the start of Python to its end, in three folders: as a run leaves it when it stops by itself or is
stopped, as a run under way leaves it (its summary is some hundred events behind), and as a power cut leaves it
(without a summary: it is read whole once, and kept). Beside it stand a Python that only imports what any verb needs,
and the same journal read whole.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.report import Night
from benchmarks.tables import table

RESULTS = Path(__file__).parent / "results" / "status.md"
EVENTS, TURNS, BATCH, BEHIND = 100_000, 5, 500, 300
MOST_SECONDS = 0.5
COMMAND = "import sys; sys.argv = ['autodc', 'status', sys.argv[1], '--json']; from autodc.cli import main; main()"
WHOLE = "import sys; from autodc.review.status import status; from autodc.verbs.folder import open_state; "
WHOLE += "status(open_state(sys.argv[1]))"
FLOOR = "import click, rich.console, rich.table, sqlite3; from autodc.cli import main"


class _Nothing:
    """A store that keeps nothing."""

    def put(self, arrays: object) -> str:
        return "a"


def write_journal(folder: Path, events: int) -> int:
    """The journal of a large study in a folder; how many events it has."""
    from autodc.adapters.journal import JOURNAL, SqliteJournal

    night = Night(events // 2 - 200, _Nothing(), np.zeros((20, 4, 4), np.uint8))
    journal = SqliteJournal(folder / JOURNAL)
    for first in range(0, len(night.events), BATCH):
        journal.append(night.events[first : first + BATCH])
    journal.close()
    return len(night.events)


def summarise(folder: Path, behind: int) -> None:
    """Keep the summary as a run does, some events before the last."""
    from autodc.adapters.journal import JOURNAL, open_for_following
    from autodc.review.status import status
    from autodc.verbs.folder import open_state
    from autodc.verbs.summary import NAME

    with open_for_following(folder / JOURNAL) as journal:
        extra = {"time": time.time(), "status": status(open_state(folder))}
        journal.set_cursor(NAME, journal.last - behind, extra)


def timed(program: str, folder: Path, turns: int, before: Callable[[], None] = lambda: None) -> list[float]:
    """Seconds of a program, from its start to its end."""
    told = []
    for _ in range(turns):
        before()
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", program, str(folder)], check=True, stdout=subprocess.DEVNULL)
        told.append(time.perf_counter() - began)
    return told


def looks(folder: Path, turns: int) -> list[float]:
    """Seconds of a look of `--watch` after the first, with so many new events."""
    from autodc.adapters.journal import JOURNAL, SqliteJournal
    from autodc.study.journal.events import SessionStarted
    from autodc.verbs.folder import Follower

    told = []
    with Follower(folder) as follower:
        follower.look()
        journal = SqliteJournal(folder / JOURNAL)
        for _ in range(turns):
            journal.append([SessionStarted(slots=2, machine={})] * 10)
            began = time.perf_counter()
            follower.look()
            told.append(time.perf_counter() - began)
        journal.close()
    return told


def main() -> None:
    """Write the journal and the figures."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--events", type=int, default=EVENTS)
    told.add_argument("--turns", type=int, default=TURNS)
    asked = told.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        whole, cut = Path(scratch) / "whole", Path(scratch) / "cut"
        whole.mkdir()
        events = write_journal(whole, asked.events)
        shutil.copytree(whole, cut)
        summarise(whole, 0)
        rows = {
            "it stopped": timed(COMMAND, whole, asked.turns),
            "it runs": timed(COMMAND, whole, asked.turns, lambda: summarise(whole, BEHIND)),
            "after a power cut, the first time": timed(COMMAND, cut, 1),
            "after a power cut, then": timed(COMMAND, cut, asked.turns),
            "the journal read whole": timed(WHOLE, cut, max(2, asked.turns // 2)),
            "Python and what any verb imports": timed(FLOOR, whole, asked.turns),
        }
        again = looks(whole, asked.turns)
    base = statistics.median(rows["the journal read whole"])
    lines = [
        [name, f"{statistics.median(t):.2f}", f"{min(t):.2f} – {max(t):.2f}", f"{base / statistics.median(t):.1f}"]
        for name, t in rows.items()
    ]
    text = f"""# What `autodc status` costs

`python -m benchmarks.status` on {platform.machine()}, {os.cpu_count()} cores, load {load:.1f} before it began; Python
{platform.python_version()}. A journal of {events:,} events; seconds of the whole command, of {asked.turns} turns the
median and the range. At most {MOST_SECONDS:g} s is asked for. Last column: how many times as long reading the whole
journal takes.

{table(["`autodc status --json`", "seconds", "range", "of the whole journal"], lines)}

A look of `--watch` that finds ten new events takes {1e3 * statistics.median(again):.1f} ms; the first one reads all.
"""
    if asked.events == EVENTS:
        RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
