"""The clock: one slow training or a machine that slept ends no night, a limit belongs to one session and may rise."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome, Trial
from autodc.review.result import result
from autodc.study import pace
from autodc.study.driver import Interrupted
from autodc.study.journal import events as ev
from autodc.study.journal.codec import from_dict
from autodc.study.journal.fold import apply, fold
from autodc.study.rules import allowance
from autodc.testing.memory import MemoryJournal

FOREVER = 10**9


def timed(world: Any, durations: Any, mixtures: Any = (), fidelity: Any = 1.0) -> Any:
    """A state with trainings that took so long; mixtures: candidates of each, left out: none."""
    hand = world()
    state = hand.open([]).state
    for number, seconds in enumerate(durations):
        names = mixtures[number] if number < len(mixtures) else ()
        plan = Plan.of(dict.fromkeys(("base", *names), 1.0), {})
        trial = Trial(number=number, plan=plan, seed=number, phase="search", fidelity=fidelity)
        apply(state, ev.TrialPlanned(trial=trial.to_dict(), round=1, horizon=number))
        outcome = Outcome(status="done", started=1.0, ended=2.0, seconds=seconds)
        apply(state, ev.TrialFinished(number=number, outcome=outcome.to_dict()))
    return state


@pytest.mark.parametrize("slow", [60.0, 3600.0])
@pytest.mark.parametrize("place", [0, 5, 12])
def test_one_slow_training_does_not_change_the_pace(world: Any, slow: Any, place: Any) -> None:
    durations = [0.5] * 13
    durations[place] = slow
    state = timed(world, durations)
    assert pace.pace(state).seconds(pace.rows(state, Plan.of({"base": 1.0}, {}))) == pytest.approx(0.5)


def test_a_share_of_slow_trainings_does(world: Any) -> None:
    state = timed(world, [1.0, 1.0, 10.0] * 10)
    found = pace.pace(state).seconds(pace.rows(state, Plan.of({"base": 1.0}, {})))
    assert 2.5 < found < 4.1


def test_larger_mixtures_take_longer_as_they_were_seen_to(world: Any) -> None:
    state = world().open([]).state
    base, lamps = (state.card(n)["rows"] for n in ("base", "lamps"))
    small, large = 1.0 + 0.01 * base, 1.0 + 0.01 * (base + lamps)
    mixtures = [(), (), ("lamps",), ("lamps",), (), ("lamps",)]
    found = pace.pace(timed(world, [small, small, large, large, small, large], mixtures))
    assert found.seconds(base) == pytest.approx(small)
    assert found.seconds(base + 2 * lamps) == pytest.approx(large + 0.01 * lamps)
    assert found.seconds(base + lamps, fidelity=0.5) == pytest.approx(0.5 * large)


def test_before_any_mixture_was_trained_larger_ones_are_expected_to_take_longer(world: Any) -> None:
    state = timed(world, [2.0] * 4)
    assert pace.typical_rows(state) > state.card("base")["rows"]
    assert pace.pace(state).seconds(pace.typical_rows(state)) > 2.0


def test_failed_trainings_do_not_make_the_pace_faster(world: Any) -> None:
    state = timed(world, [4.0] * 5)
    for number in range(5, 30):
        trial = Trial(number=number, plan=Plan.of({"base": 1.0}, {}), seed=number, phase="search")
        apply(state, ev.TrialPlanned(trial=trial.to_dict(), round=1, horizon=number))
        failed = Outcome(status="failed", started=1.0, ended=1.01, seconds=0.01)
        apply(state, ev.TrialFinished(number=number, outcome=failed.to_dict()))
    assert pace.pace(state).seconds(pace.rows(state, Plan.of({"base": 1.0}, {}))) == pytest.approx(4.0)


def timeout(state: Any, plan: Any, fidelity: Any) -> Any:
    return pace.timeout(state, plan, fidelity, pace.usual(state))


def test_the_default_timeout_follows_the_pace_and_is_never_short(world: Any) -> None:
    base = Plan.of({"base": 1.0}, {})
    assert timeout(timed(world, []), base, 1.0) == pace.FIRST_TIMEOUT
    assert timeout(timed(world, [0.5] * 2), base, 1.0) == pace.FIRST_TIMEOUT
    assert timeout(timed(world, [0.5] * 8), base, 1.0) == pace.LEAST_TIMEOUT
    long = timed(world, [600.0] * 8)
    assert timeout(long, base, 1.0) >= 20 * 600.0
    assert timeout(long, base, 0.5) == pytest.approx(0.5 * timeout(long, base, 1.0))
    uneven = timed(world, [60.0] * 40 + [3600.0])
    assert timeout(uneven, base, 1.0) >= 4 * 3600.0


@pytest.mark.slow
def test_every_job_gets_a_timeout(world: Any, executor_of: Any) -> None:
    class Watched(executor_of):
        def submit(self, job: Any) -> None:
            timeouts.append(job.timeout)
            super().submit(job)

    timeouts = []
    hand = world()
    study = hand.open([])
    hand.drive(study, Watched(hand, study))
    assert timeouts[0] == pace.FIRST_TIMEOUT
    assert set(timeouts[8:]) == {pace.LEAST_TIMEOUT}


class Clocks:
    """A wall clock that may jump, and one of the time awake; an executor's second moves both."""

    def __init__(self, executor: Any) -> None:
        self.executor, self.jumped = executor, 0.0

    def wall(self) -> Any:
        return self.executor.now + self.jumped

    def awake(self) -> Any:
        return self.executor.now


def drive(hand: Any, study: Any, executor: Any, clocks: Any, **wishes: Any) -> None:
    from autodc.adapters.mlflow.tracker import NullTracker
    from autodc.study.driver import Driver

    Driver(study, executor, hand.jobs(study), NullTracker(), clock=clocks.wall, monotonic=clocks.awake, **wishes).run()


@pytest.mark.slow
def test_a_machine_that_slept_still_has_its_wall_clock_budget(world: Any, executor_of: Any, essence: Any) -> None:
    hand = world(budget__trainings=40, loop__rounds=1)
    calm, slept = hand.open([]), hand.open([])
    hand.finish(calm)
    executor = executor_of(hand, slept)
    clocks = Clocks(executor)

    def sleep(state: Any) -> None:
        clocks.jumped = 15_000.0 if len(state.trials) > 12 else 0.0

    drive(hand, slept, executor, clocks, seconds=500.0, progress=sleep)
    assert essence(slept) == essence(calm)
    assert slept.state.finished.because != "budget.wall_clock"


@pytest.mark.slow
def test_a_clock_that_jumps_back_and_forth_changes_no_decision(world: Any, executor_of: Any, essence: Any) -> None:
    class Jumping(executor_of):
        """Its trainings end, as its clock has it, before they began or days later."""

        def wait(self, timeout: Any = None) -> Any:
            jumps = (-86_400.0, 0.0, 86_400.0)
            return [replace(c, ended=c.started + jumps[c.number % 3], seconds=1.0) for c in super().wait(timeout)]

    hand = world(budget__trainings=40, loop__rounds=1)
    calm, jumpy = hand.open([]), hand.open([])
    hand.finish(calm)
    executor = Jumping(hand, jumpy)
    clocks = Clocks(executor)

    def jump(state: Any) -> None:
        clocks.jumped = (-1.0) ** len(state.trials) * 1e6 * (len(state.trials) > 12)

    drive(hand, jumpy, executor, clocks, seconds=500.0, progress=jump)
    assert essence(jumpy) == essence(calm)
    spent = result(jumpy.state)["spent"]
    assert spent["wall_seconds"] >= 0
    assert spent["busy_share"] is None or 0 <= spent["busy_share"] <= 1


@pytest.mark.slow
def test_a_limit_rises_again_when_there_is_more_time_than_it_seemed(world: Any, executor_of: Any) -> None:
    hand = world(budget__trainings=40, loop__rounds=1)
    rows = []
    study = hand.open(rows)
    executor = executor_of(hand, study)
    clocks = Clocks(executor)

    def corrected(state: Any) -> None:
        clocks.jumped = 470.0 if 12 < len(state.trials) <= 16 else 0.0

    drive(hand, study, executor, clocks, deadline=executor.now + 500.0, because="until", progress=corrected)
    limits = [json.loads(text)["trainings"] for kind, _, text in rows if kind == "BudgetLimited"]
    assert min(limits) < 40 <= max(limits[limits.index(min(limits)) :])
    assert result(study.state)["spent"]["trainings"] > 30
    assert result(study.state)["stopped_because"] != "until"


def test_a_limit_of_one_session_does_not_bind_the_next(world: Any) -> None:
    hand = world()
    rows = []
    study = hand.open(rows)
    study.record(ev.SessionStarted(slots=1, machine={}, until=500.0))
    study.record(ev.BudgetLimited(trainings=7.0, because="until"))
    assert allowance.cap(study.view) == 7.0
    again = hand.open(rows)
    again.record(ev.SessionStarted(slots=1, machine={}))
    assert again.state.limit is None
    assert allowance.cap(again.view) == hand.spec.budget.trainings
    assert [s.until for s in again.state.sessions] == [500.0, None]
    folded = fold(event for _, event in MemoryJournal(rows).read())
    assert folded.limit is None


@pytest.mark.slow
def test_the_next_night_goes_on_to_the_budget(world: Any, executor_of: Any) -> None:
    """Power cut after the clock had limited the study: the same command without a time spends the whole budget."""
    hand = world(budget__trainings=60, loop__rounds=2)
    rows = []
    study = hand.open(rows)
    study.record(ev.SessionStarted(slots=1, machine={}))
    executor = executor_of(hand, study)
    with pytest.raises(Interrupted):
        hand.drive(
            study,
            executor,
            deadline=executor.now + 45.0,
            stop=lambda: bool(study.state.limit and study.view.horizon > 9),
        )
    assert study.state.limit.trainings < 60
    again = hand.open(rows)
    again.record(ev.SessionStarted(slots=1, machine={}))
    hand.drive(again, executor_of(hand, again))
    assert result(again.state)["stopped_because"] != "until"
    assert result(again.state)["spent"]["trainings"] > 50


class Hanging:
    """Wraps the hand's executor: trainings of these numbers never come back, until cancelled."""

    def __init__(self, inner: Any, numbers: Any) -> None:
        self.inner, self.numbers, self.cancels, self.hung = inner, numbers, 0, []

    @property
    def slots(self) -> Any:
        return self.inner.slots

    def submit(self, job: Any) -> None:
        if job.number in self.numbers or self.hung:
            self.hung.append(job.number)
        else:
            self.inner.submit(job)

    def wait(self, timeout: Any = None) -> Any:
        return self.inner.wait(timeout)

    def cancel(self) -> None:
        self.cancels += 1
        self.hung.clear()
        self.inner.cancel()

    def close(self) -> None:
        self.cancel()


@pytest.mark.slow
@pytest.mark.parametrize("number", [9, 20])
def test_a_hang_is_ended_in_time_for_the_last_measurement(world: Any, executor_of: Any, number: Any) -> None:
    hand = world(budget__trainings=60)
    study = hand.open([])
    inner = executor_of(hand, study)
    executor, clocks = Hanging(inner, {number}), Clocks(inner)
    drive(hand, study, executor, clocks, deadline=inner.now + 100.0, because="until")
    assert executor.cancels == 1
    assert inner.now <= 1000.0 + 100.0 + 1
    content = result(study.state)
    assert content["stopped_because"] == "until"
    assert content["test"] is not None
    ended = study.state.trials[number].outcome
    assert ended.status == "cancelled"
    assert "the time was over" in ended.error
    assert content["failing"] == {"datasets": {}, "settings": {}}


@pytest.mark.slow
def test_what_the_clock_ended_is_not_told_to_the_search(world: Any, executor_of: Any) -> None:
    from autodc.study.memory import Memory

    hand = world(budget__trainings=60)
    study = hand.open([])
    inner = executor_of(hand, study)
    drive(hand, study, Hanging(inner, {12}), Clocks(inner), deadline=inner.now + 60.0, because="until")
    cut = {t.trial.number for t in study.state.trials if t.outcome.status == "cancelled"}
    assert 12 in cut
    assert not cut & {o.number for o in Memory().observed(study.view)}


def test_a_hang_before_anything_is_measured_leaves_the_study_unfinished(world: Any, executor_of: Any) -> None:
    hand = world()
    rows = []
    study = hand.open(rows)
    inner = executor_of(hand, study)
    with pytest.raises(Interrupted, match="before the model the study begins with was measured"):
        drive(hand, study, Hanging(inner, {1}), Clocks(inner), deadline=inner.now + 30.0)
    assert not study.finished
    again = hand.open(rows)
    hand.drive(again, executor_of(hand, again))
    assert again.finished
    assert all(t.outcome.status == "done" for t in again.state.trials[:4])


def test_time_awake_is_what_a_session_took(world: Any) -> None:
    hand = world()
    study = hand.open([])
    study.record(ev.SessionStarted(slots=1, machine={}))
    slept = replace(ev.PhaseStarted(round=0, phase="calibration"), time=20_000.0, awake=5.0)
    apply(study.state, slept)
    assert study.state.sessions[-1].seconds == 5.0
    assert result(study.state)["spent"]["wall_seconds"] == 5.0


def test_an_old_journal_without_the_new_fields_is_read(world: Any) -> None:
    event = from_dict("SessionStarted", 1, {"slots": 2, "machine": {}, "pid": 3, "time": 10.0})
    assert (event.until, event.awake) == (None, 0.0)
    assert Outcome.from_dict({"status": "done", "started": 3.0, "ended": 5.5}).took == 2.5


def test_what_makes_data_has_a_limit_by_the_pace_of_the_study(world: Any) -> None:
    assert pace.making_timeout(timed(world, [])) == pace.FIRST_TIMEOUT
    assert pace.making_timeout(timed(world, [0.5])) == pace.LEAST_MAKING
    assert pace.making_timeout(timed(world, [600.0] * 4)) >= 20 * 600.0
