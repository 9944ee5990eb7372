"""What is seen while a study runs, and how it is asked to stop."""

from __future__ import annotations

import datetime
import math
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self, final

from rich.console import Console
from rich.live import Live
from rich.progress import Progress, TaskID
from rich.table import Table

from autodc.errors import SpecError
from autodc.report import views
from autodc.study.state import State

_REDRAW = 0.25


@final
class Display:
    """Round, phase, trials, kept, time left: a live panel on a terminal, a line for each turn elsewhere."""

    def __init__(self, name: str) -> None:
        self._name, self._console = name, Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True) if sys.stderr.isatty() else None
        self._drawn = 0.0
        self._told: tuple[Any, ...] = ()
        self._verdicts = 0
        self._moves = 0
        self._begun = time.monotonic()

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
        self._console.print(f"[dim]{self._clock()}[/dim]  {words}")

    def update(self, state: State) -> None:
        """Show where the study is."""
        for test in state.tests[self._verdicts :]:
            if test.verdict is None:
                break
            self._verdicts += 1
            self.say(f"{test.verdict}: {test.subject} ({views.PURPOSES[test.purpose]})")
        for move in state.moves[self._moves :]:
            self._moves += 1
            self.say(f"new incumbent in round {move.round}, with {', '.join(state.kept) or 'the base alone'}")
        turn = (state.round, state.phase)
        if turn != self._told:
            self._told = turn
            self.say(_turn(state))
        if self._live is not None and time.monotonic() - self._drawn > _REDRAW:
            self._drawn = time.monotonic()
            self._live.update(self._panel(state), refresh=True)

    def _panel(self, state: State) -> Table:
        now = views.status(state)
        trainings, left = now["trainings"], now["seconds_left"]
        table = Table.grid(padding=(0, 2))
        table.add_row("study", self._name)
        table.add_row("round", f"{now['round']} of {now['rounds']}, {_PHASES.get(now['phase'], now['phase'])}")
        if now["testing"]:
            table.add_row("testing", now["testing"]["subject"])
        most = f" of at most {trainings['budget']:g}" if trainings["budget"] is not None else ""
        failed = f", {trainings['failed']} failed" if trainings["failed"] else ""
        table.add_row("trainings", f"{trainings['done']} done{most}, {trainings['under_way']} under way{failed}")
        table.add_row("kept so far", ", ".join(now["kept"]) or "nothing")
        table.add_row("time", f"{duration(time.monotonic() - self._begun)} gone, at most {duration(left)} left")
        return table

    def _clock(self) -> str:
        return duration(time.monotonic() - self._begun).rjust(6)


@final
class Bar:
    """A bar for what can be counted, on a terminal; elsewhere a line when something else is begun."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
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


_PHASES = {
    "calibration": "measuring the noise of the start",
    "search": "searching mixtures and hyperparameters",
    "gate": "testing what the search proposes",
    "sweep": "testing what the search left out",
    "credit": "measuring what data and settings did",
    "test": "measuring start against end with fresh seeds",
}


def _turn(state: State) -> str:
    assert state.spec is not None
    words = _PHASES.get(state.phase, state.phase)
    if state.phase == "calibration":
        return words
    return f"round {state.round} of {state.spec.loop.rounds}: {words} ({len(state.trials)} trainings so far)"


def duration(seconds: float | None) -> str:
    """Seconds as a person says them."""
    if seconds is None:
        return "?"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


@final
class Stop:
    """Turns the first Ctrl-C or SIGTERM into a wish to stop; the second Ctrl-C ends at once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._asked = say, False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __call__(self) -> bool:
        """Whether to stop."""
        return self._asked

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._asked = True
        self._say("stopping: what is under way will be trained again on resume")


def until_time(text: str | None) -> float:
    """Read HH:MM as the Unix time at which it is next that time of day; infinite where it is not given."""
    if text is None:
        return math.inf
    try:
        wanted = datetime.time.fromisoformat(text)
    except ValueError as error:
        raise SpecError("ADC-RUN-006", "not a time of day", "--until", repr(text), "give HH:MM, as in 06:30") from error
    now = datetime.datetime.now()
    then = datetime.datetime.combine(now.date(), wanted)
    return (then if then > now else then + datetime.timedelta(days=1)).timestamp()
