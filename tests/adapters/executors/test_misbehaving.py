"""What a training does to the process it shares with the next one, to its disk and to its log costs itself alone."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.executors import InlineExecutor, run_task
from autodc.adapters.executors.prints import LOG_BYTES
from autodc.testing.executor_contract.opened import run_all
from autodc.testing.jobs import Jobs, lives, small_dataset
from autodc.testing.waiting import PATIENCE, until
from autodc.trial.executor import TrainerRef

PROGRAMS = Path(__file__).parent / "programs"
MISBEHAVES = TrainerRef(name="misbehaves.py:Misbehaves", options={}, folder=str(PROGRAMS))


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(small_dataset(tmp_path))


def trained(executor: Any, jobs: Jobs, act: str, **more: Any) -> Any:
    (completion,) = run_all(executor, [jobs(act, trainer=MISBEHAVES, timeout=PATIENCE, **more)])
    return completion


def process(completion: Any) -> int:
    assert completion.status == "done", completion.error
    return int(completion.outputs["validation"][0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL"])
def test_a_training_that_ends_itself_by_a_signal_is_a_crash_that_names_it(child: Any, jobs: Jobs, name: str) -> None:
    completion = trained(child[0], jobs, "signal", which=int(signal.Signals[name]))
    assert completion.status == "crashed"
    assert f"process died ({name}" in completion.error
    assert trained(child[0], jobs, "learn").status == "done"


@pytest.mark.slow
@pytest.mark.parametrize("daemon", [False, True])
def test_threads_that_work_on_are_ended_before_the_next_training(child: Any, jobs: Jobs, daemon: bool) -> None:
    executor, _ = child
    spinning = process(trained(executor, jobs, "spin", daemon=daemon))
    following = process(trained(executor, jobs, "learn"))
    assert following != spinning
    until(lambda: not lives(spinning), "the process of the threads is gone")
    assert process(trained(executor, jobs, "idle")) == following
    assert process(trained(executor, jobs, "learn")) == following, "a thread that waits costs no process"


@pytest.mark.slow
def test_a_log_that_grows_while_the_interpreter_is_held_is_cut_from_outside(child: Any, jobs: Jobs) -> None:
    executor, logs = child
    completion = trained(executor, jobs, "shout", number=55)
    assert completion.status == "done", "it prints until it is cut"
    assert (logs / "trial-55-1.log").stat().st_size <= LOG_BYTES + 200


@pytest.mark.parametrize("act", ["wander", "vanish"])
def test_a_training_that_goes_elsewhere_leaves_the_next_where_it_was(jobs: Jobs, act: str) -> None:
    here = os.getcwd()
    assert trained(InlineExecutor(), jobs, act).status == "done"
    assert os.getcwd() == here


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_training_that_fills_the_disk_by_itself_has_failed_and_its_room_is_back(jobs: Jobs, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        completion = run_task(jobs("fill", trainer=MISBEHAVES, out=str(disk / "out")))
        assert completion.status == "failed"
        assert "No space left on device" in completion.error
        assert list(disk.iterdir()) == []
        (disk / "ballast").write_bytes(bytes(8 * 2**20 - 2**16))
        completion = run_task(jobs("fill", trainer=MISBEHAVES, out=str(disk / "out")))
        assert completion.status == "surroundings", "filled by somebody else"
    finally:
        subprocess.run(["umount", disk], check=True)
