"""What an executor owes that can be paused and given more or fewer slots; others are asked nothing of it."""

from __future__ import annotations

import pytest

from autodc.errors import InputError
from autodc.testing.executor_contract.opened import HOUR, Opened, collect
from autodc.testing.jobs import Jobs
from autodc.testing.waiting import until
from autodc.trial.executor import Adjustable, Executor

TOO_MANY = 100_000
GLANCE = 0.3
"""Seconds in which a task that may begin has begun."""


class Adjusting(Opened):
    """A pause and other slots reach what has not begun yet."""

    def test_while_it_is_held_nothing_begins_and_nothing_is_lost(self, executor: Executor, jobs: Jobs) -> None:
        if not isinstance(executor, Adjustable):
            pytest.skip("this executor cannot be paused")
        executor.hold(True)
        file = jobs.folder / "begun"
        job = jobs("sleep", seconds=0.0, pid_file=str(file))
        executor.submit(job)
        assert executor.wait(GLANCE) == []
        assert not file.exists()
        executor.hold(False)
        assert [one.number for one in collect(executor, 1)] == [job.number]

    def test_fewer_slots_and_all_of_them_again(self, executor: Executor, jobs: Jobs) -> None:
        if not isinstance(executor, Adjustable):
            pytest.skip("this executor has the slots that it has")
        slots = executor.slots
        executor.resize(1)
        assert executor.slots == 1
        files = [jobs.folder / f"one-{k}" for k in range(2)]
        for file in files:
            executor.submit(jobs("sleep", seconds=HOUR, pid_file=str(file)))
        until(lambda: any(file.exists() for file in files), "one of them has begun")
        assert executor.wait(GLANCE) == []
        assert sum(file.exists() for file in files) == 1
        executor.cancel()
        executor.resize(slots)
        self.all_slots_train(executor, jobs)

    def test_more_slots_than_there_is_room_for_are_refused(self, executor: Executor) -> None:
        if not isinstance(executor, Adjustable):
            pytest.skip("this executor has the slots that it has")
        slots = executor.slots
        for asked in (0, TOO_MANY):
            with pytest.raises(InputError, match="room for"):
                executor.resize(asked)
        assert executor.slots == slots
