"""How much is left: nothing before there is evidence, a span after it, never beyond what bounds the study."""

from __future__ import annotations

from typing import Any

import pytest

from autodc.review.result import busy_share
from autodc.review.status import status
from autodc.review.time_left import TimeLeft, time_left
from autodc.review.wording import time_left as words
from autodc.study.journal import events as ev


def trained(study: Any, trainings: int) -> Any:
    """One training a second, one after the other."""
    for _ in range(trainings):
        study.train({"overall": 0.8, "dark": 0.6}, "search")
    return study


def bounded(study: Any, **budget: Any) -> Any:
    study.events[0].spec["budget"] = budget
    return study


def left(study: Any, now: float = 110.0) -> TimeLeft:
    found = time_left(study.state(), now)
    assert found is not None
    return found


def test_nothing_is_said_before_there_is_evidence_and_when_it_is_over(night: Any) -> None:
    study = trained(bounded(night(), trainings=100), 3)
    assert time_left(study.state(), 110.0) is None
    assert words(status(study.state(), 110.0)["time_left"]) == "how much is left is not known yet"
    assert time_left(trained(study, 7).finish().state(), 110.0) is None


def test_the_budget_bounds_it_at_the_pace_of_the_last_trainings(night: Any) -> None:
    found = left(trained(bounded(night(), trainings=100), 10))
    assert found.by == "trainings"
    # two slots of which one is used, a second each; the base with half of what is on offer is 1.4 times the base
    assert found.high == pytest.approx(90 * 1.4)
    assert 0 < found.low < found.high / 2  # the last measurement alone, both slots busy


def test_a_deadline_bounds_it_however_slow_the_trainings_are(night: Any) -> None:
    study = trained(bounded(night(), trainings=10_000), 10)
    study.events[1] = ev.SessionStarted(slots=2, machine={}, time=100.0, until=150.0)
    assert (left(study).high, left(study).by) == (pytest.approx(40.0), "until")
    assert left(study, 200.0).high == 0.0
    asleep = trained(bounded(night(), trainings=10_000, wall_clock="30s"), 10)
    assert (left(asleep).high, left(asleep).by) == (pytest.approx(20.0), "budget.wall_clock")


def test_without_a_bound_the_rounds_are_a_guess_and_are_called_one(night: Any) -> None:
    found = left(trained(night(), 10))
    assert found.by == "rounds"
    assert "if every round is made" in words(found.to_dict())


def test_a_pause_neither_slows_the_pace_nor_leaves_slots_idle(night: Any) -> None:
    steady = trained(bounded(night(), trainings=100), 5)
    paused = trained(bounded(night(), trainings=100), 5)
    paused.add(ev.SlotsSet(slots=2, paused=True, time=105.0), ev.SlotsSet(slots=2, time=1105.0))
    for number in range(5, 10):
        steady.train({"overall": 0.8, "dark": 0.6}, "search")
        paused.train({"overall": 0.8, "dark": 0.6}, "search")
        late = paused.events[-1].outcome
        paused.events[-1] = ev.TrialFinished(
            number=number, outcome={**late, "started": 1100.0 + number, "ended": 1101.0 + number}, time=1101.0 + number
        )
    assert busy_share(paused.state()) == busy_share(steady.state())
    assert left(paused, 1120.0).high == pytest.approx(left(steady).high)


def test_a_status_says_since_when_it_is_paused_and_how_many_train(night: Any) -> None:
    study = night().add(ev.SlotsSet(slots=3, time=120.0), ev.SlotsSet(slots=3, paused=True, time=130.0))
    told = status(study.add(ev.SlotsSet(slots=3, paused=True, time=140.0, refused="no room")).state(), 200.0)
    assert (told["slots"], told["paused_since"]) == (3, "1970-01-01T00:02:10Z")
    told = status(study.add(ev.SlotsSet(slots=3, time=150.0)).state(), 200.0)
    assert (told["slots"], told["paused_since"]) == (3, None)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(60.0, 600.0, "1 min to 10 min left"), (590.0, 600.0, "about 10 min left"), (0.0, 0.0, "about 0 s left")],
)
def test_a_span_in_words(low: float, high: float, said: str) -> None:
    assert words(TimeLeft(low=low, high=high, by="trainings").to_dict()) == said
