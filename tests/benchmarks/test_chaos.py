"""The fault suite sees what it is there to see; a run killed beside one event ends as the calm one did."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.journal import SqliteJournal
from autodc.study.journal import events as ev
from autodc.testing.tracker_contract import study as made_up
from benchmarks.chaos import synced
from benchmarks.chaos.compare import essence, events_of, trained_again
from benchmarks.chaos.kinds import ELSEWHERE, Found, Point, chain
from benchmarks.chaos.studies import LOG, calm, written


def test_times_and_the_order_in_which_trainings_end_are_no_difference() -> None:
    events = made_up(trials=4)
    finished = [event for event in events if isinstance(event, ev.TrialFinished)]
    others = [event for event in events if not isinstance(event, ev.TrialFinished)]
    later = [replace(event, time=event.time + 9.0) for event in (*others, *reversed(finished))]
    assert essence(later).difference(essence(events)) == ""
    assert essence(events[:-3]).begins(essence(events))


def test_whether_a_training_ends_before_or_after_a_slice_is_admitted_is_no_difference() -> None:
    events: list[Any] = made_up(trials=4)
    place = next(n for n, event in enumerate(events) if event.kind == "TrialFinished")
    first = events[place]

    def admitted(values: dict[str, float], value: float) -> list[Any]:
        """The events with a slice that the first training has this value on, told by the admission or afterwards."""
        late = {**first.outcome, "slices": {**first.outcome["slices"], **({} if values else {"found": value})}}
        slice_ = ev.SliceAdmitted(name="found", rule={"where": "a = 1"}, card={"role": "target"}, values=values)
        told = [replace(first, outcome=late)]
        return [*events[:place], *([*told, slice_] if values else [slice_, *told]), *events[place + 1 :]]

    before = essence(admitted({str(first.number): 0.5}, 0.5))
    assert essence(admitted({}, 0.5)).difference(before) == ""
    assert "found slices" in essence(admitted({}, 0.4)).difference(before)


@pytest.mark.parametrize("kind", ["VerdictReached", "TrialFinished", "TrialPlanned"])
def test_another_decision_or_outcome_is_a_difference(kind: str) -> None:
    events: list[Any] = made_up(trials=4)
    place = next(n for n, event in enumerate(events) if event.kind == kind)
    changes = {
        "VerdictReached": {"verdict": "undecided"},
        "TrialFinished": {"outcome": {**getattr(events[place], "outcome", {}), "arrays": "cd" * 32}},
        "TrialPlanned": {"origin": "another"},
    }[kind]
    other = [*events[:place], replace(events[place], **changes), *events[place + 1 :]]
    assert essence(other).difference(essence(events))
    assert not essence(other).begins(essence(events))


def test_a_training_begun_after_its_outcome_was_journalled_is_counted(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.append(made_up(trials=2))
    journal.close()
    with sqlite3.connect(tmp_path / "journal.sqlite") as raw:
        (journalled,) = raw.execute("SELECT max(written) FROM events").fetchone()
    lines = [("trial-0-0", -9), ("trial-0-1", -5), ("trial-1", -5), ("trial-1-1", 5)]
    (tmp_path / LOG).write_text("".join(f"{name} {journalled + at}\n" for name, at in lines))
    assert trained_again(tmp_path) == (1, 1)


def test_a_new_kind_of_event_is_not_passed_over() -> None:
    met = Found()
    met.kills.update(set(ev.KINDS) - set(ELSEWHERE))
    assert met.unknown == []
    del met.kills["VerdictReached"]
    assert met.unknown == ["VerdictReached"]


def test_what_has_its_name_before_the_disk_has_it_is_told() -> None:
    found = synced.Synced()
    calls = [
        'write(3</out/.a-1.unfinished>, ""..., 9) = 9',
        'rename("/out/.a-1.unfinished", "/out/a.json") = 0',
        'pwrite64(5</out/journal.sqlite-wal>, ""..., 4096, 32) = 4096',
        "fdatasync(5</out/journal.sqlite-wal>) = 0",
    ]
    synced.read(calls, "/out", found)
    assert (found.syncs, found.renamed, len(found.problems)) == (1, 1, 2)
    found = synced.Synced()
    whole = [calls[0], "fsync(3</out/.a-1.unfinished>) = 0", calls[1], "fsync(3</out>) = 0", *calls[2:]]
    synced.read(whole, "/out", found)
    assert found.problems == []


@pytest.mark.slow(seconds=15)
def test_a_run_killed_beside_an_event_ends_as_the_calm_one(tmp_path: Path) -> None:
    study = written(tmp_path, "opened")
    whole = essence(events_of(calm(study, tmp_path / "calm")))
    assert len(whole.trainings) > 4
    found = Found()
    kinds = ("TestSetOpened", "StudyFinished")
    points = [Point(kind, 1, side, frozenset({kind})) for kind in kinds for side in ("before", "after")]
    chain(study, tmp_path / "killed", whole, points, found)
    assert (found.problems, found.missed) == ([], [])
    assert (found.fell, found.late, found.same) == (4, 0, 1)
