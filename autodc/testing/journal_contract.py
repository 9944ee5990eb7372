"""What every journal and every outcome store owes: subclass, give one fixture, run under pytest."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autodc.study.journal.events import Event, PhaseStarted, StudyFinished, TrialFinished
from autodc.study.ports import ArtefactLost, ArtefactStore, Journal

Array = np.ndarray[Any, Any]
Opener = Callable[[], Any]


class JournalContract:
    """Subclasses give `opener`: a fixture whose value opens the same journal each time it is called."""

    @pytest.fixture
    def opener(self) -> Opener:
        """Open the journal under test."""
        raise NotImplementedError

    def test_an_empty_journal_reads_as_nothing(self, opener: Opener) -> None:
        """Opens where nothing was written, without an error."""
        journal: Journal = opener()
        assert list(journal.read()) == []
        journal.close()

    def test_events_come_back_in_order_from_position_one(self, opener: Opener) -> None:
        """Numbers events 1, 2, … across batches."""
        journal: Journal = opener()
        journal.append(_phases(0, 3))
        journal.append(_phases(3, 5))
        read = list(journal.read())
        assert [position for position, _ in read] == [1, 2, 3, 4, 5]
        assert [_round(event) for _, event in read] == [0, 1, 2, 3, 4]
        journal.close()

    def test_reading_goes_on_beyond_a_position(self, opener: Opener) -> None:
        """Leaves out `after` itself and all before it, also where there are more events than fit a page."""
        journal = opener()
        journal.append(_phases(0, 1200))
        assert [position for position, _ in journal.read(after=1198)] == [1199, 1200]
        assert len(list(journal.read(after=100))) == 1100
        assert list(journal.read(after=1200)) == []
        assert journal.last == 1200
        journal.close()

    def test_an_event_keeps_its_payload(self, opener: Opener) -> None:
        """Keeps number, time, nested values, NaN and text beyond ASCII; numpy numbers become plain ones."""
        journal: Journal = opener()
        outcome = {
            "status": "done",
            "slices": {"dünn": 0.1, "n": np.float32(0.5), "nan": math.nan},
            "rows": np.int64(7),
        }
        journal.append([TrialFinished(number=3, outcome=outcome, time=12.5)])
        (_, event), *_ = journal.read()
        assert isinstance(event, TrialFinished)
        assert (event.number, event.time) == (3, 12.5)
        assert event.outcome["slices"]["dünn"] == 0.1
        assert event.outcome["slices"]["n"] == 0.5
        assert event.outcome["rows"] == 7
        assert math.isnan(event.outcome["slices"]["nan"])
        journal.close()

    def test_a_bad_event_leaves_none_of_its_batch(self, opener: Opener) -> None:
        """Raises TypeError for what is no JSON, and writes nothing of the batch."""
        journal: Journal = opener()
        journal.append(_phases(0, 1))
        with pytest.raises(TypeError):
            journal.append([*_phases(1, 3), TrialFinished(number=1, outcome={"x": object()})])
        assert len(list(journal.read())) == 1
        journal.close()

    def test_nothing_to_append_is_nothing(self, opener: Opener) -> None:
        """Takes an empty batch."""
        journal: Journal = opener()
        journal.append([])
        assert list(journal.read()) == []
        journal.close()

    def test_a_reopened_journal_goes_on(self, opener: Opener) -> None:
        """May be closed twice; what is appended after reopening follows what was there."""
        journal: Journal = opener()
        journal.append(_phases(0, 2))
        journal.close()
        journal.close()
        again: Journal = opener()
        again.append([StudyFinished(because="rounds")])
        assert [event.kind for _, event in again.read()] == ["PhaseStarted", "PhaseStarted", "StudyFinished"]
        again.close()

    def test_a_cursor_starts_at_zero_and_is_remembered(self, opener: Opener) -> None:
        """Keeps the last position and extra of every cursor apart."""
        journal = opener()
        assert journal.cursor("tracker").position == 0
        journal.append(_phases(0, 4))
        journal.set_cursor("tracker", 2, {"run": "abc"})
        journal.set_cursor("tracker", 3, {"run": "abd"})
        cursor = journal.cursor("tracker")
        assert (cursor.position, dict(cursor.extra)) == (3, {"run": "abd"})
        assert journal.cursor("another").position == 0
        journal.close()


class StoreContract:
    """Subclasses give `store`: a fixture with an empty store."""

    @pytest.fixture
    def store(self) -> ArtefactStore:
        """The store under test."""
        raise NotImplementedError

    def test_arrays_come_back_as_they_were(self, store: ArtefactStore) -> None:
        """Keeps names, shapes, types and values."""
        arrays: dict[str, Array] = {
            "scores": np.linspace(0, 1, 7, dtype=np.float32),
            "right": np.array([True, False]),
            "n": np.array([[1]], dtype=np.int8),
        }
        back = store.get(store.put(arrays))
        assert set(back) == set(arrays)
        for name, array in arrays.items():
            assert back[name].dtype == array.dtype
            np.testing.assert_array_equal(back[name], array)

    def test_the_address_is_the_content(self, store: ArtefactStore) -> None:
        """Gives one address to the same arrays in any order, another to other values or names."""
        one, two = np.arange(5.0), np.arange(3)
        address = store.put({"a": one, "b": two})
        assert store.put({"b": two.copy(), "a": one.copy()}) == address
        assert store.put({"a": one, "b": two + 1}) != address
        assert store.put({"b": one, "a": two}) != address

    def test_what_was_stored_does_not_change(self, store: ArtefactStore) -> None:
        """Holds a copy: the caller may write to the array after."""
        array = np.zeros(3)
        address = store.put({"a": array})
        array += 1
        np.testing.assert_array_equal(store.get(address)["a"], np.zeros(3))

    def test_an_unknown_address_is_said_to_be_lost(self, store: ArtefactStore) -> None:
        """Raises ArtefactLost with code ADC-DISK-002."""
        with pytest.raises(ArtefactLost) as caught:
            store.get("0" * 64)
        assert caught.value.code == "ADC-DISK-002"

    def test_what_is_dropped_is_gone_and_may_be_dropped_again(self, store: ArtefactStore) -> None:
        """Forgets one address alone; dropping it twice is no error."""
        kept, gone = store.put({"a": np.zeros(3)}), store.put({"a": np.ones(3)})
        store.drop(gone)
        store.drop(gone)
        np.testing.assert_array_equal(store.get(kept)["a"], np.zeros(3))
        with pytest.raises(ArtefactLost):
            store.get(gone)


def _phases(start: int, stop: int) -> list[Event]:
    return [PhaseStarted(round=number, phase="search", planned=number) for number in range(start, stop)]


def _round(event: Event) -> int:
    assert isinstance(event, PhaseStarted)
    return event.round
