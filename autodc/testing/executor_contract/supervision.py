"""What an executor does with tasks that crash, hang, eat memory, lose their data or are killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autodc.files import seal
from autodc.testing.executor_contract.opened import Opened, run_all
from autodc.testing.jobs import Jobs, lives
from autodc.testing.waiting import until
from autodc.trial.executor import Executor

MEGABYTE = 2**20


class Supervision(Opened):
    """Whatever a task does, it costs no slot and no study."""

    def test_a_process_that_exits_is_a_crash_with_its_last_words(self, executor: Executor, jobs: Jobs) -> None:
        self.needs_supervision()
        (completion,) = run_all(executor, [jobs("exit", keep_model=True)])
        assert completion.status == "crashed"
        assert "exit code 3" in completion.error
        assert "last words of the trainer" in completion.error
        assert not (jobs.folder / "out-1").exists()
        self.all_slots_train(executor, jobs)

    def test_a_process_that_exits_with_0_is_a_crash_that_says_so(self, executor: Executor, jobs: Jobs) -> None:
        self.needs_supervision()
        (completion,) = run_all(executor, [jobs("exit0")])
        assert completion.status == "crashed"
        assert "exit code 0" in completion.error
        assert "SIGKILL" not in completion.error

    def test_a_program_left_behind_by_a_training_that_succeeds_is_ended(self, executor: Executor, jobs: Jobs) -> None:
        self.needs_supervision()
        file = jobs.folder / "program"
        (completion,) = run_all(executor, [jobs("detach", program_file=str(file))])
        assert completion.status == "done"
        assert not lives(int(file.read_text()))

    def test_data_that_is_cut_short_under_a_training_is_no_crash_of_its_plan(
        self, executor: Executor, jobs: Jobs
    ) -> None:
        self.needs_supervision()
        seal(jobs.folder / "base")
        (first,) = run_all(executor, [jobs("truncate")])
        assert (first.status, first.missing) == ("surroundings", True)
        assert "x.npy is damaged" in first.error

    def test_a_hang_in_native_code_ends_at_the_deadline(self, executor: Executor, jobs: Jobs) -> None:
        self.needs_supervision()
        (completion,) = run_all(executor, [jobs("hang", timeout=0.5)])
        assert completion.status == "timeout"
        assert "0.5 s" in completion.error
        self.all_slots_train(executor, jobs)

    def test_a_timeout_ends_the_programs_below_too(self, executor: Executor, jobs: Jobs) -> None:
        self.needs_supervision()
        file = jobs.folder / "program"
        (completion,) = run_all(executor, [jobs("programs", program_file=str(file), timeout=1.0)])
        assert completion.status == "timeout"
        until(lambda: not lives(int(file.read_text())), "the program below the training is gone")

    def test_memory_over_the_limit_ends_the_training(self, executor: Executor, jobs: Jobs) -> None:
        self.needs_supervision()
        (completion,) = run_all(executor, [jobs("eat", megabytes=400, memory=300.0 * MEGABYTE)])
        assert completion.status == "memory"
        assert "300 MB" in completion.error
        self.all_slots_train(executor, jobs)

    def test_a_killed_training_is_a_crash(self, executor: Executor, jobs: Jobs) -> None:
        self.needs_supervision()
        (completion,) = self.kill_in_the_midst(executor, jobs, lambda training: training)
        assert completion.status == "crashed"
        assert "SIGKILL" in completion.error
        self.all_slots_train(executor, jobs)

    def test_a_killed_worker_loses_its_job_and_no_slot(self, executor: Executor, jobs: Jobs) -> None:
        if not self.workers:
            pytest.skip("there is no worker process")
        (completion,) = self.kill_in_the_midst(executor, jobs, lambda training: training.parent())
        assert completion.status == "lost"
        self.all_slots_train(executor, jobs)

    @pytest.mark.parametrize(
        ("act", "wishes", "status"),
        [
            ("exit", {}, "crashed"),
            ("hang", {"timeout": 0.5}, "timeout"),
            ("eat", {"megabytes": 400, "memory": 300.0 * MEGABYTE}, "memory"),
        ],
    )
    def test_calls_are_supervised_as_trainings_are(
        self, executor: Executor, jobs: Jobs, act: str, wishes: dict[str, Any], status: str
    ) -> None:
        self.needs_supervision()
        task = jobs.call(act, **wishes)
        (completion,) = run_all(executor, [task])
        assert (completion.work, completion.status) == ("call", status)
        assert "call" in completion.error
        assert not Path(task.out).exists()
        assert [one.status for one in run_all(executor, [jobs.call()])] == ["done"]
