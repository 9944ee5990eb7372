"""Kinds of plan that always fail are noticed, told and, where it is a dataset, no longer proposed."""

from __future__ import annotations

from typing import Any

import pytest

from autodc.plan.trial import Outcome
from autodc.review import views
from autodc.review.result import result
from autodc.review.status import status
from autodc.study.rules import failing, pairs
from autodc.testing.worlds.cells import CANDIDATES


def finish(hand: Any, study: Any, breaks: Any) -> Any:
    """Finish a study in which every training of a plan that `breaks` fails; return how many did."""
    failed = 0
    while not study.finished:
        for trial in study.ask(1):
            if breaks(trial.plan):
                failed += 1
                study.tell(trial, Outcome(status="failed", error="ValueError: cannot read it\nTraceback …"))
            else:
                study.tell(trial, hand.outcome(study, trial))
    return failed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sampler"),
    [
        ("copies", "random"),
        pytest.param("copies", "mixture", marks=pytest.mark.slow),
        pytest.param("lamps", "random", marks=pytest.mark.slow),
        ("lamps", "mixture"),
    ],
)
def test_a_dataset_that_no_training_survives_is_out_and_the_others_are_not(world: Any, name: Any, sampler: Any) -> None:
    hand = world(budget__trainings=80, search__sampler=sampler)
    study = hand.open([])
    failed = finish(hand, study, lambda plan: name in plan.mixture)
    assert set(failing.datasets(study.view)) == {name}
    assert failed <= 3 * failing.FEWEST
    assert name in pairs.excluded(study.view)
    content = result(study.state)
    assert name in content["undecided"]
    assert content["failing"]["datasets"][name]["code"] == failing.ALWAYS_FAILS
    assert content["failing"]["datasets"][name]["error"] == "ValueError: cannot read it"
    (row,) = [r for r in views.verdict_rows(study.state) if r["dataset"] == name]
    assert row["reasons"] == [failing.ALWAYS_FAILS]
    assert row["why"] == "every training with it failed: ValueError: cannot read it"
    assert any(f"every training with {name} failed" in w for w in status(study.state)["warnings"])
    if name != "lamps":
        assert content["kept"] == ["lamps"]


@pytest.mark.parametrize("sampler", ["random", pytest.param("mixture", marks=pytest.mark.slow)])
def test_where_every_candidate_fails_few_trainings_are_burnt(world: Any, sampler: Any) -> None:
    hand = world(budget__trainings=80, search__sampler=sampler)
    study = hand.open([])
    failed = finish(hand, study, lambda plan: bool(plan.mixture.added))
    assert failed <= 2 * failing.FEWEST + len(CANDIDATES) + hand.spec.search.lag
    assert set(failing.datasets(study.view)) == set(CANDIDATES)
    assert result(study.state)["undecided"] == list(CANDIDATES)
    heard = [t.trial.plan.mixture.added for t in study.state.trials if t.origin == failing.HEARING]
    assert all(len(added) == 1 for added in heard)


@pytest.mark.slow
def test_one_culprit_in_every_mixture_does_not_condemn_the_others(world: Any) -> None:
    """Where two of four spoil nearly every mixture, the hearing of the others lets them back in."""
    hand = world(budget__trainings=120)
    study = hand.open([])
    finish(hand, study, lambda plan: "wrong" in plan.mixture or "copies" in plan.mixture)
    assert set(failing.datasets(study.view)) <= {"wrong", "copies"}
    assert "lamps" in result(study.state)["kept"]


@pytest.mark.slow
def test_settings_that_fail_do_not_condemn_a_dataset(world: Any) -> None:
    hand = world(task__options={"fail": "narrow"}, budget__trainings=80)
    study = hand.open([])
    hand.finish(study)
    assert failing.datasets(study.view) == {}


@pytest.mark.slow
def test_a_choice_that_always_fails_is_told_and_stays(world: Any) -> None:
    space = {
        "width": {"type": "int", "low": 1, "high": 12},
        "kernel": {"type": "categorical", "choices": ["plain", "cuda"]},
    }
    hand = world(search_space=space, budget__trainings=60)
    study = hand.open([])
    finish(hand, study, lambda plan: dict(plan.hyperparameters)["kernel"] == "cuda")
    assert list(result(study.state)["failing"]["settings"]) == ["kernel = 'cuda'"]
    assert failing.datasets(study.view) == {}
    assert any("kernel = 'cuda'" in w for w in status(study.state)["warnings"])


@pytest.mark.slow
def test_nothing_is_told_of_a_study_without_failures(world: Any) -> None:
    hand = world()
    study = hand.open([])
    hand.finish(study)
    assert result(study.state)["failing"] == {"datasets": {}, "settings": {}}


@pytest.mark.slow
def test_what_is_told_does_not_depend_on_the_order_of_outcomes_or_a_stop(world: Any, essence: Any) -> None:
    hand = world(budget__trainings=60)
    breaks = lambda plan: "copies" in plan.mixture  # noqa: E731
    calm, rows = hand.open([]), []
    finish(hand, calm, breaks)
    for stop in (9, 20):
        study = hand.open(rows)
        while len(study.state.trials) < stop:
            for trial in reversed(study.ask(2)):
                bad = breaks(trial.plan)
                outcome = Outcome(status="failed", error="x") if bad else hand.outcome(study, trial)
                study.tell(trial, outcome)
    study = hand.open(rows)
    finish(hand, study, breaks)
    assert essence(study) == essence(calm)
