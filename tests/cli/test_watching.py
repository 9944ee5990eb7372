"""`status --watch` and the verbs that control a run, where nothing runs."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

FROZEN = Path(__file__).parent.parent / "journals"


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The folder of a study that stopped in its search."""
    with tarfile.open(FROZEN / "diagnosing.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "run"


def test_a_finished_study_is_told_once_and_the_watch_is_over(autodc: Any, finished: Any) -> None:
    said = autodc("status", finished[1], "--watch")
    assert said.code == 0, said.err
    (line,) = said.out.splitlines()
    assert "finished" in line
    assert "kept lamps" in line
    told = autodc("status", finished[1], "--watch", "--json")
    assert (told.code, json.loads(told.out)["kept"]) == (0, ["lamps"])


def test_a_study_that_stopped_is_told_with_the_way_on(autodc: Any, stopped: Path) -> None:
    said = autodc("status", stopped, "--watch")
    assert said.code == 130
    (line,) = said.out.splitlines()
    assert "not running" in line
    once = autodc("status", stopped)
    assert (once.code, "not running" in once.out, "go on" in once.out) == (0, True, True)


def test_watching_a_folder_without_a_study_is_bad_input(autodc: Any, tmp_path: Path) -> None:
    for words in (("status", tmp_path, "--watch"), ("pause", tmp_path), ("serve", tmp_path), ("slots", tmp_path, 2)):
        said = autodc(*words)
        assert (said.code, "ADC-RUN-005" in said.err) == (2, True), words
    assert list(tmp_path.iterdir()) == []


def test_a_finished_study_is_not_paused(autodc: Any, finished: Any) -> None:
    for verb in ("pause", "resume"):
        said = autodc(verb, finished[1])
        assert (said.code, "ADC-RUN-080" in said.err) == (2, True)
    assert not (finished[1] / "control.json").exists()


def test_slots_are_for_a_run_under_way(autodc: Any, stopped: Path) -> None:
    said = autodc("slots", stopped, 2)
    assert (said.code, "ADC-RUN-081" in said.err) == (2, True)
    assert autodc("slots", stopped, 0).code == 2


def test_a_pause_while_nothing_runs_waits_for_the_next_run_and_is_taken_back(autodc: Any, stopped: Path) -> None:
    said = autodc("pause", stopped)
    assert (said.code, "the next run begins paused" in said.out) == (0, True)
    assert json.loads((stopped / "control.json").read_text())["paused"] is True
    told = json.loads(autodc("resume", stopped, "--json").out)
    assert told == {"running": False, "answered": False, "paused": False, "slots": None}
    assert json.loads((stopped / "control.json").read_text())["paused"] is False
