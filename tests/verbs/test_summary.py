"""The summary beside a long journal: `status` tells the same with it, and does not believe one that is old."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import autodc
from autodc.adapters.journal import JOURNAL, SqliteJournal, open_for_following
from autodc.plan.trial import Outcome
from autodc.study.journal.events import SessionStarted
from autodc.study.journal.fold import fold
from autodc.testing.worlds.cells import write_world
from autodc.verbs import summary as kept
from autodc.verbs.summary import status_of
from autodc.wire.inputs import read_inputs
from autodc.wire.study import open_study

TRAININGS = kept.LONG // 2
"""Two events each."""


def told(folder: Path) -> Mapping[str, Any]:
    """What `status` says, without what the clock says."""
    return {key: value for key, value in status_of(folder).items() if key != "last_event_seconds_ago"}


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study of more events than a summary needs."""
    folder = tmp_path_factory.mktemp("long")
    changes = {"search__trials_per_round": 10_000, "budget__trainings": 10_000, "loop__rounds": 1}
    core, journal = open_study(read_inputs(autodc.load(write_world(folder, **changes))), folder / "run")
    core.record(SessionStarted(slots=2, machine={}))
    for _ in range(TRAININGS):
        (trial,) = core.ask(1)
        core.tell(trial, Outcome(status="done", slices={"overall": 0.5, "bright": 0.6, "dark": 0.4}, arrays="a" * 64))
    journal.close()
    return folder / "run"


def summarised(folder: Path) -> None:
    journal = SqliteJournal(folder / JOURNAL)
    kept.Summary(journal, lambda state: None).write(fold(event for _, event in journal.read()))
    journal.close()


@pytest.mark.slow
def test_status_is_the_same_with_a_summary_and_without(long: Path) -> None:
    before = told(long)
    summarised(long)
    assert told(long) == before
    with open_for_following(long / JOURNAL) as journal:
        found = kept.summary(journal)
    assert found is not None
    assert found["trainings"]["done"] == TRAININGS


@pytest.mark.slow
def test_an_old_summary_of_a_journal_that_grew_is_not_believed(long: Path) -> None:
    summarised(long)
    with open_for_following(long / JOURNAL) as journal:
        extra = dict(journal.cursor(kept.NAME).extra)
        journal.set_cursor(kept.NAME, journal.last - 1, {**extra, "time": time.time() - 2 * kept.FRESH})
        assert kept.summary(journal) is None
        journal.set_cursor(kept.NAME, journal.last - 1, {**extra, "time": time.time()})
        assert kept.summary(journal) is not None
        journal.set_cursor(kept.NAME, journal.last, {"status": "torn"})
        assert kept.summary(journal) is None
    assert told(long)["trainings"]["done"] == TRAININGS


@pytest.mark.slow
def test_a_short_study_keeps_none(tmp_path: Path) -> None:
    spec = autodc.load(write_world(tmp_path, budget__trainings=16))
    autodc.run(spec, autodc.MachineSpec(runner="inline"), tmp_path / "run")
    with open_for_following(tmp_path / "run" / JOURNAL) as journal:
        assert kept.summary(journal) is None
    assert status_of(tmp_path / "run")["finished"] is True


@pytest.mark.slow
def test_a_journal_that_a_power_cut_left_without_one_is_read_whole_once(long: Path) -> None:
    with open_for_following(long / JOURNAL) as journal:
        journal.set_cursor(kept.NAME, 0)
        assert kept.summary(journal) is None
        first = told(long)
        assert kept.summary(journal) is not None
    assert told(long) == first
    assert first["running"] is False
