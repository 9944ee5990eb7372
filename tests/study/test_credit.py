"""A gain is split into data, settings and interaction; what a setting did is credited to no dataset."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from autodc.plan.plan import Plan
from autodc.review.result import result
from autodc.study.rules.credit import PARTS, Arms, doubtful, with_and_without

SETTINGS_ALONE = {
    "data__candidates": [{"name": "copies", "source": "data/copies.npz"}],
    "slices": [
        {"name": "overall", "role": "guard", "margin": 0.05},
        {"name": "bright", "where": "region = 'bright'", "role": "target"},
    ],
    "search_space": {
        "smooth": {"type": "float", "low": 10.0, "high": 10000.0, "log": True},
        "width": {"type": "int", "low": 1, "high": 6},
    },
    "search__sampler": "mixture",
    "search__trials_per_round": 30,
    "loop__rounds": 1,
    "budget__trainings": 160,
}


@pytest.fixture(scope="module")
def paid(world: Any) -> Any:
    """A study whose budget pays the further arms."""
    hand = world(budget__trainings=160, loop__rounds=1)
    study = hand.open([])
    hand.finish(study)
    return hand, study


@pytest.fixture(scope="module")
def tuned(world: Any) -> Any:
    """A study in which the settings alone bring the gain, and the one dataset repeats the base."""
    hand = world(**SETTINGS_ALONE)
    study = hand.open([])
    hand.finish(study)
    return study


@pytest.mark.slow
def test_the_parts_add_up_to_the_total_and_data_did_it(paid: Any) -> None:
    _, study = paid
    found = result(study.state)["credit"]
    assert found["how"] == "trained"
    assert found["seeds"] >= 2
    parts = [found[name]["difference"] for name in PARTS if name != "total"]
    assert sum(parts) == pytest.approx(found["total"]["difference"])
    assert found["data"]["low"] > 0.1
    assert found["hyperparameters"]["low"] < 0 < found["hyperparameters"]["high"]
    for name in PARTS:
        assert found[name]["low"] <= found[name]["difference"] <= found[name]["high"]
        assert set(found[name]["slices"]) == {"dark"}
    assert found["datasets"]["lamps"]["difference"] > 0.3


@pytest.mark.slow
def test_the_further_arms_are_trained_on_the_seeds_of_the_last_measurement(paid: Any) -> None:
    _, study = paid
    state = study.state
    seeds = {t.trial.seed for t in state.trials if t.trial.phase == "test"}
    further = [t for t in state.trials if t.trial.phase == "credit"]
    assert further
    assert {t.trial.seed for t in further} <= seeds
    assert result(study.state)["spent"]["by_phase"]["credit"] == len(further)
    assert result(study.state)["spent"]["trainings"] <= 160


@pytest.mark.slow
def test_the_account_does_not_depend_on_the_order_of_outcomes(paid: Any) -> None:
    hand, study = paid
    again = hand.open([])
    hand.finish(again, 3, np.random.default_rng(1))
    assert result(again.state)["credit"] == result(study.state)["credit"]
    assert result(again.state)["recommendation"] == result(study.state)["recommendation"]


@pytest.mark.slow
def test_where_the_budget_is_short_the_model_says_it(world: Any) -> None:
    hand = world(budget__trainings=30, loop__rounds=1, gate__evidence="each", data__explore_share=0)
    study = hand.open([])
    hand.finish(study)
    found = result(study.state)["credit"]
    assert result(study.state)["kept"] == ["lamps"]
    assert found["how"] == "model"
    assert found["total"]["difference"] > 0.2
    assert not [t for t in study.state.trials if t.trial.phase == "credit"]


@pytest.mark.slow
def test_without_a_test_set_all_four_arms_are_trained_afresh(world: Any) -> None:
    hand = world(budget__trainings=160, loop__rounds=1, data__test=None)
    study = hand.open([])
    hand.finish(study)
    found = result(study.state)["credit"]
    assert found["how"] == "trained"
    closing = [t.trial for t in study.state.trials if t.trial.phase in ("credit", "test")]
    assert set(Arms.of(study.state.start, study.state.incumbent).all) <= {t.plan for t in closing}
    assert len({(t.plan, t.seed) for t in closing}) == len(closing), "no arm is trained twice on a seed"
    assert result(study.state)["recommendation"]["test"] is None


@pytest.mark.slow
def test_what_the_settings_did_is_credited_to_no_dataset(tuned: Any) -> None:
    content = result(tuned.state)
    assert content["kept"] == []
    assert ("tuning", "keep") in [(d["kind"], d["verdict"]) for d in content["decisions"]]
    found = content["credit"]
    assert found["hyperparameters"]["difference"] == pytest.approx(found["total"]["difference"])
    assert found["hyperparameters"]["low"] > 0.05
    assert found["data"]["difference"] == found["interaction"]["difference"] == 0.0
    assert found["datasets"] == {}


@pytest.mark.slow
def test_what_is_kept_is_tuned_without_new_datasets_where_that_may_be_as_good(tuned: Any) -> None:
    alone = [t for t in tuned.state.trials if t.origin == "tuning"]
    assert len(alone) >= 2
    assert not any(t.trial.plan.mixture.added for t in alone)


@pytest.mark.slow
def test_no_trial_tunes_the_base_alone_once_new_datasets_are_far_ahead(world: Any) -> None:
    hand = world(budget__trainings=160, search__trials_per_round=48, loop__rounds=1, search__sampler="mixture")
    study = hand.open([])
    while not study.state.challengers:
        hand.advance(study)
    origins = [t.origin for t in study.state.trials]
    assert origins.count("tuning") <= 4
    assert "tuning" not in origins[-8:]


@pytest.mark.slow
def test_the_end_is_held_against_a_base_that_was_tuned_as_well(paid: Any, tuned: Any) -> None:
    assert result(paid[1].state)["credit"]["against_tuned_start"]["difference"] > 0.2
    assert abs(result(tuned.state)["credit"]["against_tuned_start"]["difference"]) < 0.05


@pytest.mark.slow
def test_a_dataset_is_tested_with_both_arms_at_the_challengers_settings(tuned: Any) -> None:
    removals = [t for t in tuned.state.comparisons if t.purpose == "removal"]
    for test in removals:
        assert test.challenger.hyperparameters == test.incumbent.hyperparameters


@pytest.mark.slow
def test_the_search_promised_what_fresh_seeds_measured(tuned: Any) -> None:
    told = result(tuned.state)["recommendation"]
    assert 0 < told["sd"] < 0.2
    assert told["seeds"] == 5
    assert abs(told["optimism"]["validation"]) < 0.05
    assert told["optimism"]["test"] == pytest.approx(told["estimate"] - told["test"], abs=1e-5)


@pytest.mark.slow
def test_a_study_that_moved_nothing_has_no_credit(world: Any) -> None:
    hand = world(data__candidates=[{"name": "chance", "source": "data/chance.npz"}], search_space={}, loop__rounds=1)
    study = hand.open([])
    hand.finish(study)
    assert result(study.state)["credit"] is None
    assert result(study.state)["recommendation"] is not None


def test_crossed_plans_share_the_mixture_or_the_settings() -> None:
    start = Plan.of({"base": 1.0}, {"lr": 0.1})
    end = Plan.of({"base": 1.0, "a": 2.0}, {"lr": 0.5}, "pretrain_finetune", ("a",))
    found = Arms.of(start, end)
    assert (found.data.mixture, dict(found.data.hyperparameters)) == (end.mixture, {"lr": 0.1})
    assert (found.hyperparameters.mixture, found.hyperparameters.recipe) == (start.mixture, "pretrain_finetune")


def test_doubtful_datasets_come_least_first() -> None:
    assert doubtful({"a": {"difference": -0.1}, "b": {"difference": 0.2}, "c": {"difference": -0.3}}) == ("c", "a")


@pytest.mark.slow
def test_only_a_test_of_the_very_datasets_and_settings_says_what_one_is_worth(world: Any) -> None:
    hand = world(budget__trainings=160, loop__rounds=1, gate__evidence="each", data__explore_share=0)
    study = hand.open([])
    hand.finish(study)
    state = study.state
    assert with_and_without(state, "lamps")["objective"]["difference"] > 0.3
    assert with_and_without(state, "wrong") is None
    moved = dataclasses.replace(state, incumbent=state.incumbent.without("lamps"))
    assert with_and_without(moved, "lamps") is None
