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

import psutil

from autodc.testing.executor_contract.adjusting import Adjusting
from autodc.testing.executor_contract.answers import Answers
from autodc.testing.executor_contract.opened import HOUR, run_all
from autodc.testing.executor_contract.supervision import Supervision
from autodc.testing.jobs import Jobs, lives
from autodc.testing.waiting import until
from autodc.trial.executor import Executor

__all__ = ["ExecutorContract"]


class ExecutorContract(Supervision, Adjusting, Answers):
    """The tests; those of how an executor is ended run last."""

    def test_what_is_cancelled_never_comes_back(self, executor: Executor, jobs: Jobs) -> None:
        for _ in range(2 * executor.slots):
            executor.submit(jobs("sleep" if self.supervised else "learn", seconds=HOUR))
        executor.cancel()
        assert executor.wait() == []
        again = jobs()
        assert [c.number for c in run_all(executor, [again])] == [again.number]

    def test_waiting_ends_with_the_timeout(self, executor: Executor, jobs: Jobs) -> None:
        self.needs_supervision()
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
