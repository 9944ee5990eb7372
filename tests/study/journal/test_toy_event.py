"""An event that the product does not know, defined from outside: a class and a handler, or a class that is news."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.journal import SqliteJournal, open_for_reading
from autodc.errors import SurroundingsError
from autodc.study.journal import events as ev
from autodc.study.journal import fold as folding
from autodc.study.journal.codec import from_dict
from autodc.study.journal.fold import fold
from autodc.study.journal.shapes import Misfit
from autodc.study.journal.state import State


@pytest.fixture(autouse=True)
def only_here() -> Iterator[None]:
    """What a test registers is gone after it."""
    kinds, handlers = dict(ev.KINDS), dict(folding.HANDLERS)
    yield
    ev.KINDS.clear()
    ev.KINDS.update(kinds)
    folding.HANDLERS.clear()
    folding.HANDLERS.update(handlers)


def doubted() -> type[ev.Event]:
    """A trial is doubted and counts as held up; why is for readers."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class TrialDoubted(ev.Event):
        number: int
        why: tuple[str, ...] = ()

    def held(state: State, event: TrialDoubted) -> None:
        state.held.add(event.number)

    folding.HANDLERS[TrialDoubted] = held
    return TrialDoubted


def told() -> type[ev.Event]:
    """Somebody looked at the page."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class PageSeen(ev.Event):
        news = True
        by: str

    return PageSeen


def written(path: Path, *events: ev.Event) -> list[ev.Event]:
    """What another process reads of a journal with these events."""
    journal = SqliteJournal(path)
    journal.append(events)
    journal.close()
    with open_for_reading(path) as reader:
        return [event for _, event in reader.read()]


def test_an_event_with_a_handler_is_read_back_and_folded(tmp_path: Path) -> None:
    event = doubted()(number=3, why=("it is too good", "🦊"), time=5.0)  # type: ignore[call-arg]
    again = written(tmp_path / "journal.sqlite", event)
    assert again == [event]
    assert fold(again).held == {3}


def test_an_event_that_is_news_is_read_back_and_changes_nothing(tmp_path: Path) -> None:
    event = told()(by="a colleague")  # type: ignore[call-arg]
    again = written(tmp_path / "journal.sqlite", event)
    assert again == [event]
    assert fold(again) == fold([])


def test_an_event_with_neither_is_refused(tmp_path: Path) -> None:
    kind = doubted()
    del folding.HANDLERS[kind]
    with pytest.raises(SurroundingsError, match="event 1, TrialDoubted") as caught:
        fold(written(tmp_path / "journal.sqlite", kind(number=3)))  # type: ignore[call-arg]
    assert caught.value.code == "ADC-JRNL-007"


@pytest.mark.parametrize("payload", [{"number": -3}, {"why": []}, {"number": 3, "why": 5}, {"number": 3, "how": ""}])
def test_its_fields_are_checked_as_those_of_every_other(payload: dict[str, Any]) -> None:
    with pytest.raises(Misfit):
        from_dict(doubted().__name__, ev.Event.version, payload)


def test_who_does_not_know_it_says_that_a_newer_autodc_wrote_it(tmp_path: Path) -> None:
    written(tmp_path / "journal.sqlite", doubted()(number=3))  # type: ignore[call-arg]
    del ev.KINDS["TrialDoubted"]
    with open_for_reading(tmp_path / "journal.sqlite") as reader, pytest.raises(SurroundingsError) as caught:
        list(reader.read())
    assert caught.value.code == "ADC-JRNL-002"
