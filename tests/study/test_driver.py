"""The driver: attempts that crash or are lost are made again, late and double completions change nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from autodc.errors import SurroundingsError
from autodc.study.driver import Interrupted

SHORT = {"budget__trainings": 30, "loop__rounds": 1}


@pytest.fixture(scope="module")
def untroubled(world: Any, essence: Any) -> Any:
    hand = world(**SHORT)
    study = hand.open([])
    hand.finish(study)
    return hand, essence(study)


@pytest.mark.parametrize("slots", [1, pytest.param(2, marks=pytest.mark.slow), 4])
def test_crashed_and_lost_attempts_are_made_again(untroubled: Any, executor_of: Any, essence: Any, slots: Any) -> None:
    hand, expected = untroubled
    study = hand.open([])
    executor = executor_of(hand, study, slots, {(3, 0): "crashed", (11, 0): "lost", (11, 1): "crashed"})
    hand.drive(study, executor, retries=2)
    assert essence(study) == expected
    outcomes = [t.outcome for t in study.state.trials]
    assert (outcomes[3].attempts, outcomes[11].attempts, outcomes[4].attempts) == (2, 3, 1)


@pytest.mark.parametrize("status", ["crashed", pytest.param("lost", marks=pytest.mark.slow)])
def test_when_the_retries_are_used_up_the_trial_has_failed(world: Any, executor_of: Any, status: Any) -> None:
    hand = world(**SHORT)
    study = hand.open([])
    executor = executor_of(hand, study, 2, {(8, n): status for n in range(9)})
    hand.drive(study, executor, retries=1)
    assert study.finished
    outcome = study.state.trials[8].outcome
    assert (outcome.status, outcome.attempts, outcome.error) == ("failed", 2, f"{status}, as planned")


@pytest.mark.parametrize(
    "status",
    ["failed", pytest.param("timeout", marks=pytest.mark.slow), pytest.param("memory", marks=pytest.mark.slow)],
)
def test_what_would_fail_again_is_not_tried_again(world: Any, executor_of: Any, status: Any) -> None:
    hand = world(**SHORT)
    study = hand.open([])
    executor = executor_of(hand, study, 2, {(8, 0): status})
    hand.drive(study, executor, retries=5)
    assert executor.attempts.count((8, 0)) == 1
    assert (8, 1) not in executor.attempts
    assert study.state.trials[8].outcome.status == "failed"


def test_what_no_other_plan_would_have_escaped_ends_the_run_in_its_own_words(world: Any, executor_of: Any) -> None:
    hand = world(**SHORT)
    study = hand.open([])
    executor = executor_of(hand, study, 2, {(8, 0): "surroundings"}, missing=True)
    with pytest.raises(SurroundingsError, match="surroundings, as planned") as raised:
        hand.drive(study, executor)
    assert "make room" not in str(raised.value)
    assert study.state.trials[8].outcome is None


@pytest.mark.slow
def test_data_put_in_place_again_cost_a_training_no_attempt(
    untroubled: Any, executor_of: Any, essence: Any, monkeypatch: Any
) -> None:
    hand, expected = untroubled
    study = hand.open([])
    made = hand.jobs
    monkeypatch.setattr(hand, "jobs", lambda study: replace(made(study), restore=lambda: True))
    faults = {(8, 0): "surroundings", (8, 1): "crashed"}
    hand.drive(study, executor_of(hand, study, 2, faults, missing=True), retries=1)
    assert essence(study) == expected


@pytest.mark.slow
def test_late_and_double_completions_are_ignored(untroubled: Any, executor_of: Any, essence: Any) -> None:
    hand, expected = untroubled
    rows = []
    study = hand.open(rows)
    executor = executor_of(hand, study, 2, {(3, 0): "crashed"}, echo=True)
    hand.drive(study, executor)
    assert essence(study) == expected
    assert [kind for kind, _, _ in rows].count("TrialFinished") == len(study.state.trials)


@pytest.mark.parametrize("after", [1, pytest.param(7, marks=pytest.mark.slow), 23])
def test_a_stop_leaves_a_journal_that_goes_on(untroubled: Any, executor_of: Any, essence: Any, after: Any) -> None:
    hand, expected = untroubled
    rows = []
    study = hand.open(rows)
    executor = executor_of(hand, study, 2)
    with pytest.raises(Interrupted):
        hand.drive(study, executor, stop=lambda: len(executor.attempts) >= after)
    assert executor.cancelled
    again = hand.open(rows)
    hand.drive(again, executor_of(hand, again, 3))
    assert essence(again) == expected


@pytest.mark.slow
def test_the_executor_is_kept_one_job_ahead_and_never_more(world: Any, executor_of: Any) -> None:
    hand = world(search__lag=8)
    study = hand.open([])
    executor, most = executor_of(hand, study, 2), []
    hand.drive(study, executor, progress=lambda state: most.append(len(state.pending)))
    assert max(most) <= executor.slots + 1


def test_it_is_told_once_that_the_first_trainings_are_handed_out(world: Any, executor_of: Any) -> None:
    hand = world()
    study = hand.open([])
    told = []
    hand.drive(study, executor_of(hand, study, 2), begun=lambda: told.append(len(study.state.pending)), first=4)
    assert len(told) == 1
    assert told[0] > 0


@pytest.mark.slow
def test_every_slot_has_its_next_job_queued_while_it_trains(world: Any, executor_of: Any) -> None:
    class Watched(executor_of):
        def wait(self, timeout: Any = None) -> Any:
            queued.append(len(self._queue))
            return super().wait(timeout)

    queued = []
    hand = world(search__lag=8)
    study = hand.open([])
    hand.drive(study, Watched(hand, study, 2))
    assert max(queued) == 4
    searching = queued[4:12]
    assert searching == [4] * len(searching)


@pytest.mark.slow
def test_a_disk_that_refuses_ends_the_run_once_for_a_trial_and_then_fails_it(world: Any, executor_of: Any) -> None:
    from autodc.errors import SurroundingsError

    hand = world(**SHORT)
    rows = []
    for turn in range(2):
        study = hand.open(rows)
        executor = executor_of(hand, study, 1, {(9, 0): "surroundings"})
        if turn == 0:
            with pytest.raises(SurroundingsError) as caught:
                hand.drive(study, executor)
            assert caught.value.code == "ADC-RUN-007"
            assert executor.cancelled
            assert study.state.trials[9].outcome is None
        else:
            hand.drive(study, executor)
    assert study.finished
    assert study.state.trials[9].outcome.status == "failed"
    assert [kind for kind, _, _ in rows].count("TrialHeldUp") == 1


def test_data_that_is_gone_elsewhere_is_never_a_failed_plan(world: Any, executor_of: Any) -> None:
    from autodc.errors import SurroundingsError

    class Elsewhere(executor_of):
        def wait(self, timeout: Any = None) -> Any:
            return [replace(c, missing=True) if c.status == "surroundings" else c for c in super().wait(timeout)]

    hand = world(**SHORT)
    rows = []
    for _ in range(3):
        study = hand.open(rows)
        with pytest.raises(SurroundingsError, match="not there where a training looks for it") as caught:
            hand.drive(study, Elsewhere(hand, study, 1, {(9, 0): "surroundings"}))
        assert "cache_dir" in caught.value.hint
        assert study.state.trials[9].outcome is None
