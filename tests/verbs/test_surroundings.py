"""When the disk or the tracking server fails: the journal is whole and the same command goes on."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from autodc.study.journal.events import PhaseStarted
from autodc.testing.worlds.cells import write_world

PROGRAM = "import sys; sys.argv[0] = 'autodc'; from autodc.cli import main; main()"
LARGEST = 120_000
"""Bytes a file may have: the journal of the small study outgrows it in the middle."""


def autodc(*words: object, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    def refuse() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, words)],
        check=False,
        preexec_fn=refuse,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=800,
    )


def command(folder: Path, study: Path) -> list[object]:
    machine = folder / "inline.yaml"
    machine.write_text("runner: inline\n")
    return ["run", study, "--machine", machine, "--out", folder / "out", "--json"]


@pytest.mark.slow
def test_a_full_disk_ends_with_3_and_the_same_command_goes_on(tmp_path: Path) -> None:
    words = command(tmp_path, write_world(tmp_path))
    full = autodc(*words, limit=LARGEST)
    assert full.returncode == 3, full.stderr
    assert full.stdout == ""
    assert "ADC-" in full.stderr
    assert "Traceback" not in full.stderr
    with sqlite3.connect(tmp_path / "out" / "journal.sqlite") as journal:
        assert journal.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert journal.execute("SELECT count(*) FROM events").fetchone()[0] > 5
    done = autodc(*words)
    assert done.returncode == 0, done.stderr
    untroubled = autodc(*words[:5], tmp_path / "other", "--json")
    assert untroubled.returncode == 0, untroubled.stderr
    for key in ("decisions", "incumbent", "kept"):
        assert json.loads(done.stdout)[key] == json.loads(untroubled.stdout)[key]


@pytest.mark.slow
def test_a_tracking_server_that_refuses_does_not_harm_the_study(tmp_path: Path) -> None:
    study = write_world(
        tmp_path, tracking={"uri": "http://127.0.0.1:9", "experiment": "x"}, budget__trainings=20, loop__rounds=1
    )
    said = autodc(*command(tmp_path, study))
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["finished"]
    assert "MLflow is behind" in said.stderr
    assert "the same command sends the rest" in said.stderr


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_ends_with_3_and_says_where(tmp_path: Path) -> None:
    import autodc as product
    from autodc.errors import SurroundingsError
    from autodc.studyfile.study import MachineSpec

    spec = product.load(write_world(tmp_path, budget__trainings=20, loop__rounds=1))
    nowhere = MachineSpec(runner="inline", cache_dir="/proc/autodc")  # where nobody may write, root neither
    with pytest.raises(SurroundingsError, match="/proc/autodc") as caught:
        product.run(spec, nowhere, tmp_path / "out")
    assert caught.value.exit_code == 3
    assert caught.value.hint
    assert product.run(spec, MachineSpec(runner="inline"), tmp_path / "out").to_dict()["finished"]


@pytest.mark.slow
def test_a_second_run_in_the_folder_ends_with_2_names_the_first_and_harms_nothing(tmp_path: Path) -> None:
    from autodc.adapters.journal import SqliteJournal

    words = command(tmp_path, write_world(tmp_path, budget__trainings=20, loop__rounds=1))
    first = SqliteJournal(tmp_path / "out" / "journal.sqlite")
    first.append([PhaseStarted(round=1, phase="search", planned=4)])
    second = autodc(*words)
    assert (second.returncode, second.stdout) == (2, "")
    assert "ADC-JRNL-004" in second.stderr
    assert f"process {os.getpid()}" in second.stderr
    assert [position for position, _ in first.read()] == [1]
    first.close()
