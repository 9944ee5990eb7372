"""What is seen while a study runs, and how it is asked to stop."""

from __future__ import annotations

import contextlib
import datetime
import math
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection
from types import FrameType, TracebackType
from typing import Any, Self, final

from rich.live import Live
from rich.progress import Progress, TaskID
from rich.table import Table
from rich.text import Text

from autodc.cli.alarms import tell
from autodc.cli.terminal import duration, talk
from autodc.errors import INTERRUPTED, SpecError
from autodc.review import actions, notices, status
from autodc.review.numbers import count
from autodc.review.wording import PURPOSES, time_left, under_way
from autodc.study.journal.records import Session
from autodc.study.journal.state import State

_REDRAW = 0.25


@final
class Display:
    """Round, phase, trials, kept, time left: a live panel on a terminal, a line for each turn elsewhere."""

    def __init__(self, name: str) -> None:
        self._name, self._console = name, talk()
        self._live = Live(console=self._console, auto_refresh=False, transient=True) if sys.stderr.isatty() else None
        self._drawn = 0.0
        self._told: tuple[Any, ...] = ()
        self._verdicts = 0
        self._moves = 0
        self._settled = 0
        self._alarmed: set[str] = set()
        self._horizon = 0
        self._failing: set[str] = set()
        self._begun = time.monotonic()
        self._pausing: tuple[bool, int] | None = None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Clear the panel. Safe to call twice."""
        if self._live is not None and self._live.is_started:
            self._live.stop()

    def say(self, words: str) -> None:
        """Print one line above the panel."""
        self._console.print(Text.assemble((self._clock(), "dim"), f"  {words}"))

    def update(self, state: State) -> None:
        """Show where the study is."""
        for comparison in state.comparisons[self._verdicts :]:
            if comparison.verdict is None:
                break
            self._verdicts += 1
            self.say(f"{comparison.verdict}: {comparison.subject} ({PURPOSES[comparison.purpose]})")
        for move in state.moves[self._moves :]:
            self._moves += 1
            self.say(f"new incumbent in round {move.round}, with {', '.join(state.kept) or 'the base alone'}")
        if state.failures and state.horizon != self._horizon:
            self._horizon = state.horizon
            for kind, words in status.failing_words(state).items():
                if kind not in self._failing:
                    self._failing.add(kind)
                    self.say(words)
        if len(state.proposed) != self._settled:
            self._settled = len(state.proposed)
            for words in actions.sentences(state, state.round)[:1]:
                self.say(f"next: {words}")
        if state.sessions:
            self._tell_slots(state.sessions[-1])
        turn = (state.round, state.phase)
        if turn != self._told:
            self._told = turn
            alarms = [words for words in notices.alarms(state) if words not in self._alarmed]
            self._alarmed |= set(alarms)
            tell(alarms, self._console)
            self.say(status.doing(state))
        if self._live is not None and time.monotonic() - self._drawn > _REDRAW:
            self._drawn = time.monotonic()
            self._live.update(self._panel(state), refresh=True)

    def _tell_slots(self, session: Session) -> None:
        """Say what a person asked for meanwhile: a pause, more or fewer trainings at once."""
        now, before = (session.paused is not None, session.slots), self._pausing
        self._pausing = now
        if before is None or before[0] != now[0]:
            if now[0]:
                self.say("paused: what runs comes to its end, nothing begins; `autodc resume DIR` lets it go on")
            elif before is not None:
                self.say("going on")
        if before is not None and before[1] != now[1]:
            self.say(f"{count(now[1], 'training')} at once from now on, {before[1]} before")

    def _panel(self, state: State) -> Table:
        now = status.status(state)
        trainings = now["trainings"]
        table = Table.grid(padding=(0, 2))
        table.add_row("study", self._name)
        doing = now["doing"]
        table.add_row("round", f"{now['round']} of {now['rounds']}, {doing}" if now["round"] else doing)
        if now["testing"]:
            table.add_row("comparing", now["testing"]["subject"])
        most = f" of at most {trainings['budget']:g}" if trainings["budget"] is not None else ""
        failed = f", {trainings['failed']} failed" if trainings["failed"] else ""
        table.add_row("trainings", f"{trainings['done']} done{most}, {under_way(now)}{failed}")
        table.add_row("kept so far", ", ".join(now["kept"]) or "nothing")
        table.add_row("time", f"{duration(time.monotonic() - self._begun)} gone, {time_left(now['time_left'])}")
        return table

    def _clock(self) -> str:
        return duration(time.monotonic() - self._begun).rjust(6)


@final
class Bar:
    """A bar for what can be counted, on a terminal; elsewhere a line when something else is begun."""

    def __init__(self) -> None:
        self._console = talk()
        self._bar = Progress(console=self._console, transient=True, disable=not sys.stderr.isatty())
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, words: str) -> None:
        """Print one line above the bar."""
        self._console.print(words)

    def update(self, what: str, done: int, total: int) -> None:
        """Show how far it is."""
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(what, total=total)
            if self._bar.disable:
                self.say(f"{what} ({total - done} to go)")
        self._bar.update(self._tasks[what], completed=done, total=total)


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks a run to stop: Ctrl-C, `kill`, a terminal that goes away. What nohup has made ignored stays so."""

LONGEST_STOP = 4.0
"""Seconds a run has to stop by itself before it is ended: its journal is whole at any moment."""


@final
class Stop:
    """Turns the first Ctrl-C, SIGTERM or SIGHUP into a wish to stop.

    Where that is not met in time, and at the second Ctrl-C, it ends the process.

    leave: called before it is ended where the wish was not met: says the last words.
    """

    def __init__(self, say: Callable[[str], None], leave: Callable[[], None] = lambda: None) -> None:
        self._say, self._leave, self._asked = say, leave, False
        self._before: dict[int, Any] = {}
        self._over = threading.Event()

    def __enter__(self) -> Self:
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __call__(self) -> bool:
        """Whether to stop."""
        return self._asked

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            return
        self._asked = True
        threading.Thread(target=self._insist, name="stop", daemon=True).start()
        with contextlib.suppress(OSError, RuntimeError):
            self._say("stopping: what is under way will be trained again on resume")

    def _insist(self) -> None:
        if not self._over.wait(LONGEST_STOP):
            try:
                self._leave()
            finally:
                os._exit(INTERRUPTED)


JUST_PASSED = 4 * 3600.0
"""A time of day that passed less than so many seconds ago is not meant to be that of tomorrow."""

_MOMENT = re.compile(r"(?:(\d{4}-\d{2}-\d{2})[Tt ])?(\d{1,2}):(\d{2})(?::(\d{2}))? ?([Zz]|[+-]\d{2}:?\d{2})?", re.ASCII)
_FORMS = "give HH:MM, as in 06:30, or a date and time, as in 2026-11-27T06:30 or 2026-11-27T06:30+02:00"


def until_time(text: str | None, known: Callable[[], Collection[float]] = tuple, now: float | None = None) -> float:
    """Read a time of day or a date and time as Unix time; infinite where it is not given.

    A time of day is the next one, without a zone that of this machine. One that has passed is over where it was
    already asked for in this folder (known): the study is to end now. Raises SpecError ADC-RUN-006 for what is no time,
    071 for one that has passed, a time of day within the last hours.
    """
    if text is None:
        return math.inf
    moment = datetime.datetime.fromtimestamp(time.time() if now is None else now).astimezone()
    try:
        date, clock, zone = _parts(text.strip())
        day = date or moment.astimezone(zone).date()
        then, later = (_at(day + datetime.timedelta(days=n), clock, zone) for n in (0, 1))
    except (ValueError, OverflowError) as error:
        raise SpecError("ADC-RUN-006", "not a time of day", "--until", repr(text), _FORMS) from error
    passed = moment.timestamp() - then.timestamp()
    if date is None and passed >= JUST_PASSED:
        return later.timestamp()
    if passed >= 0 and not any(abs(then.timestamp() - k) < 1 for k in known()):
        hint = "give a time that is still to come"
        if date is None:
            hint = f"for tomorrow give the date too: --until {later.isoformat(timespec='minutes')}"
        raise SpecError("ADC-RUN-071", "this time has passed", "--until", f"{text!r}, {duration(passed)} ago", hint)
    return then.timestamp()


def _parts(text: str) -> tuple[datetime.date | None, datetime.time, datetime.tzinfo | None]:
    """Date, time of day and zone, where they are given. Raises ValueError for anything else."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(text)
    day, hour, minute, second, zone = found.groups()
    date = None if day is None else datetime.date.fromisoformat(day)
    clock = datetime.time(int(hour), int(minute), int(second or 0))
    if zone is None:
        return date, clock, None
    sign, hours, minutes = (1, "0", "0") if zone.upper() == "Z" else (-1 if zone[0] == "-" else 1, zone[1:3], zone[-2:])
    return date, clock, datetime.timezone(sign * datetime.timedelta(hours=int(hours), minutes=int(minutes)))


def _at(date: datetime.date, clock: datetime.time, zone: datetime.tzinfo | None) -> datetime.datetime:
    """A moment; without a zone by the clock of this machine."""
    there = datetime.datetime.combine(date, clock, zone)
    return there.astimezone() if zone is None else there
