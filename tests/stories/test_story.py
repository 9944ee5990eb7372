"""One study on a world whose truth is known, killed between plan and submission, and finished by the same command."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from autodc.testing.worlds.cells import write_world

COMMAND = "import sys; sys.argv[0] = 'autodc'; from autodc.cli import main; main()"

AXED = """
import os, signal, sys
from pathlib import Path
from autodc.adapters.executors.inline import InlineExecutor
from autodc.adapters.mlflow.tracker import NullTracker
from autodc.wire.inputs import read_inputs
from autodc.wire.study import job_maker, open_study
from autodc.studyfile import load
from autodc.studyfile.study import MachineSpec
from autodc.study.driver import Driver
from autodc.study.journal.events import SessionStarted

class Axe:
    def __init__(self, inner, number):
        self.inner, self.number = inner, number
    def job(self, trial, attempt):
        if trial.number == self.number:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner.job(trial, attempt)

study, out, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
inputs = read_inputs(load(study))
core, journal = open_study(inputs, out)
core.record(SessionStarted(slots=1, machine={}, pid=os.getpid()))
jobs = job_maker(inputs, core.state, MachineSpec(runner="inline"), out)
Driver(core, InlineExecutor(), Axe(jobs, number), NullTracker()).run()
"""


def python(program: str, *words: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", program, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=800, check=False)


def planned_and_finished(out: Path) -> tuple[int, int]:
    with sqlite3.connect(out / "journal.sqlite") as journal:
        count = "SELECT count(*) FROM events WHERE kind = ?"
        return tuple(journal.execute(count, (kind,)).fetchone()[0] for kind in ("TrialPlanned", "TrialFinished"))


@pytest.mark.slow(seconds=25)
def test_the_loop_finds_the_truth_and_survives_the_axe(tmp_path: Path) -> None:
    study, machine = write_world(tmp_path, budget__trainings=80, search__sampler="mixture"), tmp_path / "inline.yaml"
    machine.write_text("runner: inline\n")
    calm, hard = tmp_path / "calm", tmp_path / "hard"

    done = python(COMMAND, "run", study, "--machine", machine, "--out", calm, "--json")
    assert done.returncode == 0, done.stderr
    expected = json.loads(done.stdout)
    assert expected["kept"] == ["lamps"]
    assert "wrong" in [*expected["dropped"], *expected["undecided"]]
    assert expected["test"]["after"]["dark"] > expected["test"]["before"]["dark"] + 0.3
    assert expected["test"]["after"]["bright"] > expected["test"]["before"]["bright"] - 0.05

    for number in (0, 9, 27):
        killed = python(AXED, study, hard, number)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        planned, finished = planned_and_finished(hard)
        assert planned > number >= finished - 1
        assert planned > finished

    again = python(COMMAND, "run", study, "--machine", machine, "--out", hard, "--json")
    assert again.returncode == 0, again.stderr
    found = json.loads(again.stdout)
    for key in ("decisions", "incumbent", "kept", "dropped", "undecided", "stopped_because"):
        assert found[key] == expected[key]
    assert found["validation"] == expected["validation"]
    for key in ("before", "after", "differences", "opened"):
        assert found["test"][key] == expected["test"][key]
    assert found["spent"]["by_phase"] == expected["spent"]["by_phase"]
