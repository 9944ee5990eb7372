"""What is asked and told together is written together, and nothing is handed out that is not written."""

from __future__ import annotations

from typing import Any

import pytest

from autodc.errors import SurroundingsError
from autodc.testing.memory import MemoryJournal


class Appends:
    """A journal that remembers how many events came at once, and at times is a disk that refuses."""

    def __init__(self, rows: Any) -> None:
        self._inner = MemoryJournal(rows)
        self.read = self._inner.read
        self.sizes, self.refuses = [], False

    def append(self, events: Any) -> None:
        if self.refuses:
            raise SurroundingsError("ADC-JRNL-001", "the disk refuses, as planned")
        self.sizes.append(len(events))
        self._inner.append(events)


@pytest.fixture
def asked(world: Any) -> Any:
    """A study that searches, its journal's rows, and the journal."""
    hand = world(search__lag=8)
    rows = []
    journal = Appends(rows)
    study = hand.open(rows, journal=journal)
    hand.advance(study, 6)
    return hand, study, rows, journal


def test_trials_that_are_asked_for_at_once_are_written_at_once(asked: Any) -> None:
    hand, study, rows, journal = asked
    journal.sizes.clear()
    trials = study.ask(5)
    assert [t.number for t in trials] == [6, 7, 8, 9, 10]
    assert max(journal.sizes) >= 4
    again = hand.open(rows)
    assert [t.to_dict() for t in again.ask(5)] == [t.to_dict() for t in trials]


def test_what_is_told_together_is_written_at_the_end_and_once(asked: Any) -> None:
    hand, study, rows, journal = asked
    trials = study.ask(3)
    before = len(rows)
    with study.together():
        for trial in trials:
            study.tell(trial, hand.outcome(study, trial))
        assert len(rows) == before
    assert journal.sizes[-1] == len(rows) - before == 3
    assert all(study.state.trials[t.number].outcome is not None for t in trials)


def test_trials_that_could_not_be_written_are_handed_out_when_they_are(asked: Any) -> None:
    hand, study, rows, journal = asked
    journal.refuses = True
    with pytest.raises(SurroundingsError):
        study.ask(3)
    written = len(rows)
    assert [t.number for t in hand.open(list(rows)).state.pending] == []
    journal.refuses = False
    trials = study.ask(3)
    assert [t.number for t in trials] == [6, 7, 8]
    assert len(rows) > written
    assert [t.to_dict() for t in hand.open(rows).state.pending] == [t.to_dict() for t in trials]


def test_outcomes_that_could_not_be_written_are_written_with_the_next(asked: Any) -> None:
    hand, study, rows, journal = asked
    first, second = study.ask(2)
    journal.refuses = True
    with pytest.raises(SurroundingsError), study.together():
        study.tell(first, hand.outcome(study, first))
    journal.refuses = False
    study.tell(second, hand.outcome(study, second))
    again = hand.open(rows)
    assert [t.outcome is not None for t in again.state.trials[6:8]] == [True, True]
