"""What every executor owes: subclass, give `open_executor`, run under pytest.

    class TestMine(ExecutorContract):
        @classmethod
        def open_executor(cls) -> Executor:
            return MyExecutor(slots=2)

`supervised` is False for one that trains in its own process: it cannot survive a crash or end a hang.
`workers` is True where a process of its own stands between the driver and the training, as on Ray.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import psutil
import pytest

from autodc.adapters.executors.harness import run_task
from autodc.files import seal
from autodc.testing.jobs import PATIENCE, ROWS, Jobs, lives, small_dataset, until
from autodc.trial.executor import (
    Completion,
    Executor,
    Task,
    TrainerRef,
)

HOUR = 3600.0
MEGABYTE = 2**20


class ExecutorContract:
    """The tests. One executor serves them all, so that each begins after the troubles of the one before."""

    supervised: ClassVar[bool] = True
    workers: ClassVar[bool] = False
    busy_again: ClassVar[float] = 30.0
    """Seconds within which every slot must train again after a death: generous, the machine may be busy."""

    @classmethod
    def open_executor(cls) -> Executor:
        """Open the executor under test."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def executor(cls) -> Iterator[Executor]:
        """The executor that the tests of the class share."""
        opened = cls.open_executor()
        yield opened
        opened.close()

    @pytest.fixture
    def jobs(self, tmp_path: Path) -> Jobs:
        """A maker of jobs on a dataset of its own."""
        return Jobs(small_dataset(tmp_path))

    def test_nothing_under_way_gives_nothing(self, executor: Executor) -> None:
        assert executor.slots >= 1
        assert executor.wait() == []
        assert executor.wait(0.01) == []

    def test_every_job_comes_back_once_as_it_would_train_here(self, executor: Executor, jobs: Jobs) -> None:
        submitted = [jobs() for _ in range(12)]
        completions = _run(executor, submitted)
        assert sorted(c.number for c in completions) == [job.number for job in submitted]
        assert executor.wait() == []
        for completion in completions:
            here = run_task(next(job for job in submitted if job.number == completion.number))
            assert completion.status == here.status == "done"
            assert completion.outputs["validation"].tobytes() == here.outputs["validation"].tobytes()
            assert 0 < completion.started <= completion.ended

    def test_a_trainer_that_raises_is_a_failed_trial_with_its_words(self, executor: Executor, jobs: Jobs) -> None:
        (completion,) = _run(executor, [jobs("raise")])
        assert completion.status == "failed"
        assert "the loss is not a number, as planned" in completion.error
        assert completion.outputs == {}

    @pytest.mark.parametrize("act", ["nan", "short"])
    def test_bad_answers_are_failed_trials(self, executor: Executor, jobs: Jobs, act: str) -> None:
        (completion,) = _run(executor, [jobs(act)])
        assert completion.status == "failed"
        assert "validation" in completion.error

    def test_an_unknown_trainer_is_a_failed_trial(self, executor: Executor, jobs: Jobs) -> None:
        trainer = TrainerRef(name="no_such_trainer", options={}, folder=".")
        (completion,) = _run(executor, [replace(jobs(), trainer=trainer)])
        assert completion.status == "failed"
        assert "no_such_trainer" in completion.error

    def test_scratch_goes_and_the_model_stays_where_asked(self, executor: Executor, jobs: Jobs) -> None:
        kept, dropped, failed = jobs(keep_model=True), jobs(), jobs("raise", keep_model=True)
        Path(kept.out).mkdir()
        (Path(kept.out) / "left-over.txt").write_text("from an attempt before")
        _run(executor, [kept, dropped, failed])
        assert sorted(entry.name for entry in Path(kept.out).iterdir()) == ["digests.json", "model"]
        assert (Path(kept.out) / "model" / "seed.txt").read_text() == str(kept.seed)
        assert not Path(dropped.out).exists()
        assert not Path(failed.out).exists()

    @pytest.mark.parametrize("threads", [1, 2])
    def test_a_training_sees_its_share_of_cores(self, executor: Executor, jobs: Jobs, threads: int) -> None:
        (completion,) = _run(executor, [jobs("threads", threads=threads)])
        assert set(completion.outputs["validation"].tolist()) == {float(threads)}

    def test_a_process_that_exits_is_a_crash_with_its_last_words(self, executor: Executor, jobs: Jobs) -> None:
        self._needs_supervision()
        (completion,) = _run(executor, [jobs("exit", keep_model=True)])
        assert completion.status == "crashed"
        assert "exit code 3" in completion.error
        assert "last words of the trainer" in completion.error
        assert not (jobs.folder / "out-1").exists()
        self._all_slots_train(executor, jobs)

    def test_a_trainer_that_leaves_is_a_failed_trial_that_says_so(self, executor: Executor, jobs: Jobs) -> None:
        (completion,) = _run(executor, [jobs("leave")])
        assert completion.status == "failed"
        assert "SystemExit(0)" in completion.error
        assert [c.status for c in _run(executor, [jobs()])] == ["done"]

    def test_a_process_that_exits_with_0_is_a_crash_that_says_so(self, executor: Executor, jobs: Jobs) -> None:
        self._needs_supervision()
        (completion,) = _run(executor, [jobs("exit0")])
        assert completion.status == "crashed"
        assert "exit code 0" in completion.error
        assert "SIGKILL" not in completion.error

    def test_a_program_left_behind_by_a_training_that_succeeds_is_ended(self, executor: Executor, jobs: Jobs) -> None:
        self._needs_supervision()
        file = jobs.folder / "program"
        (completion,) = _run(executor, [jobs("detach", program_file=str(file))])
        assert completion.status == "done"
        assert not lives(int(file.read_text()))

    def test_data_that_is_gone_is_no_fault_of_the_plan(self, executor: Executor, jobs: Jobs) -> None:
        (first,) = _run(executor, [jobs("delete")])
        assert first.status == "done"
        (second,) = _run(executor, [jobs()])
        assert (second.status, second.missing) == ("surroundings", True)

    def test_data_that_is_cut_short_under_a_training_is_no_crash_of_its_plan(
        self, executor: Executor, jobs: Jobs
    ) -> None:
        self._needs_supervision()
        seal(jobs.folder / "base")
        (first,) = _run(executor, [jobs("truncate")])
        assert (first.status, first.missing) == ("surroundings", True)
        assert "x.npy is damaged" in first.error

    def test_a_kept_model_that_is_damaged_is_not_gone_on_from(self, executor: Executor, jobs: Jobs) -> None:
        first = jobs(keep_model=True)
        model = Path(first.out) / "model"
        assert [c.status for c in _run(executor, [first, jobs()])] == ["done", "done"]
        assert _run(executor, [jobs(warm_start=str(model))])[0].status == "done"
        (model / "seed.txt").write_text("999")
        (second,) = _run(executor, [jobs(warm_start=str(model))])
        assert (second.status, second.missing) == ("surroundings", True)
        assert "seed.txt is damaged" in second.error

    def test_how_long_a_training_took_is_told(self, executor: Executor, jobs: Jobs) -> None:
        (completion,) = _run(executor, [jobs("sleep", seconds=0.2)])
        assert 0.2 <= completion.seconds <= completion.ended - completion.started + 0.1

    def test_a_hang_in_native_code_ends_at_the_deadline(self, executor: Executor, jobs: Jobs) -> None:
        self._needs_supervision()
        (completion,) = _run(executor, [jobs("hang", timeout=0.5)])
        assert completion.status == "timeout"
        assert "0.5 s" in completion.error
        self._all_slots_train(executor, jobs)

    def test_a_timeout_ends_the_programs_below_too(self, executor: Executor, jobs: Jobs) -> None:
        self._needs_supervision()
        file = jobs.folder / "program"
        (completion,) = _run(executor, [jobs("programs", program_file=str(file), timeout=1.0)])
        assert completion.status == "timeout"
        until(lambda: not lives(int(file.read_text())), "the program below the training is gone")

    def test_memory_over_the_limit_ends_the_training(self, executor: Executor, jobs: Jobs) -> None:
        self._needs_supervision()
        (completion,) = _run(executor, [jobs("eat", megabytes=400, memory=300.0 * MEGABYTE)])
        assert completion.status == "memory"
        assert "300 MB" in completion.error
        self._all_slots_train(executor, jobs)

    def test_a_killed_training_is_a_crash(self, executor: Executor, jobs: Jobs) -> None:
        self._needs_supervision()
        (completion,) = self._kill_in_the_midst(executor, jobs, lambda training: training)
        assert completion.status == "crashed"
        assert "SIGKILL" in completion.error
        self._all_slots_train(executor, jobs)

    def test_a_killed_worker_loses_its_job_and_no_slot(self, executor: Executor, jobs: Jobs) -> None:
        if not self.workers:
            pytest.skip("there is no worker process")
        (completion,) = self._kill_in_the_midst(executor, jobs, lambda training: training.parent())
        assert completion.status == "lost"
        self._all_slots_train(executor, jobs)

    def test_predictions_and_calls_come_back_as_trainings_do(self, executor: Executor, jobs: Jobs) -> None:
        call, prediction = jobs.call(), jobs.prediction()
        training = jobs(number=call.number)
        found = {one.work: one for one in _run(executor, [call, training, prediction])}
        assert {one.status for one in found.values()} == {"done"}, found
        assert found["call"].value == {"parts": ["validation"], "threads": 1}
        assert (Path(call.out) / "made.txt").read_text() == "made"
        assert list(found["call"].files) == ["made.txt"]
        mean = np.load(jobs.folder / "base" / "y.npy").mean()
        assert found["prediction"].outputs["validation"].tolist() == [mean] * ROWS
        assert found["training"].number == call.number
        assert not (Path(prediction.out)).exists()

    def test_a_call_that_raises_has_failed_and_leaves_nothing(self, executor: Executor, jobs: Jobs) -> None:
        task = jobs.call("raise")
        (completion,) = _run(executor, [task])
        assert (completion.work, completion.status) == ("call", "failed")
        assert "the loss is not a number, as planned" in completion.error
        assert not Path(task.out).exists()

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
        self._needs_supervision()
        task = jobs.call(act, **wishes)
        (completion,) = _run(executor, [task])
        assert (completion.work, completion.status) == ("call", status)
        assert "call" in completion.error
        assert not Path(task.out).exists()
        assert [one.status for one in _run(executor, [jobs.call()])] == ["done"]

    def test_what_is_cancelled_never_comes_back(self, executor: Executor, jobs: Jobs) -> None:
        for _ in range(2 * executor.slots):
            executor.submit(jobs("sleep" if self.supervised else "learn", seconds=HOUR))
        executor.cancel()
        assert executor.wait() == []
        again = jobs()
        assert [c.number for c in _run(executor, [again])] == [again.number]

    def test_waiting_ends_with_the_timeout(self, executor: Executor, jobs: Jobs) -> None:
        self._needs_supervision()
        executor.submit(jobs("sleep", seconds=HOUR))
        assert executor.wait(0.05) == []
        executor.cancel()

    def test_closing_leaves_no_process_behind(self, executor: Executor, jobs: Jobs) -> None:
        if not self.supervised:
            executor.close()
            executor.close()
            return
        file, pid_file = jobs.folder / "program", jobs.folder / "pid"
        executor.submit(jobs("programs", program_file=str(file), pid_file=str(pid_file)))
        until(lambda: file.exists() and file.read_text() != "", "the training has begun")
        training = psutil.Process(int(pid_file.read_text()))
        above = [p for p in training.parents() if p.pid != os.getpid() and p not in psutil.Process().parents()]
        executor.close()
        executor.close()
        for pid in (training.pid, int(file.read_text()), *(p.pid for p in above)):
            until(lambda pid=pid: not lives(pid), "every process is gone")  # type: ignore[misc]

    def _needs_supervision(self) -> None:
        if not self.supervised:
            pytest.skip("this executor trains in the process of the caller")

    def _kill_in_the_midst(
        self, executor: Executor, jobs: Jobs, victim: Callable[[psutil.Process], psutil.Process | None]
    ) -> list[Completion]:
        file = jobs.folder / f"pid-{jobs.made}"
        executor.submit(jobs("sleep", seconds=HOUR, pid_file=str(file)))
        until(lambda: file.exists() and file.read_text() != "", "the training has begun")
        process = victim(psutil.Process(int(file.read_text())))
        assert process is not None
        process.kill()
        return _collect(executor, 1)

    def _all_slots_train(self, executor: Executor, jobs: Jobs) -> None:
        """Every slot is seen training at the same time, soon."""
        files = [jobs.folder / f"busy-{jobs.made}-{k}" for k in range(executor.slots)]
        for file in files:
            executor.submit(jobs("sleep", seconds=HOUR, pid_file=str(file)))
        until(lambda: all(f.exists() and f.read_text() != "" for f in files), "all slots train", self.busy_again)
        assert len({file.read_text() for file in files}) == executor.slots
        executor.cancel()


def _run(executor: Executor, jobs: Sequence[Task]) -> list[Completion]:
    for job in jobs:
        executor.submit(job)
    return _collect(executor, len(jobs))


def _collect(executor: Executor, count: int) -> list[Completion]:
    completions: list[Completion] = []
    end = time.monotonic() + PATIENCE
    while len(completions) < count:
        assert time.monotonic() < end, f"{len(completions)} of {count} jobs came back in {PATIENCE:g} s"
        completions += executor.wait(1.0)
    assert len(completions) == count
    return completions
