"""What the parts of the executors' contract share: its settings, its fixtures, and how tasks are run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from autodc.testing.jobs import Jobs, small_dataset
from autodc.testing.waiting import PATIENCE, until
from autodc.trial.executor import Completion, Executor, Task

HOUR = 3600.0


class Opened:
    """An executor that serves all tests of a class, so that each begins after the troubles of the one before."""

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

    def needs_supervision(self) -> None:
        if not self.supervised:
            pytest.skip("this executor trains in the process of the caller")

    def kill_in_the_midst(
        self, executor: Executor, jobs: Jobs, victim: Callable[[psutil.Process], psutil.Process | None]
    ) -> list[Completion]:
        file = jobs.folder / f"pid-{jobs.made}"
        executor.submit(jobs("sleep", seconds=HOUR, pid_file=str(file)))
        until(lambda: file.exists() and file.read_text() != "", "the training has begun")
        process = victim(psutil.Process(int(file.read_text())))
        assert process is not None
        process.kill()
        return collect(executor, 1)

    def all_slots_train(self, executor: Executor, jobs: Jobs) -> None:
        """Every slot is seen training at the same time, soon."""
        files = [jobs.folder / f"busy-{jobs.made}-{k}" for k in range(executor.slots)]
        for file in files:
            executor.submit(jobs("sleep", seconds=HOUR, pid_file=str(file)))
        until(lambda: all(f.exists() and f.read_text() != "" for f in files), "all slots train", self.busy_again)
        assert len({file.read_text() for file in files}) == executor.slots
        executor.cancel()


def run_all(executor: Executor, jobs: Sequence[Task]) -> list[Completion]:
    for job in jobs:
        executor.submit(job)
    return collect(executor, len(jobs))


def collect(executor: Executor, count: int) -> list[Completion]:
    completions: list[Completion] = []
    end = time.monotonic() + PATIENCE
    while len(completions) < count:
        assert time.monotonic() < end, f"{len(completions)} of {count} jobs came back in {PATIENCE:g} s"
        completions += executor.wait(1.0)
    assert len(completions) == count
    return completions
