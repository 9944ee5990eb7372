"""A study that names a trade-off as an objective: the front is in the journal and the result, the gate is as ever."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from autodc.review.result import result
from autodc.study.journal.fold import fold
from autodc.testing.memory import MemoryJournal


def finished(hand: Any, rows: Any, measured: Any = True) -> Any:
    """A study whose latency is the width of the model, in milliseconds."""
    study = hand.open(rows)
    while not study.finished:
        for trial in study.ask(2):
            outcome = hand.outcome(study, trial)
            width = float(dict(trial.plan.hyperparameters).get("width", 1))
            study.tell(trial, replace(outcome, predict_ms=width if measured else 0.0))
    return study


@pytest.mark.slow
def test_the_front_has_fast_plans_beside_good_ones(world: Any) -> None:
    hand = world(search__objectives=["predict_ms"], budget__trainings=40, loop__rounds=1)
    rows = []
    study = finished(hand, rows)
    front = result(study.state)["pareto"]
    assert len(front) > 1
    for point in front:
        width = point["plan"]["hyperparameters"]["width"]
        assert point["tradeoffs"]["predict_ms"]["observed"] == width
        assert all(study.state.trials[n].trial.plan.to_dict() == point["plan"] for n in point["trials"])
    means = [p["objective"]["estimate"] for p in front]
    speeds = [p["tradeoffs"]["predict_ms"]["estimate"] for p in front]
    assert means == sorted(means, reverse=True)
    assert speeds == sorted(speeds, reverse=True)
    again = fold(event for _, event in MemoryJournal(rows).read())
    assert list(again.challengers[-1].front) == list(study.state.challengers[-1].front)


@pytest.mark.slow
def test_a_study_that_never_measures_its_tradeoff_comes_to_an_end(world: Any) -> None:
    hand = world(search__objectives=["predict_ms"], budget__trainings=30, loop__rounds=1)
    front = result(finished(hand, [], measured=False).state)["pareto"]
    assert all(point["tradeoffs"]["predict_ms"]["observed"] is None for point in front)


@pytest.mark.slow
def test_a_study_with_one_objective_has_no_front(world: Any) -> None:
    hand = world(budget__trainings=30, loop__rounds=1)
    study = finished(hand, [])
    assert result(study.state)["pareto"] == []
