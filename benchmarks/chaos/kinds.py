"""Kills right before and right after the append of every kind of event, each followed by the same command again."""

from __future__ import annotations

import signal
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autodc.study.journal.events import KINDS
from benchmarks.chaos.axe import AWAY
from benchmarks.chaos.compare import OF_WHAT_IS_THERE, TOLD, Essence, appends, essence, events_of, trained_again
from benchmarks.chaos.studies import Command, Study, calm, written

STUDIES = ("given", "forked", "cheap", "mined", "grown", "opened")
SIDES = ("before", "after")
ELSEWHERE = {
    "BudgetLimited": "says what the clock allows, so no two runs have the same: tests/study/test_clock.py",
    "SlotsSet": "somebody asks for it, and no decision depends on it: tests/cli, tests/adapters/executors",
    "TrialHeldUp": "needs a disk that is full: tests/study/test_driver.py, tests/verbs/test_surroundings.py",
    "WarmStarted": "is journalled with StudyStarted, in one append: tests/verbs/test_warm_start.py",
    "ControlCompared": "needs a kept dataset that stood beside its control by chance: tests/study/test_holding.py",
    "DeliveryRefused": "needs people who deliver while it runs: tests/wire/test_inbox.py",
    "MetricTold": "is told in journals of before alone: tests/journals",
}
"""Kinds that none of the studies here writes: why, and where they are tested."""


@dataclass(frozen=True)
class Point:
    """Where the axe falls. at, path: what is taken away, and at which kind of event (`axe`)."""

    kind: str
    number: int
    side: str
    kinds: frozenset[str]
    """All that this very append is the first or the last of."""
    at: str = "-"
    path: str = "-"

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments of the axe."""
        return self.kind, str(self.number), self.side, self.at, self.path


@dataclass
class Found:
    """What came of it."""

    fell: int = 0
    """How often the axe fell."""
    kills: Counter[str] = field(default_factory=Counter)
    """By the kinds that an append was the first or the last of."""
    missed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    late: int = 0
    again: int = 0
    studies: int = 0
    same: int = 0

    @property
    def unknown(self) -> list[str]:
        """Kinds that were not met here, and of which nobody says where they are."""
        return sorted(set(KINDS) - set(self.kills) - set(ELSEWHERE))


def at_every_kind(folder: Path, say: Callable[[str], object]) -> Found:
    """End runs at every kind of event that the studies write, and where files are lost in the midst."""
    found = Found()
    for name in STUDIES:
        study = written(folder / name, name)
        out = calm(study, folder / name / "calm")
        points = [point for point in _points(out) if point.kinds - set(found.kills)]
        new = set().union(*(point.kinds for point in points)) - set(found.kills)
        say(f"{name}: {len(new)} kinds of event that are new, {len(points)} kills")
        chain(study, folder / name / "killed", essence(events_of(out)), points, found)
    study = Study("given", folder / "given" / "study.yaml", folder / "given" / "machine.yaml")
    whole = essence(events_of(folder / "given" / "calm"), OF_WHAT_IS_THERE)
    for number, (kinds, sides, at, path) in enumerate(_harms(folder / "given")):
        out = folder / "given" / f"harmed-{number}"
        say(f"given, {path.format(out='OUT')} lost in the midst: {len(sides) * len(kinds)} kills")
        points = [Point(kind, 1, side, frozenset({kind}), at, path.format(out=out)) for kind in kinds for side in sides]
        chain(study, out, whole, points, found, OF_WHAT_IS_THERE)
    return found


def _harms(folder: Path) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], str, str]]:
    """The kinds that follow where something is lost, the sides, the kind of event at which it goes, and what."""
    yield ("OutcomeLost", "OutcomeRestored"), SIDES, "ComparisonOpened", "{out}/outcomes"
    for side in SIDES:  # it is back after a kill
        yield ("TestSetUnread",), (side,), "TestSetOpened", str(folder / "data" / "test.npz")


def _points(out: Path) -> list[Point]:
    """Before and after each append that holds the first or the last event of a kind, in the order of the journal.

    Of what only tells what came in, the first alone: runs that go on tell more of it.
    """
    count: Counter[str] = Counter()
    ends: dict[str, dict[int, float]] = {}
    for kind, written_at in appends(out):
        count[kind] += 1
        ends.setdefault(kind, {})[count[kind]] = written_at
    found: dict[float, tuple[str, int, set[str]]] = {}
    for kind, numbers in ends.items():
        for number in {1} if kind in TOLD else {1, count[kind]}:
            found.setdefault(numbers[number], (kind, number, set()))[2].add(kind)
    ordered = [found[at] for at in sorted(found)]
    return [Point(kind, number, side, frozenset(kinds)) for kind, number, kinds in ordered for side in SIDES]


def chain(
    study: Study, out: Path, whole: Essence, points: Sequence[Point], found: Found, without: Sequence[str] = ()
) -> None:
    """End the runs of one folder at one point after the other, then let it finish, and compare.

    without: fields that `whole` leaves out.
    """
    waiting, before = deque(points), len(found.problems)
    for words in study.commands(out):
        while True:
            kinds = Counter(event.kind for event in events_of(out))
            while waiting and kinds[waiting[0].kind] >= waiting[0].number:
                found.missed.append(_words(study, waiting.popleft()))
            point = waiting[0] if waiting else None
            command = Command(words, point.words if point else ())
            code = command.ended()
            if point:
                _put_back(Path(point.path))
            if code == 0:
                break
            if point is None or code != -signal.SIGKILL:
                found.problems.append(f"{_words(study, point)}: exit {code}: {command.said()}")
                return
            waiting.popleft()
            found.kills.update(point.kinds)
            found.fell += 1
            if not (so_far := essence(events_of(out), without)).begins(whole):
                found.problems.append(f"{_words(study, point)}: {so_far.difference(whole)}")
    found.missed += [_words(study, point) for point in waiting]
    if difference := whole.difference(essence(events_of(out), without)):
        found.problems.append(f"{study.name}, at the end: {difference}")
    late, again = trained_again(out)
    found.late += late
    found.again += again
    found.studies += 1
    found.same += len(found.problems) == before


def _words(study: Study, point: Point | None) -> str:
    return f"{study.name}, {point.side} {point.kind} {point.number}" if point else study.name


def _put_back(path: Path) -> None:
    """A file that was taken away is found again; a folder stays lost."""
    away = Path(f"{path}{AWAY}")
    if away.is_file():
        away.rename(path)
