"""What a trainer may do to its process, to the disk and to stored data without ending the night."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import autodc
from autodc.errors import InputError
from autodc.studyfile.study import MachineSpec
from autodc.testing.worlds.cells import write_world

INLINE = MachineSpec(runner="inline", retries=0)

TRAINER = """
import errno, os, shutil, sys, time
from pathlib import Path
from autodc.testing.worlds.cells import CellTrainer

class Bad:
    def __init__(self, mode=""):
        self.mode = mode
    def train(self, job):
        wide = job.hyperparameters.get("width", 0) > 9
        if self.mode == "always" or (self.mode == "exit" and wide):
            sys.exit(0)
        if self.mode == "die" and wide:
            os._exit(0)
        if self.mode == "enospc" and wide:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.mode == "delete" and wide:
            shutil.rmtree(Path(job.train[0].folder).parent)
        if self.mode == "targets" and wide:
            for part in job.train:
                (part.folder / "y.npy").unlink(missing_ok=True)
        if self.mode == "slow" and wide:
            time.sleep(600)
        if self.mode == "eat" and wide:
            block = bytearray(900_000_000)
            time.sleep(600)
        return CellTrainer().train(job)
"""


def run(tmp_path: Path, mode: Any, machine: Any = INLINE, **changes: Any) -> Any:
    (tmp_path / "bad.py").write_text(TRAINER)
    study = write_world(
        tmp_path, task={"kind": "classification", "trainer": "bad.py:Bad", "options": {"mode": mode}},
        budget__trainings=40, loop__rounds=1, **changes,
    )  # fmt: skip
    return autodc.run(autodc.load(study), machine, tmp_path / "out")


def errors(tmp_path: Path) -> Any:
    """Errors of failed trials, as the journal has them."""
    with sqlite3.connect(tmp_path / "out" / "journal.sqlite") as journal:
        rows = journal.execute("SELECT payload FROM events WHERE kind = 'TrialFinished' ORDER BY position").fetchall()
    outcomes = [json.loads(text)["outcome"] for (text,) in rows]
    return [o["error"] for o in outcomes if o["status"] == "failed"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "words"),
    [("exit", "SystemExit(0)"), ("die", "exit code 0"), ("enospc", "No space left on device")],
)
def test_what_a_plan_does_fails_that_plan_and_the_study_goes_on(tmp_path: Path, mode: Any, words: Any) -> None:
    result = run(tmp_path, mode)
    assert result.content["finished"]
    everything, end = result.content["baselines"]["everything_tuned"], result.content["incumbent"]
    same = all(everything[key] == end[key] for key in ("mixture", "recipe", "hyperparameters"))
    assert result.content["spent"]["trainings"] == 40 - same, "everything tuned that is the end is trained once"
    failed = errors(tmp_path)
    assert failed
    assert all(words in error for error in failed)


@pytest.mark.slow
def test_a_start_that_leaves_every_time_is_bad_input_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"SystemExit\(0\)") as caught:
        run(tmp_path, "always")
    assert caught.value.code == "ADC-RUN-001"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["delete", "targets"])
def test_stored_data_that_a_training_deletes_is_put_in_place_again(tmp_path: Path, mode: Any) -> None:
    result = run(tmp_path, mode)
    assert result.content["finished"]
    assert result.content["spent"]["trainings"] == 40
    assert errors(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "machine", "words"),
    [
        ("slow", {"trial_timeout": 0.5}, "took longer than 0.5 s"),
        ("eat", {"memory_per_trial": 500e6}, "used more than 477 MB"),
    ],
)
def test_inline_keeps_the_limits_of_the_machine_file(tmp_path: Path, mode: Any, machine: Any, words: Any) -> None:
    result = run(tmp_path, mode, MachineSpec(runner="inline", **machine))
    assert result.content["finished"]
    assert any(words in error for error in errors(tmp_path))


def test_stored_data_is_read_only(tmp_path: Path) -> None:
    from autodc.study.journal.state import State
    from autodc.wire.inputs import read_inputs
    from autodc.wire.study import job_maker

    inputs = read_inputs(autodc.load(write_world(tmp_path)))
    jobs = job_maker(inputs, State(), INLINE, tmp_path / "out")
    files = [f for f in (tmp_path / "out" / "work" / "data").rglob("*") if f.is_file()]
    assert files
    assert {f.stat().st_mode & 0o777 for f in files} == {0o444}
    assert not jobs.restore()
    next(f for f in files if f.name == "x.npy").unlink()
    assert jobs.restore()
    assert files[0].exists()
    assert not jobs.restore()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("raised", "words"),
    [
        ("FileNotFoundError('/data/caf\\udce9.png')", "caf\\udce9.png"),
        ("ValueError('x' * 100_000)", "xxx…"),
    ],
)
def test_whatever_an_error_says_is_told_and_kept_short(raised: Any, words: Any, tmp_path: Path) -> None:
    text = f"class Mine:\n    def train(self, job):\n        raise {raised}\n"
    (tmp_path / "mine.py").write_text(text)
    spec = autodc.load(write_world(tmp_path, task__trainer="mine.py:Mine"))
    with pytest.raises(InputError, match=r"the trainer raised mine\.py:3") as caught:
        autodc.run(spec, MachineSpec(runner="inline"), tmp_path / "out")
    assert words in str(caught.value)
    assert len(str(caught.value)) < 20_000
