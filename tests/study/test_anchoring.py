"""A fixed part of the search tunes the obvious: everything in, and the base alone."""

from __future__ import annotations

from typing import Any

import pytest

from autodc.plan.mixture import Mixture
from autodc.study.core import StudyCore

TRIALS = 32


def searched(world: Any, **changes: Any) -> StudyCore:
    """A study at the end of its first search; samples at random, so that no trial is of an opening."""
    whole = {"search__sampler": "random", "search__trials_per_round": TRIALS, "loop__rounds": 1}
    hand = world(**whole, budget__trainings=160, **changes)
    study: StudyCore = hand.open([])
    while not study.state.challengers:
        hand.advance(study)
    return study


@pytest.fixture(scope="module")
def study(world: Any) -> StudyCore:
    return searched(world)


def test_an_eighth_of_the_search_tunes_everything_at_weight_one_and_another_the_base(study: StudyCore) -> None:
    tried = {origin: [t for t in study.state.trials if t.origin == origin] for origin in ("everything", "tuning")}
    whole = Mixture.of(dict.fromkeys(study.state.candidates, 1.0))
    assert {t.trial.plan.mixture for t in tried["everything"]} == {whole}
    assert {t.trial.plan.mixture for t in tried["tuning"]} == {Mixture.of({})}
    for trials in tried.values():
        assert len(trials) == TRIALS // 8
        assert len({t.trial.plan.hyperparameters for t in trials}) == len(trials)


@pytest.mark.slow
def test_where_there_is_nothing_to_tune_no_trial_goes_to_it(world: Any) -> None:
    plain = searched(world, search_space={})
    assert {t.origin for t in plain.state.trials if t.trial.phase == "search"} == {"random"}


@pytest.mark.slow
def test_what_costs_money_is_in_no_everything(world: Any, study: StudyCore) -> None:
    name, *others = study.state.candidates
    given = [c.model_dump(exclude_defaults=True) for c in world().spec.data.candidates]
    for one in given:
        one["source"] = f"data/{one['name']}.npz"
    given[0]["cost"] = 5.0
    dear = searched(world, data__candidates=given)
    whole = {t.trial.plan.mixture for t in dear.state.trials if t.origin == "everything"}
    assert whole == {Mixture.of(dict.fromkeys(others, 1.0))}
    assert name in dear.state.candidates
