"""Pauses a run under way, lets it go on, and changes how many trainings it does at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from autodc.adapters.control import Control, Wish
from autodc.adapters.journal import JOURNAL, JournalReader, at_work, open_for_reading
from autodc.errors import InputError
from autodc.study.journal.events import SlotsSet
from autodc.verbs.folder import refuse_no_study
from autodc.verbs.summary import status_of

PATIENCE = 15.0
"""Seconds in which a run usually looks at what is asked; one that thinks about what to train next may take longer."""
LOOK = 0.1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ControlResult:
    """What came of it."""

    running: bool | None
    """Whether a run is under way in the folder; None where it cannot be told: it is on another machine."""
    answered: bool
    """Whether the run has taken it up."""
    paused: bool
    slots: int | None
    """Trainings at once; None where the run has not said."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {name: getattr(self, name) for name in self.__slots__}


def pause(folder: str | os.PathLike[str], patience: float = PATIENCE) -> ControlResult:
    """Begin no training until `resume`; what runs comes to its end.

    Where nothing runs, the next run begins paused. Raises InputError ADC-RUN-080 where the study is finished.
    """
    return _asked(Path(folder), lambda control: control.ask(paused=True), patience)


def resume(folder: str | os.PathLike[str], patience: float = PATIENCE) -> ControlResult:
    """Let a paused run go on."""
    return _asked(Path(folder), lambda control: control.ask(paused=False), patience)


def slots(folder: str | os.PathLike[str], count: int, patience: float = PATIENCE) -> ControlResult:
    """Train so many at once, for as long as this run lasts.

    Raises InputError ADC-RUN-081 where nothing runs, 082 where the run has no room for so many or cannot be resized.
    """
    path = Path(folder)
    refuse_no_study(path)
    if at_work(path) is False:
        hint = "start the run and ask again, or set max_concurrent in the machine file"
        raise InputError("ADC-RUN-081", "nothing runs in this folder", str(path), "", hint)
    return _asked(path, lambda control: control.ask(slots=count), patience)


def _asked(path: Path, ask: Callable[[Control], Wish], patience: float) -> ControlResult:
    refuse_no_study(path)
    running, control = at_work(path), Control(path)
    if running is False and status_of(path)["finished"]:
        raise InputError("ADC-RUN-080", "the study is finished: nothing is left to pause", str(path))
    before = control.wish()
    with open_for_reading(path / JOURNAL) as journal:
        last = journal.last
        wish = ask(control)
        answer = None if running is False else _answer(journal, last, wish, patience)
    if answer is None:
        return ControlResult(running=running, answered=False, paused=wish.paused, slots=None)
    if answer.refused:
        control.write(before)
        raise InputError("ADC-RUN-082", f"the run refuses: {answer.refused}", str(path))
    return ControlResult(running=True, answered=True, paused=answer.paused, slots=answer.slots)


def _answer(journal: JournalReader, last: int, wish: Wish, patience: float) -> SlotsSet | None:
    """What the run says to a wish; None where it does not within the time."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        for position, event in journal.read(last):
            last = position
            if isinstance(event, SlotsSet) and event.asked == wish.id:
                return event
        time.sleep(LOOK)
    return None
