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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import psutil
import pytest

from autodc.adapters.executors.harness import train_job
from autodc.files import seal
from autodc.plan.plan import Value
from autodc.trial.executor import Completion, Executor, Job, StoredPart, TrainerRef

ROWS, COLUMNS = 60, 4
PATIENCE = 60.0
"""Seconds after which a test stops waiting for what should have happened long ago."""
HOUR = 3600.0
MEGABYTE = 2**20


@dataclass
class Jobs:
    """Makes jobs for the flaky trainer on a small dataset."""

    folder: Path
    made: int = 0

    def __call__(self, act: str = "learn", **extra: Any) -> Job:
        """Return a job with a number of its own; `extra` goes to the job where it has such a field, else to the act."""
        self.made += 1
        fields = {name: extra.pop(name) for name in list(extra) if name in Job.__dataclass_fields__}
        settings: dict[str, Value] = {"act": act, **extra}
        job = Job(
            number=self.made,
            attempt=1,
            trainer=TrainerRef(name="autodc.testing.flaky:FlakyTrainer", options={}, folder=str(self.folder)),
            kind="regression",
            n_classes=0,
            train=(StoredPart(name="base", path=str(self.folder / "base")),),
            predict=(StoredPart(name="validation", path=str(self.folder / "validation")),),
            hyperparameters=settings,
            recipe="concat",
            seed=self.made,
            fidelity=1.0,
            warm_start=None,
            out=str(self.folder / f"out-{self.made}"),
        )
        return replace(job, **fields)


def small_dataset(folder: Path) -> Path:
    """Store a small dataset to train on and another to predict, and return their folder."""
    rng = np.random.default_rng(0)
    for name in ("base", "validation"):
        (folder / name).mkdir()
        np.save(folder / name / "x.npy", rng.random((ROWS, COLUMNS)))
    np.save(folder / "base" / "y.npy", rng.random(ROWS))
    return folder


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
            here = train_job(next(job for job in submitted if job.number == completion.number))
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
        assert not _lives(int(file.read_text()))

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
        _until(lambda: not _lives(int(file.read_text())), "the program below the training is gone")

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
        _until(lambda: file.exists() and file.read_text() != "", "the training has begun")
        training = psutil.Process(int(pid_file.read_text()))
        above = [p for p in training.parents() if p.pid != os.getpid() and p not in psutil.Process().parents()]
        executor.close()
        executor.close()
        for pid in (training.pid, int(file.read_text()), *(p.pid for p in above)):
            _until(lambda pid=pid: not _lives(pid), "every process is gone")  # type: ignore[misc]

    def _needs_supervision(self) -> None:
        if not self.supervised:
            pytest.skip("this executor trains in the process of the caller")

    def _kill_in_the_midst(
        self, executor: Executor, jobs: Jobs, victim: Callable[[psutil.Process], psutil.Process | None]
    ) -> list[Completion]:
        file = jobs.folder / f"pid-{jobs.made}"
        executor.submit(jobs("sleep", seconds=HOUR, pid_file=str(file)))
        _until(lambda: file.exists() and file.read_text() != "", "the training has begun")
        process = victim(psutil.Process(int(file.read_text())))
        assert process is not None
        process.kill()
        return _collect(executor, 1)

    def _all_slots_train(self, executor: Executor, jobs: Jobs) -> None:
        """Every slot is seen training at the same time, soon."""
        files = [jobs.folder / f"busy-{jobs.made}-{k}" for k in range(executor.slots)]
        for file in files:
            executor.submit(jobs("sleep", seconds=HOUR, pid_file=str(file)))
        _until(lambda: all(f.exists() and f.read_text() != "" for f in files), "all slots train", self.busy_again)
        assert len({file.read_text() for file in files}) == executor.slots
        executor.cancel()


def _run(executor: Executor, jobs: list[Job]) -> list[Completion]:
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


def _until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        return str(psutil.Process(pid).status()) != str(psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
