from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.journal import SqliteJournal, open_for_reading
from autodc.errors import InputError, SurroundingsError
from autodc.study.journal.events import PhaseStarted
from autodc.testing.journal_contract import JournalContract
from autodc.testing.memory import MemoryJournal

FROZEN = Path(__file__).parents[1] / "journals"
WRITER = """
import sys
from autodc.adapters.journal import SqliteJournal
from autodc.study.journal.events import PhaseStarted
journal = SqliteJournal(sys.argv[1])
number = 0
while True:
    journal.append([PhaseStarted(round=number, phase=phase) for phase in ("search", "gate", "test")])
    number += 1
    print(number, flush=True)
"""


class TestSqliteJournal(JournalContract):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> Any:
        return lambda: SqliteJournal(tmp_path / "study" / "journal.sqlite")


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    def opener(self) -> Any:
        rows: list = []
        return lambda: MemoryJournal(rows)


def phase(number: int = 0, text: str = "search") -> PhaseStarted:
    return PhaseStarted(round=number, phase=text)


def fill(journal: SqliteJournal) -> None:
    for number in range(1000):
        journal.append([phase(number, "x" * 5000), phase(number, "y" * 5000)])


def child(program: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def test_nothing_is_created_before_the_first_event(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "out" / "journal.sqlite")
    assert list(journal.read()) == []
    assert journal.cursor("tracker").position == 0
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_a_closed_journal_leaves_no_side_files_and_opening_it_again_adds_none(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.append([phase()])
    journal.close()
    before = sorted(p.name for p in tmp_path.iterdir())
    assert before == ["journal.sqlite", "journal.sqlite.lock"]
    again = SqliteJournal(tmp_path / "journal.sqlite")
    assert len(list(again.read())) == 1
    again.close()
    with open_for_reading(tmp_path / "journal.sqlite") as reader:
        assert len(list(reader.read())) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_kill_in_the_middle_of_appends_leaves_whole_batches(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    writer = child(WRITER, path)
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) >= 20:
            break
    os.kill(writer.pid, signal.SIGKILL)
    said = 20 + len(writer.stdout.read().splitlines())
    writer.wait()
    journal = SqliteJournal(path)
    events = [event for _, event in journal.read()]
    assert len(events) % 3 == 0
    assert len(events) // 3 >= said
    journal.append([phase(999)])
    assert sum(1 for _ in journal.read()) == len(events) + 1
    journal.close()


def test_a_reader_follows_while_another_process_writes(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    writer = child(WRITER, path)
    assert writer.stdout is not None
    writer.stdout.readline()
    with open_for_reading(path) as reader:
        position, _ = list(reader.read())[-1]
        while int(writer.stdout.readline()) < position // 3 + 2:
            pass
        assert next(iter(reader.read(after=position)))[0] == position + 1
        with pytest.raises(sqlite3.OperationalError):
            reader._connection.execute("DELETE FROM events")
    writer.kill()
    writer.wait()


def test_a_second_run_on_the_folder_is_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    writer = child(WRITER, path)
    assert writer.stdout is not None
    writer.stdout.readline()
    with pytest.raises(InputError) as caught:
        SqliteJournal(path)
    assert caught.value.exit_code == 2
    assert str(writer.pid) in str(caught.value)
    writer.kill()
    writer.wait()
    SqliteJournal(path).close()


def test_two_journals_of_one_process_exclude_each_other_too(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    first = SqliteJournal(path)
    late = SqliteJournal(path)
    first.append([phase()])
    with pytest.raises(InputError):
        SqliteJournal(path)
    with pytest.raises(InputError):
        late.append([phase()])
    first.close()
    with pytest.raises(InputError, match="since this one looked"):
        late.append([phase()])
    again = SqliteJournal(path)
    assert len(list(again.read())) == 1
    again.close()


def test_a_forked_child_does_not_keep_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    program = """
import os, signal, sys, time
from autodc.adapters.journal import SqliteJournal
from autodc.study.journal.events import PhaseStarted
journal = SqliteJournal(sys.argv[1])
journal.append([PhaseStarted(round=0, phase="search")])
if os.fork() == 0:
    print(os.getpid(), flush=True)
    time.sleep(60)
signal.pause()
"""
    writer = child(program, path)
    assert writer.stdout is not None
    grandchild = int(writer.stdout.readline())
    writer.kill()
    writer.wait()
    try:
        SqliteJournal(path).close()
    finally:
        os.kill(grandchild, signal.SIGKILL)


def test_a_full_disk_is_said_and_the_journal_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    journal.append([phase(0, "x" * 1000)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with pytest.raises(SurroundingsError) as caught:
            fill(journal)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (caught.value.code, caught.value.exit_code) == ("ADC-JRNL-001", 3)
    assert str(path) in str(caught.value)
    written = len(list(journal.read()))
    assert written > 10
    assert written % 2 == 1
    journal.append([phase(1000)])
    journal.close()
    again = SqliteJournal(path)
    assert len(list(again.read())) == written + 1
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)
    again.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_really_full_file_system_is_said_and_room_mends_it(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False, capture_output=True
    ).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        journal = SqliteJournal(disk / "journal.sqlite")
        ballast = disk / "ballast"
        ballast.write_bytes(b"0" * 600_000)
        with pytest.raises(SurroundingsError) as caught:
            fill(journal)
        assert caught.value.code == "ADC-JRNL-001"
        written = len(list(journal.read()))
        assert written > 0
        journal.close()
        ballast.unlink()
        again = SqliteJournal(disk / "journal.sqlite")
        assert len(list(again.read())) == written
        again.append([phase(9)])
        again.close()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(SurroundingsError):
            SqliteJournal(disk / "journal.sqlite").append([phase(10)])
        with open_for_reading(disk / "journal.sqlite") as reader:
            assert len(list(reader.read())) == written + 1
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"hello world, this is no database" * 100)
    for opener in (SqliteJournal, open_for_reading):
        with pytest.raises(SurroundingsError, match="not a journal"):
            opener(path)
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE cats (name TEXT)")
    other.close()
    with pytest.raises(SurroundingsError, match="another program"):
        SqliteJournal(path)


def test_an_event_of_a_newer_autodc_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    journal.append([phase()])
    journal.close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE events SET kind = 'Telepathy'")
    raw.close()
    with open_for_reading(path) as reader, pytest.raises(SurroundingsError, match="newer autodc"):
        list(reader.read())


def test_looking_where_nothing_is_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_for_reading(tmp_path / "journal.sqlite")
    assert caught.value.code == "ADC-JRNL-006"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["no file \udcff.png", "\ud800", "é 😀 \\udcff"])
def test_text_that_is_no_unicode_is_spelled_out(tmp_path: Path, text: str) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.append([phase(0, text)])
    ((_, event),) = journal.read()
    journal.close()
    assert event.phase == text.encode("utf-8", "backslashreplace").decode()  # type: ignore[attr-defined]


def change(path: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute(statement, values)
    raw.close()


@pytest.fixture(params=["sealed", "of before"])
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The journal of a finished study that earlier code wrote, as it lies there or taken up and so sealed."""
    with tarfile.open(FROZEN / "finished.tar.gz") as archive:
        archive.extract("run/journal.sqlite", tmp_path, filter="data")
    path = tmp_path / "run" / "journal.sqlite"
    if request.param == "sealed":
        SqliteJournal(path).close()
    return path


def first(path: Path, kind: str) -> tuple[int, dict[str, Any]]:
    with sqlite3.connect(path) as raw:
        position, payload = raw.execute("SELECT position, payload FROM events WHERE kind = ?", [kind]).fetchone()
    raw.close()
    return position, json.loads(payload)


def without(payload: dict[str, Any], *keys: str) -> dict[str, Any]:
    """The payload without the last of these keys, each inside the one before."""
    payload = json.loads(json.dumps(payload))
    inner = payload
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]
    return payload


DAMAGED_EVENTS: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "no object": ("LookTaken", lambda p: [p]),
    "a field is missing": ("VerdictReached", lambda p: without(p, "subject")),
    "an unknown field": ("VerdictReached", lambda p: {**p, "mood": "good"}),
    "text for a number": ("TrialPlanned", lambda p: {**p, "round": "1"}),
    "a number below 0": ("TrialFinished", lambda p: {**p, "number": -1}),
    "true for a number": ("TrialFinished", lambda p: {**p, "number": True}),
    "no time": ("TrialFinished", lambda p: {**p, "time": None}),
    "a look without its slices": ("LookTaken", lambda p: without(p, "look", "slices")),
    "a slice of a look without its rows": ("LookTaken", lambda p: without(p, "look", "slices", "dark", "rows")),
    "a look that is text": ("LookTaken", lambda p: {**p, "look": "fine"}),
    "a verdict there is not": ("LookTaken", lambda p: {**p, "look": {**p["look"], "verdict": "perhaps"}}),
    "a card without rows": ("StudyStarted", lambda p: without(p, "datasets", "lamps", "rows")),
    "cards that are a list": ("StudyStarted", lambda p: {**p, "slices": []}),
    "a plan without mixture": ("StudyStarted", lambda p: without(p, "start", "mixture")),
    "credit without its total": ("GainCredited", lambda p: without(p, "credit", "total")),
    "credit without an interval": ("GainCredited", lambda p: without(p, "credit", "data", "low")),
    "an outcome of no status": ("TrialFinished", lambda p: without(p, "outcome", "status")),
    "a difference without rows": ("TestSetMeasured", lambda p: without(p, "differences", "dark", "rows")),
    "members that are text": ("TestOpened", lambda p: {**p, "members": "lamps"}),
}


@pytest.mark.parametrize("name", DAMAGED_EVENTS)
def test_an_event_that_is_none_is_told_with_its_position(real: Path, name: str) -> None:
    kind, damage = DAMAGED_EVENTS[name]
    position, payload = first(real, kind)
    change(real, "UPDATE events SET payload = ? WHERE position = ?", json.dumps(damage(payload)), position)
    refused(real, f"event {position}")


def refused(path: Path, words: str) -> None:
    before = path.read_bytes()
    with open_for_reading(path) as reader, pytest.raises(SurroundingsError, match=words) as caught:
        list(reader.read())
    assert (caught.value.code, caught.value.exit_code) == ("ADC-JRNL-007", 3)
    assert path.read_bytes() == before
    with pytest.raises(SurroundingsError, match=words) as caught:
        read_by_a_writer(path)
    assert caught.value.code == "ADC-JRNL-007"


def read_by_a_writer(path: Path) -> None:
    journal = SqliteJournal(path)
    try:
        list(journal.read())
    finally:
        journal.close()


DAMAGED_ROWS = {
    "half of it": "UPDATE events SET payload = substr(payload, 1, 40) WHERE position = 7",
    "nothing": "UPDATE events SET payload = '' WHERE position = 7",
    "no UTF-8": "UPDATE events SET payload = CAST(X'7BFFFE7D' AS TEXT) WHERE position = 7",
    "no UTF-8 in the kind": "UPDATE events SET kind = CAST(X'FFFE' AS TEXT) WHERE position = 7",
    "a version that is text": "UPDATE events SET version = 'one' WHERE position = 7",
    "missing": "DELETE FROM events WHERE position = 7",
    "moved": "UPDATE events SET position = 100000 WHERE position = 7",
    "deep": f"UPDATE events SET payload = '{'[' * 100_000}' WHERE position = 7",
}


@pytest.mark.parametrize("name", DAMAGED_ROWS)
def test_a_damaged_record_is_told_with_its_position(real: Path, name: str) -> None:
    change(real, DAMAGED_ROWS[name])
    refused(real, "event 7|event 8 after event 6")


CHANGES = {
    "a digit": "UPDATE events SET payload = replace(payload, '\"seed\":', '\"seed\":1') WHERE position = ?",
    "a space": "UPDATE events SET payload = payload || ' ' WHERE position = ?",
    "the time": "UPDATE events SET written = written + 1 WHERE position = ?",
    "the version": "UPDATE events SET version = version - 1 WHERE position = ?",
    "the seal": "UPDATE events SET seal = zeroblob(32) WHERE position = ?",
    "a seal that is text": "UPDATE events SET seal = 'none' WHERE position = ?",
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("real", ["sealed"], indirect=True)
def test_a_sealed_record_that_could_be_true_and_was_changed_is_told(real: Path, name: str) -> None:
    position, _ = first(real, "TrialPlanned")
    change(real, CHANGES[name], position)
    refused(real, f"event {position}")


@pytest.mark.parametrize("real", ["sealed"], indirect=True)
def test_records_that_changed_places_or_stand_twice_are_told(real: Path) -> None:
    whole = real.read_bytes()
    for statement in (
        "UPDATE events SET position = -position WHERE position IN (7, 8)",
        "UPDATE events SET (kind, version, payload, written, seal) = (SELECT kind, version, payload, written, seal"
        " FROM events WHERE position = 6) WHERE position = 7",
    ):
        real.write_bytes(whole)
        change(real, statement)
        change(real, "UPDATE events SET position = 15 + position WHERE position < 0")
        refused(real, "event 7|event 9 after event 6")


@pytest.mark.parametrize("real", ["of before"], indirect=True)
def test_a_journal_of_before_is_read_as_it_is_and_sealed_when_it_goes_on(real: Path) -> None:
    before = real.read_bytes()
    with open_for_reading(real) as reader:
        told = list(reader.read())
    assert real.read_bytes() == before
    assert [p.name for p in real.parent.iterdir()] == ["journal.sqlite"]
    journal = SqliteJournal(real)
    journal.append([phase(9)])
    assert list(journal.read()) == [*told, (len(told) + 1, phase(9))]
    assert next(iter(journal.read(after=len(told))))[1] == phase(9)
    journal.close()
    change(real, "UPDATE events SET written = 1.5 WHERE position = 3")
    refused(real, "event 3")


@pytest.mark.parametrize("real", ["of before"], indirect=True)
def test_a_reader_goes_on_where_the_journal_was_sealed_meanwhile(real: Path) -> None:
    with open_for_reading(real) as reader:
        reading = reader.read()
        seen = [next(reading)]
        journal = SqliteJournal(real)
        journal.append([phase(number) for number in range(600)])
        seen += reading
        seen += reader.read(after=seen[-1][0])
        assert seen == list(journal.read())
        journal.close()


@pytest.mark.parametrize("real", ["sealed"], indirect=True)
def test_a_journal_that_lost_its_seals_is_no_journal_of_before(real: Path) -> None:
    journal = SqliteJournal(real)
    journal.append([phase(9)])
    journal.close()
    change(real, "ALTER TABLE events RENAME COLUMN seal TO lost")
    refused(real, "checksum is lost")
