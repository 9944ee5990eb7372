from dataclasses import replace

import pytest

from autodc.adapters.executors.attempts import Desk
from autodc.errors import SurroundingsError
from autodc.testing.executor_contract import Jobs, small_dataset
from autodc.trial.executor import Completion, Job


@pytest.fixture
def jobs(tmp_path):
    return Jobs(small_dataset(tmp_path))


def _done(job: Job, **changes: object) -> Completion:
    return replace(Completion(number=job.number, attempt=job.attempt, status="done"), **changes)


def _nothing(job: Job) -> None: ...


def _taken(desk: Desk) -> Job:
    job = desk.take(_nothing, 0)
    assert job is not None
    return job


def test_a_second_completion_of_an_attempt_is_ignored(jobs):
    desk = Desk()
    desk.submit(jobs())
    job = _taken(desk)
    desk.report(job, _done(job))
    desk.report(job, _done(job, status="lost"))
    assert [c.status for c in desk.wait()] == ["done"]
    assert desk.wait() == []


def test_a_completion_of_another_attempt_is_ignored(jobs):
    desk = Desk()
    desk.submit(jobs(attempt=2))
    job = _taken(desk)
    desk.report(job, _done(job, attempt=1))
    assert desk.wait(0) == []
    desk.report(job, _done(job))
    assert [c.attempt for c in desk.wait()] == [2]


def test_a_late_completion_of_a_cancelled_job_does_not_end_its_repetition(jobs):
    desk, job = Desk(), jobs()
    desk.submit(job)
    cancelled = _taken(desk)
    desk.cancel()
    desk.submit(job)
    again = _taken(desk)
    desk.report(cancelled, _done(cancelled, status="crashed"))
    assert desk.wait(0) == []
    desk.report(again, _done(again))
    assert [c.status for c in desk.wait()] == ["done"]


def test_a_job_that_never_started_is_the_next_to_go(jobs):
    desk, first, second = Desk(), jobs(), jobs()
    desk.submit(first)
    desk.submit(second)
    desk.put_back(_taken(desk))
    assert [_taken(desk).number, _taken(desk).number] == [first.number, second.number]


def test_what_has_ended_comes_back_before_the_breakdown_is_raised(jobs):
    desk = Desk()
    desk.submit(jobs())
    job = _taken(desk)
    desk.report(job, _done(job))
    desk.break_down(SurroundingsError("ADC-EXEC-023", "no worker lives"))
    assert len(desk.wait()) == 1
    with pytest.raises(SurroundingsError, match="no worker lives"):
        desk.wait()
