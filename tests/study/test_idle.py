"""How long slots are idle in a whole study, on a clock that only trainings move: the loop's own doing, and no noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc.study.journal.events import RULES
from autodc.testing.virtual import VirtualExecutor
from autodc.trial.executor import Completion

LONG = {"search__lag": 4, "search__trials_per_round": 120, "budget__trainings": 120}


@pytest.fixture
def driven(world: Any) -> Any:
    """Drives a study of two rounds on slots in virtual time; the executor, when it has finished."""

    def run(seconds: Any, slots: Any = 2, **changes: Any) -> Any:
        hand = world(**{**LONG, **changes})
        study = hand.open([], rules=RULES)
        executor = VirtualExecutor(slots, seconds, lambda task: hand.completion(study.state.trials[task.number].trial))
        hand.drive(study, executor)
        assert study.finished
        return executor

    return run


def test_tasks_take_their_time_and_what_waits_begins_when_a_slot_is_free() -> None:
    class Task:
        def __init__(self, number: Any) -> None:
            self.number, self.attempt, self.work = number, 0, "training"

    thought = [0.0]
    executor = VirtualExecutor(
        2,
        lambda task: float(task.number),
        lambda task: Completion(number=0, attempt=0, status="done"),
        lambda: thought[0],
    )
    for number in (3, 1, 4, 2):
        executor.submit(Task(number))
    begin = executor.clock()
    assert [c.number for c in executor.wait()] == [1]
    assert executor.clock() == begin + 1
    assert executor.wait(0.5) == []
    assert executor.clock() == begin + 1.5
    thought[0] = 6.0
    done = executor.wait()
    assert [(c.number, c.started - begin, c.ended - begin) for c in done] == [(3, 0, 3), (4, 1, 5), (2, 3, 5)]
    assert executor.busy() == 1.0


@pytest.mark.slow(seconds=3)
def test_trainings_of_one_length_leave_idle_what_four_of_them_take(driven: Any) -> None:
    executor = driven(lambda task: 5.0)
    begin, end = executor.spans[0][0], max(b for _, b in executor.spans)
    assert 2 * (end - begin) - sum(b - a for a, b in executor.spans) <= 4 * 5.0


@pytest.mark.slow(seconds=3)
def test_trainings_of_lengths_that_differ_tenfold_leave_few_slots_idle(driven: Any) -> None:
    assert driven(lambda task: np.random.default_rng(task.seed).uniform(0.2, 5.0)).busy() >= 0.95
