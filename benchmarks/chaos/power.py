"""Power cuts: a journal as a disk has it that was writing, cut at any byte; and that what is relied on was synced.

What a power cut may do to a file is done to copies of the files of a run under way: the write-ahead log of SQLite ends
anywhere, or its end is there and holds zeros; or the database itself was being written from a log that is whole. The
journal must then hold a beginning of what it held, and the same command must go on to the same decisions, or end with
exit 3 and say what is damaged.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import autodc
from autodc.adapters.journal import JOURNAL, SqliteJournal, encode
from autodc.errors import SurroundingsError
from autodc.study.journal.events import Event
from autodc.studyfile.study import MachineSpec
from benchmarks.chaos.compare import OF_WHAT_IS_THERE, essence, events_of
from benchmarks.chaos.studies import Command, Study, written

EVERY = 6
"""A copy is made after every so many turns of the driver."""
MOST = 12
"""Copies of a run."""
SECTOR = 512
HEADER, FRAME = 32, 24
"""Bytes of the header of a write-ahead log, and of that of a page in it."""
WAL = f"{JOURNAL}-wal"


@dataclass
class Cuts:
    """What came of it. opened, went_on: exit code → how often, 0 where all was as it should be."""

    copies: int = 0
    opened: Counter[int] = field(default_factory=Counter)
    went_on: Counter[int] = field(default_factory=Counter)
    checkpoints: int = 0
    """Databases torn in the midst of a checkpoint, with nothing lost."""
    problems: list[str] = field(default_factory=list)


def torn(folder: Path, cuts: int, whole_runs: int, seed: int, say: Callable[[str], object]) -> Cuts:
    """Cut copies of a run at so many places; of some of them, let the command go on to the end."""
    found, rng = Cuts(), np.random.default_rng(seed)
    study = written(folder, "given")
    copies = _copies(study, folder)
    whole = events_of(folder / "calm")
    found.copies = len(copies)
    say(f"{len(copies)} copies of a run of {len(whole)} events")
    to_end = set(rng.choice(cuts, min(whole_runs, cuts), replace=False).tolist())
    for number in range(cuts):
        copy = copies[number % len(copies)]
        offset, zeros = _place(copy, rng), bool(rng.random() < 0.5)
        out = _cut(copy, folder / "cut", offset, zeros)
        code = _opens(out, whole, found, f"{copy.name} cut at {offset}{', zeros behind' if zeros else ''}")
        found.opened[code] += 1
        if number in to_end:
            out = _cut(copy, folder / f"goes-on-{number}", offset, zeros, everything=True)
            found.went_on[_goes_on(study, out, whole, found)] += 1
    for copy in copies:
        found.checkpoints += _half_checkpointed(copy, folder / "checkpoint", rng, found)
    return found


def _copies(study: Study, folder: Path) -> list[Path]:
    """Folders of a run, each as it was between two events."""
    out, copies, turns = folder / "calm", list[Path](), [0]

    def copy(state: object) -> None:
        turns[0] += 1
        if turns[0] % EVERY == 0 and len(copies) < MOST:
            copies.append(Path(shutil.copytree(out, folder / f"copy-{len(copies)}", symlinks=True)))

    autodc.run(autodc.load(study.file), MachineSpec(runner="inline"), out, progress=copy)
    return copies


def _place(copy: Path, rng: np.random.Generator) -> int:
    """A byte of the log: anywhere, or near the edge of a page."""
    size = (copy / WAL).stat().st_size
    if rng.random() < 0.5:
        return int(rng.integers(0, size))
    frame = FRAME + _page((copy / WAL).read_bytes())
    edge = HEADER + frame * int(rng.integers(0, (size - HEADER) // frame + 1))
    return int(np.clip(edge + rng.integers(-2, 3), 0, size - 1))


def _cut(copy: Path, out: Path, offset: int, zeros: bool, everything: bool = False) -> Path:
    """A copy of the journal, or of everything, whose log is cut. zeros: it is as long as it was."""
    shutil.rmtree(out, ignore_errors=True)
    if everything:
        shutil.copytree(copy, out, symlinks=True)
    else:
        out.mkdir()
        for name in (JOURNAL, WAL):
            shutil.copy(copy / name, out / name)
    (out / f"{JOURNAL}-shm").unlink(missing_ok=True)
    content = (out / WAL).read_bytes()
    (out / WAL).write_bytes(content[:offset] + bytes(len(content) - offset) * zeros)
    return out


def _opens(out: Path, whole: list[Event], found: Cuts, what: str) -> int:
    """Open a journal, read it, write the next event behind it: 0, or the exit code of the error that says no."""
    try:
        events = events_of(out)
        if _told(events) != _told(whole[: len(events)]):
            found.problems.append(f"{what}: it holds what was never written")
            return 1
        journal = SqliteJournal(out / JOURNAL)
        journal.append(whole[len(events) : len(events) + 1])
        journal.close()
        if _told(events_of(out)) != _told(whole[: len(events) + 1]):
            found.problems.append(f"{what}: it does not go on behind event {len(events)}")
            return 1
    except SurroundingsError as error:
        return error.exit_code
    return 0


def _goes_on(study: Study, out: Path, whole: list[Event], found: Cuts) -> int:
    """The exit code of the same command; anything but the same decisions is a problem."""
    (words,) = [one for one in study.commands(out) if one[0] == "run"]
    command = Command(words)
    code = command.ended()
    said = command.said()
    if code == 3 and "ADC-" in said:
        return code
    expected, reached = (essence(events, OF_WHAT_IS_THERE) for events in (whole, events_of(out)))
    if difference := said if code else reached.difference(expected):
        found.problems.append(f"{out.name}: exit {code}: {difference}")
        return 1
    return 0


def _half_checkpointed(copy: Path, out: Path, rng: np.random.Generator, found: Cuts) -> bool:
    """Write some pages of the log, and one of them in part, to the database, and see that nothing is lost."""
    before = _told(events_of(_cut(copy, out, (copy / WAL).stat().st_size, zeros=False)))
    _cut(copy, out, (copy / WAL).stat().st_size, zeros=False)
    wal, database = (out / WAL).read_bytes(), bytearray((out / JOURNAL).read_bytes())
    size = _page(wal)
    frames = list(_frames(wal))
    chosen = sorted(rng.choice(len(frames), max(1, len(frames) // 2), replace=False).tolist())
    for number in chosen:
        page, content = frames[number]
        length = size if number != chosen[-1] else SECTOR * int(rng.integers(0, size // SECTOR + 1))
        end = (page - 1) * size + length
        database.extend(bytes(max(0, end - len(database))))
        database[end - length : end] = content[:length]
    (out / JOURNAL).write_bytes(bytes(database))
    if _told(events_of(out)) == before:
        return True
    found.problems.append(f"{copy.name}: torn in a checkpoint, it holds something else")
    return False


def _frames(wal: bytes) -> Iterator[tuple[int, bytes]]:
    """Page number and content of what the log holds."""
    size = _page(wal)
    for at in range(HEADER, len(wal) - FRAME - size + 1, FRAME + size):
        yield int.from_bytes(wal[at : at + 4]), wal[at + FRAME : at + FRAME + size]


def _page(wal: bytes) -> int:
    return int.from_bytes(wal[8:12])


def _told(events: list[Event]) -> list[str]:
    return [encode([event.kind, event.to_dict()]) for event in events]
