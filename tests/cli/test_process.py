"""The command as a process of its own: what it imports, and how it stops."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autodc.testing.waiting import PATIENCE, until
from autodc.testing.worlds.cells import write_world

HEAVY = ("ray", "torch", "mlflow", "pandas", "optuna", "sklearn", "scipy")
SLOW_TRAINER = """
import pathlib, time
from autodc.testing.worlds.cells import CellTrainer

class Slow:
    def train(self, job):
        if pathlib.Path(__file__).with_name("slow").exists():
            time.sleep(0.3)
        return CellTrainer().train(job)
"""


@pytest.mark.parametrize(
    "code", ["import autodc", "import sys; sys.argv = ['autodc', '--help']; from autodc.cli import main; main()"]
)
def test_a_light_start_imports_nothing_heavy(code: Any) -> None:
    after = (
        f"import atexit, sys; atexit.register(lambda: print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr))"
    )
    done = subprocess.run([sys.executable, "-c", f"{after}\n{code}"], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.slow
def test_who_reads_a_run_does_not_wait_for_what_diagnoses() -> None:
    heavy = ("sklearn", "scipy.stats", "autodc.diagnose.diagnosis", "autodc.diagnose.beam", "autodc.wire.diagnosis")
    code = f"import sys, autodc.verbs.run; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_stops_cleanly_and_the_same_command_finishes(
    autodc: Any, inline: Any, tmp_path: Path, number: Any
) -> None:
    (tmp_path / "slow.py").write_text(SLOW_TRAINER)
    (tmp_path / "slow").touch()
    small = {"budget__trainings": 30, "loop__rounds": 1, "gate__evidence": "each", "data__explore_share": 0}
    study = write_world(tmp_path, **small, task__trainer="slow.py:Slow")
    words = ["run", study, "--machine", inline, "--out", tmp_path / "out", "--json"]
    process = start(words)
    until(lambda: outcomes(tmp_path / "out") >= 2, "two trainings have ended", PATIENCE, process)
    unfinished = autodc("status", tmp_path / "out", "--json")
    assert unfinished.code == 0
    assert not json.loads(unfinished.out)["finished"]
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert out == ""
    assert f"autodc run {study}" in err
    assert not (tmp_path / "out" / "result.json").exists()
    (tmp_path / "slow").unlink()
    done = autodc(*words)
    assert done.code == 0, done.err
    content = json.loads(done.out)
    assert content["finished"]
    assert content["kept"] == ["lamps"]


def start(words: list[object]) -> subprocess.Popen[str]:
    program = "import sys; sys.argv[0] = 'autodc'; from autodc.cli import main; main()"
    command = [sys.executable, "-c", program, *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def outcomes(folder: Path) -> int:
    """Trainings that have ended, as the journal has it."""
    if not (folder / "journal.sqlite").exists():
        return 0
    try:
        with sqlite3.connect(f"file:{folder / 'journal.sqlite'}?mode=ro", uri=True) as journal:
            return int(journal.execute("SELECT count(*) FROM events WHERE kind = 'TrialFinished'").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
