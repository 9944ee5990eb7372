"""Kills at random moments of real runs, each followed by the same command again, until the study is done."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from autodc.adapters.journal import JOURNAL
from benchmarks.chaos.compare import essence, events_of, trained_again
from benchmarks.chaos.studies import Command, Study, calm, finish, written

STUDIES = ("given", "forked", "cheap", "mined", "grown")
PER_STUDY = 12
"""At most so many kills of one study."""
REACH = 60
"""A kill comes within so many events of the run; a study has some hundred."""
BLIND = 0.2
"""Share of the kills that wait for a time and look at nothing: they come before the first event too."""
BLIND_SECONDS = 4.0
WAVER_SECONDS = 0.02
"""So long at most lies between the event that is waited for and the kill."""
NOTICE = 0.2
"""Share of the kills that are announced as a cloud does for a spot machine: SIGTERM, and SIGKILL after the grace."""
GRACE_SECONDS = 5.0
GLANCE = 0.003
ENDS = (-signal.SIGKILL, -signal.SIGTERM, 130)
"""Exit codes of a run that was killed: it heeds SIGTERM as soon as it has begun to read its command."""


@dataclass
class Killed:
    """What came of it. kills: those announced count too."""

    machine: str
    kills: int = 0
    announced: int = 0
    stopped: int = 0
    """Of the announced, those that had ended by themselves within the grace."""
    studies: int = 0
    same: int = 0
    late: int = 0
    again: int = 0
    problems: list[str] = field(default_factory=list)


def at_random(folder: Path, machine: str, kills: int, seed: int, say: Callable[[str], object]) -> Killed:
    """Kill runs so often, in as many studies as it takes. machine: text of a machine file."""
    found, rng = Killed(machine.splitlines()[0].rpartition(" ")[2]), np.random.default_rng(seed)
    while found.kills < kills and not found.problems:
        place = folder / f"study-{found.studies}"
        name = STUDIES[found.studies % len(STUDIES)]
        quiet = written(place, name, seed=100 * seed + found.studies, seconds=0.01)
        whole = essence(events_of(calm(quiet, place / "calm")))
        (place / "its-machine.yaml").write_text(f"{machine}\n")
        out, study = place / "killed", replace(quiet, machine=place / "its-machine.yaml")
        before = found.kills
        _hunted(study, out, rng, min(PER_STUDY, kills - found.kills), found)
        finish(study, out, found.problems.append)
        if difference := whole.difference(essence(events_of(out))):
            found.problems.append(f"{place}: {difference}")
        late, again = trained_again(out)
        found.late, found.again, found.studies = found.late + late, found.again + again, found.studies + 1
        found.same += not found.problems
        say(f"{name}: {found.kills - before} kills, {'another end' if found.problems else 'the same end'}")
    return found


def _hunted(study: Study, out: Path, rng: np.random.Generator, kills: int, found: Killed) -> None:
    """Kill the first command of a study again and again, until it ends all the same."""
    words, most = study.commands(out)[0], found.kills + kills
    while found.kills < most:
        command = Command(words)
        _wait(command, out, rng)
        announced = rng.random() < NOTICE
        if announced:
            command.signal(signal.SIGTERM)
            command.ended(GRACE_SECONDS)
        stopped = command.code is not None
        command.signal(signal.SIGKILL)
        code = command.ended()
        if code == 0:
            return
        if code not in ENDS:
            found.problems.append(f"{out}: exit {code}: {command.said()}")
            return
        found.kills += 1
        found.announced += announced
        found.stopped += announced and stopped


def _wait(command: Command, out: Path, rng: np.random.Generator) -> None:
    """Wait for a moment by chance, or the end of the run."""
    if rng.random() < BLIND:
        command.ended(rng.uniform(0.0, BLIND_SECONDS))
        return
    goal = _last(out) + int(rng.integers(1, REACH))
    while command.code is None and _last(out) < goal:
        time.sleep(GLANCE)
    command.ended(rng.uniform(0.0, WAVER_SECONDS))


def _last(out: Path) -> int:
    """The position of the last event as somebody beside the run sees it; 0 where there is none."""
    try:
        with closing(sqlite3.connect(f"file:{out / JOURNAL}?mode=ro", uri=True)) as journal:
            return int(journal.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()[0])
    except sqlite3.Error:
        return 0


def row(found: Killed) -> Sequence[object]:
    """A line of the table."""
    stopped = f"{found.stopped} of {found.announced}"
    same = f"{found.same} of {found.studies}"
    return found.machine, found.kills, stopped, same, found.late, found.again
