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
import resource
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
SHOWN = "import sys; sys.argv = ['autodc', 'status', sys.argv[1]]; from autodc.cli import main; main()"
JSON = SHOWN.replace("argv[1]]", "argv[1], '--json']")
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


def summarise(folder: Path, told: object, behind: int) -> None:
    """Keep a status as a run does, some events before the last."""
    from autodc.adapters.journal import JOURNAL, open_for_following
    from autodc.verbs.summary import NAME

    with open_for_following(folder / JOURNAL) as journal:
        journal.set_cursor(NAME, journal.last - behind, {"time": time.time(), "status": told})


Times = list[tuple[float, float]]


def timed(program: str, folder: Path, turns: int, before: Callable[[], None] = lambda: None) -> Times:
    """Seconds of a program, from its start to its end, and of it on the processor."""
    told = []
    for _ in range(turns):
        before()
        began, used = time.perf_counter(), _used()
        subprocess.run([sys.executable, "-c", program, str(folder)], check=True, stdout=subprocess.DEVNULL)
        told.append((time.perf_counter() - began, _used() - used))
    return told


def _used() -> float:
    """Processor seconds of all programs that ended so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


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


def _median(times: Times, which: int) -> float:
    return statistics.median(one[which] for one in times)


def main() -> None:
    """Write the journal and the figures."""
    from autodc.review.status import status
    from autodc.verbs.folder import open_state

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=EVENTS)
    options.add_argument("--turns", type=int, default=TURNS)
    asked = options.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        whole, cut = Path(scratch) / "whole", Path(scratch) / "cut"
        whole.mkdir()
        events = write_journal(whole, asked.events)
        shutil.copytree(whole, cut)
        told = status(open_state(whole))
        summarise(whole, told, 0)
        rows = {
            "`status --json`, it stopped": timed(JSON, whole, asked.turns),
            "`status`, it stopped": timed(SHOWN, whole, asked.turns),
            "`status --json`, it runs": timed(JSON, whole, asked.turns, lambda: summarise(whole, told, BEHIND)),
            "`status --json`, after a power cut, the first time": timed(JSON, cut, 1),
            "`status --json`, after a power cut, then": timed(JSON, cut, asked.turns),
            "the journal read whole": timed(WHOLE, cut, 2),
            "Python and what any verb imports": timed(FLOOR, whole, asked.turns),
        }
        again = looks(whole, asked.turns)
    base = _median(rows["the journal read whole"], 1)
    lines = [
        [
            name,
            f"{_median(times, 0):.2f}",
            f"{min(times)[0]:.2f} – {max(times)[0]:.2f}",
            f"{_median(times, 1):.2f}",
            f"{_median(times, 1) / base:.3f}",
        ]
        for name, times in rows.items()
    ]
    text = f"""# What `autodc status` costs

`python -m benchmarks.status` on {platform.machine()}, {os.cpu_count()} cores, load {load:.1f} before it began; Python
{platform.python_version()}. A journal of {events:,} events; seconds of the whole command, of {asked.turns} turns the
median and the range, and what of them is on the processor: all of it on a machine that does nothing else. At most
{MOST_SECONDS:g} s is asked for. Last column: processor seconds, as a share of those of the whole
journal.

{table(["command", "seconds", "range", "on the processor", "of the whole journal"], lines)}

A look of `--watch` that finds ten new events takes {1e3 * statistics.median(again):.1f} ms; the first one reads all.
"""
    if asked.events == EVENTS:
        RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
