from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.executors import InlineExecutor, LocalExecutor, open_executor, run_task
from autodc.studyfile.study import MachineSpec
from autodc.testing.executor_contract import ExecutorContract
from autodc.testing.jobs import Jobs, small_dataset
from autodc.trial.executor import Executor

SLOTS = 2


class TestInlineExecutor(ExecutorContract):
    supervised = False

    @classmethod
    def open_executor(cls) -> Executor:
        return InlineExecutor()


@pytest.mark.slow
class TestLocalExecutor(ExecutorContract):
    @classmethod
    def open_executor(cls) -> Executor:
        return LocalExecutor(SLOTS)


@pytest.mark.slow
class TestTuneExecutor(ExecutorContract):
    workers = True

    @classmethod
    def open_executor(cls) -> Executor:
        return open_executor(MachineSpec(runner="ray", max_concurrent=SLOTS))


@pytest.mark.slow
class TestActorExecutor(ExecutorContract):
    workers = True

    @classmethod
    def open_executor(cls) -> Executor:
        return open_executor(MachineSpec(runner="actors", max_concurrent=SLOTS))


def test_a_plan_that_wants_more_than_a_disk_with_room_has_failed(tmp_path: Path) -> None:
    completion = run_task(Jobs(small_dataset(tmp_path))("full_disk"))
    assert completion.status == "failed"
    assert "No space left" in completion.error


FULL = """
import resource, signal, sys
from pathlib import Path
from autodc.adapters.executors import run_task
from autodc.testing.jobs import Jobs, small_dataset
jobs = Jobs(small_dataset(Path(sys.argv[1])))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
completion = run_task(jobs("full_disk"))
print(completion.status, completion.missing, "No space left" in completion.error)
"""


@pytest.mark.slow
def test_a_disk_without_room_is_not_the_fault_of_the_plan(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["surroundings", "False", "True"]


@pytest.mark.slow
def test_small_studies_in_a_row_share_a_child_and_each_alone_has_its_own(tmp_path: Path) -> None:
    machine = MachineSpec(runner="inline")
    jobs = Jobs(small_dataset(tmp_path))

    def pid(executor: Any) -> Any:
        file = tmp_path / f"pid-{jobs.made}"
        executor.submit(jobs(pid_file=str(file)))
        assert [c.status for c in executor.wait()] == ["done"]
        return int(file.read_text())

    first, second = open_executor(machine), open_executor(machine)
    here = pid(first)
    assert pid(second) not in (here, os.getpid())
    first.close()
    first.close()
    second.close()
    third = open_executor(machine)
    assert pid(third) == here != os.getpid()
    third.close()


@pytest.mark.slow
def test_what_inline_trainings_print_goes_to_the_log(tmp_path: Path) -> None:
    outer = LocalExecutor(1, log_folder=tmp_path)
    outer.submit(Jobs(small_dataset(tmp_path))("exit"))
    outer.wait()
    outer.close()
    assert "last words of the trainer" in (tmp_path / "trial-1-1.log").read_text()
