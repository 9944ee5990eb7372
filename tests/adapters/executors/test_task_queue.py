from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.executors.task_queue import TaskQueue
from autodc.errors import SurroundingsError
from autodc.testing.jobs import Jobs, small_dataset
from autodc.trial.executor import Completion, TrainTask


@pytest.fixture
def jobs(tmp_path: Path) -> Any:
    return Jobs(small_dataset(tmp_path))


def _done(job: TrainTask, **changes: object) -> Completion:
    return replace(Completion(number=job.number, attempt=job.attempt, status="done"), **changes)


def _nothing(job: TrainTask) -> None: ...


def _taken(queue: TaskQueue) -> TrainTask:
    job = queue.take(_nothing, 0)
    assert job is not None
    return job


def test_a_second_completion_of_an_attempt_is_ignored(jobs: Any) -> None:
    queue = TaskQueue()
    queue.submit(jobs())
    job = _taken(queue)
    queue.report(job, _done(job))
    queue.report(job, _done(job, status="lost"))
    assert [c.status for c in queue.wait()] == ["done"]
    assert queue.wait() == []


def test_a_completion_of_another_attempt_is_ignored(jobs: Any) -> None:
    queue = TaskQueue()
    queue.submit(jobs(attempt=2))
    job = _taken(queue)
    queue.report(job, _done(job, attempt=1))
    assert queue.wait(0) == []
    queue.report(job, _done(job))
    assert [c.attempt for c in queue.wait()] == [2]


def test_a_late_completion_of_a_cancelled_job_does_not_end_its_repetition(jobs: Any) -> None:
    queue, job = TaskQueue(), jobs()
    queue.submit(job)
    cancelled = _taken(queue)
    queue.cancel()
    queue.submit(job)
    again = _taken(queue)
    queue.report(cancelled, _done(cancelled, status="crashed"))
    assert queue.wait(0) == []
    queue.report(again, _done(again))
    assert [c.status for c in queue.wait()] == ["done"]


def test_a_job_that_never_started_is_the_next_to_go(jobs: Any) -> None:
    queue, first, second = TaskQueue(), jobs(), jobs()
    queue.submit(first)
    queue.submit(second)
    queue.put_back(_taken(queue))
    assert [_taken(queue).number, _taken(queue).number] == [first.number, second.number]


def test_what_has_ended_comes_back_before_the_breakdown_is_raised(jobs: Any) -> None:
    queue = TaskQueue()
    queue.submit(jobs())
    job = _taken(queue)
    queue.report(job, _done(job))
    queue.break_down(SurroundingsError("ADC-EXEC-023", "no worker lives"))
    assert len(queue.wait()) == 1
    with pytest.raises(SurroundingsError, match="no worker lives"):
        queue.wait()


def test_what_is_tried_again_goes_before_what_was_never_tried(jobs: Any) -> None:
    queue = TaskQueue()
    for attempt in (0, 0, 1, 0, 2):
        queue.submit(jobs(attempt=attempt))
    assert [_taken(queue).number for _ in range(5)] == [3, 5, 1, 2, 4]
