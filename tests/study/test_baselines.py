"""The obvious baselines: chosen for the last measurement, trained on its seeds, told beside it, never in its way."""

from __future__ import annotations

from typing import Any

import pytest

from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome
from autodc.review.concerns import concerns
from autodc.review.numbers import Numbers
from autodc.review.result import result
from autodc.study.rules import allowance

SMALL = {"budget__trainings": 64, "loop__rounds": 1, "search__trials_per_round": 12}


@pytest.fixture(scope="module")
def done(world: Any) -> Any:
    hand = world(**SMALL)
    study = hand.open([])
    hand.finish(study, flight=2)
    return hand, study


def last(study: Any, plan: Plan) -> list[int]:
    """Seeds on which the last measurement trained a plan."""
    return [t.trial.seed for t in study.state.trials if t.trial.phase == "test" and t.trial.plan == plan]


@pytest.mark.slow
def test_base_and_everything_are_trained_on_the_first_seeds_of_start_and_end(done: Any) -> None:
    hand, study = done
    state, chosen = study.state, study.state.baselines
    plans = {name: Plan.from_dict(plan) for name, plan in chosen.plans.items()}
    assert plans["base_tuned"].mixture.to_dict() == {"base": 1.0}
    given = [c.name for c in hand.spec.data.candidates]
    assert plans["everything_tuned"].mixture.to_dict() == {"base": 1.0, **dict.fromkeys(given, 1.0)}
    assert chosen.members == tuple(given)
    assert chosen.seeds == allowance.baseline_seeds(hand.spec) == 2
    for plan in set(plans.values()) - {state.start, state.incumbent}:
        assert last(study, plan) == last(study, state.incumbent)[: chosen.seeds]


@pytest.mark.slow
def test_the_result_has_the_objective_of_each_on_the_sealed_test_and_how_far_the_end_is_ahead(done: Any) -> None:
    _, study = done
    content = result(study.state)
    found = content["baselines"]
    assert list(found) == ["base_tuned", "everything_tuned", "incumbent"]
    assert {one["rows"] for one in found.values()} == {"test"}
    assert found["incumbent"]["objective"] == pytest.approx(content["test"]["after"]["dark"], abs=1e-6)
    base = found["base_tuned"]
    assert base["low"] < base["difference"] < base["high"]
    assert base["difference"] > 0.2
    assert base["standing"] == "ahead"
    assert base["slices"]["dark"]["value"] == base["objective"]
    assert set(base["slices"]) == set(content["test"]["after"])


@pytest.mark.slow
def test_without_a_test_set_they_are_measured_on_the_gate_rows(world: Any) -> None:
    hand = world(**SMALL, data__test=None)
    study = hand.open([])
    hand.finish(study)
    content = result(study.state)
    assert content["test"] is None
    assert {one["rows"] for one in content["baselines"].values()} == {"gate"}
    after = content["validation"]["after"]["dark"]
    assert content["baselines"]["incumbent"]["objective"] == pytest.approx(after, abs=1e-6)
    assert content["baselines"]["base_tuned"]["objective"] < after


@pytest.mark.slow
@pytest.mark.parametrize("arm", ["base_tuned", "everything_tuned"])
def test_one_that_cannot_be_trained_is_told_and_the_night_ends(world: Any, arm: str) -> None:
    hand = world(**SMALL)
    study = hand.open([])
    while not study.finished:
        for trial in study.ask(1):
            chosen = study.state.baselines
            plan = None if chosen is None else Plan.from_dict(chosen.plans[arm])
            fails = trial.phase == "test" and trial.plan == plan and plan != study.state.start
            outcome = Outcome(status="failed", error="CUDA out of memory") if fails else hand.outcome(study, trial)
            study.tell(trial, outcome)
    content = result(study.state)
    assert content["baselines"][arm]["objective"] is None
    assert content["baselines"][arm]["error"] == "CUDA out of memory"
    assert content["baselines"]["incumbent"]["objective"] is not None
    assert content["test"]["differences"]["dark"]["difference"] > 0.2
    assert content["spent"]["trainings"] <= hand.spec.budget.trainings
    assert any(
        "CUDA out of memory" in c.text and "not measured" in c.text for c in concerns(study.state, content, Numbers(3))
    )


@pytest.mark.slow
def test_a_study_that_goes_on_chooses_the_same_and_trains_none_twice(world: Any) -> None:
    hand, rows = world(**SMALL), []
    hand.finish(hand.open(rows))
    cut = next(n for n, (kind, _, _) in enumerate(rows, 1) if kind == "BaselinesChosen")
    again = rows[: cut + 1]
    study = hand.open(again)
    hand.finish(study, flight=3)
    kinds = [kind for kind, _, _ in again]
    assert kinds.count("BaselinesChosen") == 1
    pairs = [(t.trial.plan, t.trial.seed) for t in study.state.trials if t.trial.phase == "test"]
    assert len(set(pairs)) == len(pairs)
    assert result(study.state)["baselines"] == result(hand.open(rows).state)["baselines"]


@pytest.mark.slow
def test_where_nothing_is_free_there_is_one_baseline_and_it_is_trained_once(world: Any) -> None:
    candidates = [{"name": "lamps", "source": "data/lamps.npz", "cost": 5}]
    hand = world(**SMALL, data__candidates=candidates)
    study = hand.open([])
    hand.finish(study)
    chosen = study.state.baselines
    assert chosen.members == ()
    assert chosen.plans["base_tuned"] == chosen.plans["everything_tuned"]
    plan = Plan.from_dict(chosen.plans["base_tuned"])
    assert len(last(study, plan)) == len(set(last(study, plan)))


@pytest.mark.slow
@pytest.mark.parametrize(("trainings", "seeds"), [(None, 5), (19, 0), (20, 1), (64, 2), (160, 5), (1000, 5)])
def test_a_small_budget_pays_fewer_seeds(done: Any, trainings: Any, seeds: int) -> None:
    hand, _ = done
    spec = hand.spec.model_copy(update={"budget": hand.spec.budget.model_copy(update={"trainings": trainings})})
    assert allowance.baseline_seeds(spec) == seeds
    assert allowance.baseline_seeds(spec, rules=0) == 0, "a study of before plans what it planned"
