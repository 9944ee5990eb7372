"""What lies in a run folder broken: what can be told from the journal is told anew, a broken journal is one message."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autodc.testing.worlds.cells import write_world

REFERENCE = {"uri": "http://me:***@host:5000", "experiment_id": "7", "run_id": "abc"}


@pytest.fixture
def folder(finished: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished[1], tmp_path / "out"))


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b'{"schema_version": 1, "stu',
        pytest.param(b"[]", marks=pytest.mark.slow),
        pytest.param(b'"text"', marks=pytest.mark.slow),
        b"null",
        b"\xff\xfe\x00",
        b"{}",
        b'{"mlflow": 5}',
        None,
    ],
    ids=["empty", "brace", "cut", "list", "text", "null", "no text", "object", "wrong type", "missing"],
)
def test_a_broken_result_is_rebuilt_from_the_journal(
    autodc: Any, finished: Any, inline: Any, folder: Any, broken: bytes | None
) -> None:
    path = folder / "result.json"
    whole = json.loads(path.read_text())
    path.unlink() if broken is None else path.write_bytes(broken)
    for words in (["status", folder, "--json"], ["why", folder, "lamps"], ["report", folder]):
        said = autodc(*words)
        assert said.code == 0, said.err
        assert path.exists() is (broken is not None)
        assert broken is None or path.read_bytes() == broken
    again = autodc("run", finished[0], "--machine", inline, "--out", folder, "--json")
    assert again.code == 0, again.err
    assert json.loads(path.read_text()) == json.loads(again.out) == whole
    assert (folder / "models" / "incumbent").is_dir() is (finished[1] / "models" / "incumbent").is_dir()
    assert not list(folder.glob(".result*"))


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0, 0.5, None])
def test_a_page_that_is_not_whole_is_written_again(
    autodc: Any, finished: Any, inline: Any, folder: Any, cut: float | None
) -> None:
    page = folder / "report" / "index.html"
    whole = page.read_bytes()
    page.unlink() if cut is None else page.write_bytes(whole[: int(cut * len(whole))])
    again = autodc("run", finished[0], "--machine", inline, "--out", folder)
    assert again.code == 0, again.err
    assert page.read_bytes().rstrip().endswith(b"</html>")


def test_where_mlflow_is_survives_a_lost_result(autodc: Any, folder: Any) -> None:
    with sqlite3.connect(folder / "journal.sqlite") as journal:
        journal.execute(
            "INSERT INTO cursors VALUES ('mlflow:x', 5, ?)", (json.dumps({**REFERENCE, "closed": "FINISHED"}),)
        )
    (folder / "result.json").unlink()
    said = autodc("report", folder)
    assert said.code == 0, said.err
    page = (folder / "report" / "index.html").read_text()
    assert "host:5000" in page
    assert "run <code>abc</code>" in page


@pytest.mark.slow
def test_a_folder_in_the_way_of_the_result_is_said(autodc: Any, finished: Any, inline: Any, folder: Any) -> None:
    (folder / "result.json").unlink()
    (folder / "result.json").mkdir()
    assert autodc("status", folder).code == 0
    said = autodc("run", finished[0], "--machine", inline, "--out", folder)
    assert said.code == 3
    assert "ADC-DISK-080" in said.err
    assert "Traceback" not in said.err


def altered(statement: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with sqlite3.connect(path) as journal:
            journal.execute(statement)
        journal.close()

    return change


def of_before(statement: str) -> Callable[[Path], None]:
    """The change in a journal of an autodc that did not seal its records."""

    def change(path: Path) -> None:
        altered("ALTER TABLE events DROP COLUMN seal")(path)
        altered("UPDATE events SET version = 2")(path)
        altered(statement)(path)

    return change


BARE_LOOK = "json_remove(payload, '$.look.objective.rows')"
TEXT_CREDIT = "json_set(payload, '$.credit.total', 'much')"


def cut(share: float) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])

    return change


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES = {
    "empty": (cut(0), 2),
    "no table": (altered("DROP TABLE events"), 2),
    "no events": (altered("DELETE FROM events"), 2),
    "text": (lambda path: path.write_text("dear diary\n" * 400), 3),
    "folder": (a_folder, 3),
    "pipe": (a_pipe, 3),
    "cut to a tenth": (cut(0.1), 3),
    "cut to half": (cut(0.5), 3),
    "cut at the end": (cut(0.95), 3),
    "first event lost": (altered("DELETE FROM events WHERE position = 1"), 3),
    "events lost": (altered("DELETE FROM events WHERE position BETWEEN 10 AND 20"), 3),
    "half an event": (altered("UPDATE events SET payload = '{\"a' WHERE position = 3"), 3),
    "event without fields": (altered("UPDATE events SET payload = '{}' WHERE position = 5"), 3),
    "event that is a list": (altered("UPDATE events SET payload = '[]' WHERE position = 5"), 3),
    "other columns": (altered("ALTER TABLE events RENAME COLUMN payload TO load"), 3),
    "newer": (altered("UPDATE events SET kind = 'Whatever' WHERE position = 5"), 3),
    "another byte": (altered("UPDATE events SET payload = replace(payload, 'lamps', 'lamqs') WHERE position = 1"), 3),
    "a look without fields": (altered(f"UPDATE events SET payload = {BARE_LOOK} WHERE kind = 'LookTaken'"), 3),
    "credit that is text": (altered(f"UPDATE events SET payload = {TEXT_CREDIT} WHERE kind = 'GainCredited'"), 3),
    "such a look of before": (of_before(f"UPDATE events SET payload = {BARE_LOOK} WHERE kind = 'LookTaken'"), 3),
    "such credit of before": (of_before(f"UPDATE events SET payload = {TEXT_CREDIT} WHERE kind = 'GainCredited'"), 3),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_journal_is_one_message_of_every_verb(
    autodc: Any, finished: Any, inline: Any, folder: Any, name: str
) -> None:
    damage, code = DAMAGES[name]
    for left in folder.glob("journal.sqlite-*"):
        left.unlink()
    damage(folder / "journal.sqlite")
    run = ["run", finished[0], "--machine", inline, "--out", folder]
    for words in (["status", folder, "--json"], ["why", folder, "lamps"], ["report", folder], run):
        said = autodc(*words)
        assert said.code == (3 if words is run else code), (words[0], said.err)
        assert said.err.count("[ADC-JRNL-") == 1
        assert "Traceback" not in said.err
        assert said.out == ""
        assert len(said.err) < 1000


@pytest.mark.slow
@pytest.mark.parametrize("statement", ["DROP TABLE cursors", "UPDATE cursors SET extra = '{'"])
def test_how_far_followers_have_come_is_no_part_of_the_study(
    autodc: Any, finished: Any, inline: Any, folder: Any, statement: str
) -> None:
    altered(statement)(folder / "journal.sqlite")
    assert autodc("status", folder).code == 0
    assert autodc("run", finished[0], "--machine", inline, "--out", folder).code == 0


@pytest.mark.slow
def test_an_empty_journal_with_nothing_beside_it_begins_a_study(autodc: Any, inline: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path, budget__trainings=30, loop__rounds=1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "journal.sqlite").touch()
    assert autodc("status", tmp_path / "out").code == 2
    assert autodc("run", study, "--machine", inline, "--out", tmp_path / "out").code == 0


def test_what_a_run_makes_is_for_its_owner_alone(finished: Any) -> None:
    out = finished[1]
    assert mode(out) == 0o700
    assert {mode(path) for path in out.glob("journal.sqlite*")} == {0o600}


@pytest.mark.slow
def test_the_mode_of_a_folder_that_was_there_is_left_alone(autodc: Any, inline: Any, tmp_path: Path) -> None:
    study = write_world(tmp_path, budget__trainings=30, loop__rounds=1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o755)
    assert autodc("run", study, "--machine", inline, "--out", tmp_path / "out").code == 0
    assert mode(tmp_path / "out") == 0o755
    assert mode(tmp_path / "out" / "journal.sqlite") == 0o600


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
