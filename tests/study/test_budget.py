"""What a study may spend: trainings, money, time, and one look at the sealed test set."""

from __future__ import annotations

from typing import Any

import pytest

from autodc.plan.plan import Plan
from autodc.review.result import result
from autodc.study.journal.fold import apply, fold
from autodc.study.rules import allowance
from autodc.testing.memory import MemoryJournal
from autodc.testing.worlds.cells import CANDIDATES

FAST = {(20, 1), (20, 3), (40, 2), (80, 3)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trainings", "rounds"),
    [
        pytest.param(trainings, rounds, marks=[] if (trainings, rounds) in FAST else pytest.mark.slow)
        for trainings in (20, 40, 80, 120)
        for rounds in (1, 2, 3)
    ],
)
def test_trainings_stay_within_the_budget_and_the_last_measurement_is_paid(
    world: Any, trainings: Any, rounds: Any
) -> None:
    hand = world(budget__trainings=trainings, loop__rounds=rounds)
    rows = []
    study = hand.open(rows)
    hand.finish(study, flight=2)
    content, reserve = result(study.state), 2 * allowance.final_seeds(hand.spec)
    assert content["spent"]["trainings"] <= trainings
    state = fold([])
    for _, event in MemoryJournal(rows).read():
        apply(state, event)
        if state.phase != "test":
            assert state.spent + reserve <= trainings
    arms = {state.start, state.incumbent}
    obvious = {Plan.from_dict(plan) for plan in state.baselines.plans.values()} - arms
    wanted = len(arms) * allowance.final_seeds(hand.spec) + len(obvious) * allowance.baseline_seeds(hand.spec)
    assert content["spent"]["by_phase"]["test"] == wanted
    assert content["test"] is not None
    assert content["spent"]["comparisons"] <= allowance.planned_tests(hand.spec)


@pytest.mark.slow
@pytest.mark.parametrize(
    "limit", [0, pytest.param(50, marks=pytest.mark.slow), 100, pytest.param(150, marks=pytest.mark.slow)]
)
def test_what_is_kept_costs_no_more_than_the_budget(world: Any, limit: Any) -> None:
    candidates = [{"name": name, "source": f"data/{name}.npz", "cost": 100} for name in CANDIDATES]
    candidates.append({"name": "spare_lamps", "source": "data/lamps.npz", "cost": 60})
    hand = world(data__candidates=candidates, budget__cost=limit)
    study = hand.open([])
    hand.finish(study)
    price = {c["name"]: c["cost"] for c in candidates}
    kept = result(study.state)["kept"]
    assert sum(price[name] for name in kept) <= limit
    assert result(study.state)["spent"]["cost"] == sum(price[name] for name in kept)
    assert bool(kept) == (limit >= 60)
    for test in study.state.comparisons:
        assert sum(price[name] for name in test.challenger.mixture.added) <= limit


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed",
    [
        0,
        pytest.param(1, marks=pytest.mark.slow),
        pytest.param(2, marks=pytest.mark.slow),
        pytest.param(3, marks=pytest.mark.slow),
    ],
)
def test_every_kept_dataset_has_a_decision_of_its_own(world: Any, seed: Any) -> None:
    hand = world(seed=seed, budget__trainings=80)
    study = hand.open([])
    hand.finish(study)
    content = result(study.state)
    keeps = {d["subject"] for d in content["decisions"] if d["kind"] == "dataset" and d["verdict"] == "keep"}
    assert set(content["kept"]) <= keeps
    assert content["kept"] == ["lamps"]
    assert sorted(content["kept"] + content["dropped"] + content["undecided"]) == sorted(CANDIDATES)


@pytest.mark.slow
def test_the_test_set_is_opened_once_and_its_targets_are_not_read_before(world: Any) -> None:
    hand = world(data__test={"source": "sealed.py:rows"}, seed=11, budget__trainings=40)
    asked = hand.log()
    assert asked == 1, "once, whether they fit, before the study begins"
    rows = []
    study = hand.open(rows)
    while not study.finished:
        opened = len(study.state.opened)
        assert hand.log() == asked + (1 if study.state.measured else 0)
        for trial in study.ask(1):
            assert not opened
            study.tell(trial, hand.outcome(study, trial))
    assert hand.log() == asked + 1
    assert result(study.state)["test"]["opened"] == 1
    hand.finish(hand.open(rows))
    assert hand.log() == asked + 1
    assert [kind for kind, _, _ in rows].count("TestSetOpened") == 1


@pytest.mark.slow
def test_a_deadline_ends_the_study_with_a_result(world: Any, executor_of: Any) -> None:
    hand = world(budget__trainings=None, loop__rounds=3)
    study = hand.open([])
    executor = executor_of(hand, study)
    hand.drive(study, executor, deadline=executor.now + 45.0)
    content = result(study.state)
    assert content["finished"]
    assert content["stopped_because"] == "budget.wall_clock"
    assert content["test"] is not None
    assert executor.now <= 1000.0 + 45.0 + 2 * allowance.final_seeds(hand.spec) + hand.spec.search.lag


@pytest.mark.slow
def test_a_deadline_that_has_passed_trains_nothing_more_and_gives_a_result(world: Any, executor_of: Any) -> None:
    hand = world(budget__trainings=None, loop__rounds=3)
    rows = []
    study = hand.open(rows)
    first = executor_of(hand, study)
    hand.drive(study, first, first=hand.spec.gate.calibration + 1)
    again = hand.open(rows)
    executor = executor_of(hand, again)
    hand.drive(again, executor, deadline=executor.now - 1.0, because="until")
    assert executor.attempts == []
    assert result(again.state)["stopped_because"] == "until"
    assert result(again.state)["kept"] == []


@pytest.mark.parametrize(
    ("rounds", "given", "proposed", "planned"), [(1, 3, 0, 4), (3, 4, 0, 15), (1, 3, 2, 6), (2, 0, 1, 5), (3, 4, 6, 51)]
)
def test_every_dataset_may_be_asked_about_once_in_each_round_it_is_on_the_roster(
    rounds: int, given: int, proposed: int, planned: int
) -> None:
    assert allowance.comparisons(rounds, given, proposed) == planned
