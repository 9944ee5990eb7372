"""That what a study relies on is on the disk before it goes on, as the system calls of a whole run say (strace)."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from autodc.adapters.journal import JOURNAL
from autodc.files import UNFINISHED
from benchmarks.chaos.studies import Study, written

CALLS = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2"
OF_A_FILE = re.compile(r"\b(write|pwrite64|fsync|fdatasync)\(\d+<([^>]+)>")
OF_NAMES = re.compile(r"\brename(?:at|at2)?\(.*?\"([^\"]+)\".*?\"([^\"]+)\"")
WAL = f"{JOURNAL}-wal"


@dataclass
class Synced:
    """What the calls of a run say."""

    traced: bool = False
    commits: int = 0
    """Appends of the journal."""
    syncs: int = 0
    """Of its log."""
    renamed: int = 0
    """Files and folders that were written whole under another name."""
    pragma: int = 0
    """`synchronous` of the journal, 2 is FULL."""
    problems: list[str] = field(default_factory=list)


def synced(folder: Path) -> Synced:
    """Run a study and look at what it wrote, synced and renamed, and in which order."""
    study, found = written(folder, "opened"), Synced(pragma=_pragma(folder / "pragma"))
    if found.pragma != 2:
        found.problems.append(f"synchronous is {found.pragma}")
    out, log = folder / "out", folder / "calls"
    if not _may_trace(folder) or not _traced(study, out, log, found):
        return found
    with log.open(errors="replace") as lines:
        read(lines, str(out), found)
    with closing(sqlite3.connect(out / JOURNAL)) as journal:
        (found.commits,) = journal.execute("SELECT count(DISTINCT written) FROM events").fetchone()
    if found.syncs < found.commits:
        found.problems.append(f"{found.commits} appends, {found.syncs} syncs of the log")
    return found


def _pragma(folder: Path) -> int:
    """How the journal's own connections sync; SQLite is asked as the product left it."""
    from autodc.adapters.journal import SqliteJournal
    from autodc.study.journal.events import PhaseStarted

    journal = SqliteJournal(folder / JOURNAL)
    journal.append([PhaseStarted(round=1, phase="search", planned=1)])
    try:
        asked = [one.execute("PRAGMA synchronous").fetchone()[0] for one in (journal._writer, journal._side) if one]
    finally:
        journal.close()
    return min(asked)


def _may_trace(folder: Path) -> bool:
    strace = shutil.which("strace")
    return strace is not None and not subprocess.run([strace, "-o", folder / "try", "true"], check=False).returncode


def _traced(study: Study, out: Path, log: Path, found: Synced) -> bool:
    (words,) = study.commands(out)
    calls = ["strace", "-f", "-qq", "-y", "-s", "0", "-e", f"trace={CALLS}", "-o", str(log)]
    program = [sys.executable, "-c", "from autodc.cli.main import main; main()", *words]
    done = subprocess.run([*calls, *program], check=False, capture_output=True, text=True)
    if done.returncode:
        found.problems.append(f"traced: exit {done.returncode}: {done.stderr[-2000:]}")
    found.traced = done.returncode == 0
    return found.traced


def read(lines: Iterable[str], out: str, found: Synced) -> None:
    """Go through the calls that concern a folder in their order."""
    unsynced, unnamed = set[str](), set[str]()
    for line in lines:
        if (call := OF_A_FILE.search(line)) and call[2].startswith(out):
            name, path = call.groups()
            if "sync" in name:
                unsynced.discard(path)
                unnamed.discard(path)
                found.syncs += path.endswith(WAL)
                continue
            if path.endswith(WAL) and unnamed:
                found.problems.append(f"the journal goes on before the disk has the names in {sorted(unnamed)}")
                unnamed.clear()
            unsynced.add(path)
        elif (names := OF_NAMES.search(line)) and names[1].startswith(out) and UNFINISHED in names[1]:
            found.renamed += 1
            left = [path for path in unsynced if path == names[1] or path.startswith(f"{names[1]}/")]
            if left:
                found.problems.append(f"{names[2]} has its name before the disk has {left}")
            unnamed.add(str(Path(names[2]).parent))
