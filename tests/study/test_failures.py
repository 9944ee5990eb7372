"""Trainings that fail are told, not left out: the search learns of them, the gate does not pass them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from autodc.errors import InputError
from autodc.gate import reasons
from autodc.plan.trial import Outcome
from autodc.review.result import result
from autodc.study.rules import allowance, pairs


@pytest.mark.slow
def test_failing_settings_are_told_and_the_study_goes_on(world: Any) -> None:
    hand = world(task__options={"fail": "narrow"})
    study = hand.open([])
    hand.finish(study)
    failed = [t for t in study.state.trials if t.outcome.status == "failed"]
    assert failed
    assert all(dict(t.trial.plan.hyperparameters)["width"] < 4 for t in failed)
    assert "too narrow" in failed[0].outcome.error
    assert result(study.state)["kept"] == ["lamps"]


@pytest.mark.slow
def test_a_challenger_that_fails_on_a_seed_of_the_gate_does_not_pass_on_it(world: Any) -> None:
    seed = pairs.pair_seed(world().spec, 1, 0)
    hand = world(task__options={"fail": "lamps", "fail_seed": seed})
    study = hand.open([])
    hand.finish(study)
    touched = [t for t in study.state.comparisons if seed in t.seeds and "lamps" in t.challenger.mixture.added]
    assert touched, "no test met the failing training"
    assert all(t.verdict != "keep" for t in touched)
    again = [t for t in study.state.comparisons if t.round == 2]
    assert again[0].members == touched[0].members, "a whole whose training was lost was not refused, and is asked again"
    for name in result(study.state)["kept"]:
        assert any(name in d["members"] and d["verdict"] == "keep" for d in result(study.state)["decisions"])


@pytest.mark.slow
@pytest.mark.parametrize("flight", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_a_training_of_a_pair_that_failed_is_run_again_with_its_seed(world: Any, flight: Any) -> None:
    hand = world(budget__trainings=200)
    whole, flaky = hand.open([]), hand.open([])
    hand.finish(whole)
    assert finish_with_failures(hand, flaky, 1, flight)
    again = [t for t in flaky.state.trials if t.attempt > 0]
    assert again
    for one in again:
        first = next(t for t in flaky.state.trials if (t.trial.plan, t.trial.seed) == (one.trial.plan, one.trial.seed))
        assert first.outcome.status == "failed"
        assert one.outcome.status == "done"
    for test in flaky.state.comparisons:
        for seed in test.seeds:
            assert flaky.state.trials[flaky.state.trained[test.challenger, seed]].outcome.status == "done"
    assert judged(flaky) == judged(whole)


@pytest.mark.slow
def test_a_pair_that_fails_every_time_is_undecided_and_says_so(world: Any) -> None:
    hand = world()
    study = hand.open([])
    finish_with_failures(hand, study, pairs.RERUNS + 1)
    lost = [t for t in study.state.comparisons if reasons.LOST_PAIR in t.reasons]
    assert lost
    assert {t.verdict for t in lost} == {"undecided"}
    assert all("lamps" in t.challenger.mixture.added for t in lost)
    assert max(t.attempt for t in study.state.trials) == pairs.RERUNS
    assert "lamps" not in result(study.state)["kept"]


@pytest.mark.slow
def test_no_dataset_is_kept_because_what_it_is_held_against_failed(world: Any) -> None:
    hand = world()
    study = hand.open([])
    assert finish_with_failures(hand, study, pairs.RERUNS + 1, whose=lambda plan: "lamps" not in plan.mixture.added)
    lost = [t for t in study.state.comparisons if reasons.LOST_PAIR in t.reasons]
    assert lost
    assert {t.verdict for t in lost} == {"undecided"}
    assert result(study.state)["kept"] == []


@pytest.mark.slow
def test_a_failed_last_measurement_is_run_again_and_pairs_share_their_seed(world: Any) -> None:
    hand = world()
    study = hand.open([])
    tried = set()
    while not study.finished:
        for trial in study.ask(2):
            key = (trial.plan, trial.seed)
            if trial.phase == "test" and trial.plan == study.state.start and not tried & {key} and len(tried) < 2:
                tried.add(key)
                study.tell(trial, Outcome(status="failed", error="lost, as planned"))
            else:
                study.tell(trial, hand.outcome(study, trial))
    assert len(tried) == 2
    seen = result(study.state)["test"]["differences"]
    assert {one["pairs"] for one in seen.values()} == {allowance.final_seeds(hand.spec)}
    assert result(study.state)["spent"]["trainings"] <= hand.spec.budget.trainings


def with_lamps(plan: Any) -> bool:
    return "lamps" in plan.mixture.added


def finish_with_failures(hand: Any, study: Any, failures: Any, flight: Any = 1, whose: Any = with_lamps) -> Any:
    """Finish a study in which every training of a pair of such a plan fails so often first; return how many did."""
    met, under_way = Counter(), []
    while not study.finished:
        under_way += study.ask(flight - len(under_way))
        if study.finished:
            break
        trial = under_way.pop(0)
        key = (trial.plan, trial.seed)
        if trial.phase == "gate" and whose(trial.plan) and met[key] < failures:
            met[key] += 1
            study.tell(trial, Outcome(status="failed", error="crashed, as planned"))
        else:
            study.tell(trial, hand.outcome(study, trial))
    return met.total()


def judged(study: Any) -> Any:
    """Tests by subject, verdict and what was measured."""
    return [(d["subject"], d["verdict"], d["seeds"], d["slices"]) for d in result(study.state)["decisions"]]


def test_a_start_that_cannot_be_trained_is_refused(world: Any, executor_of: Any) -> None:
    hand = world(task__options={"fail": "all"})
    study = hand.open([])
    executor = executor_of(hand, study)
    with pytest.raises(InputError, match="too narrow, as planned") as caught:
        hand.drive(study, executor)
    assert caught.value.code == "ADC-RUN-001"
    assert len(executor.attempts) <= hand.spec.gate.calibration


def test_outputs_that_are_short_or_not_finite_are_failures(world: Any) -> None:
    import numpy as np

    hand = world()
    study = hand.open([])
    (trial,) = study.ask(1)
    good = hand.completion(trial)
    from dataclasses import replace

    for outputs, words in (
        ({}, "no predictions for validation"),
        ({"validation": good.outputs["validation"][:-1]}, "599 predictions for the 600 rows"),
        ({"validation": np.full_like(good.outputs["validation"], np.nan)}, "not finite"),
    ):
        outcome = study.score(trial, replace(good, outputs=outputs))
        assert outcome.status == "failed"
        assert words in outcome.error


def test_a_trial_of_another_study_is_refused_and_a_duplicate_ignored(world: Any) -> None:
    hand = world()
    rows = []
    study = hand.open(rows)
    (trial,) = study.ask(1)
    study.tell(trial, hand.outcome(study, trial))
    count = len(rows)
    study.tell(trial, hand.outcome(study, trial))
    assert len(rows) == count
    from dataclasses import replace

    with pytest.raises(InputError) as caught:
        study.tell(replace(trial, number=99), hand.outcome(study, trial))
    assert caught.value.code == "ADC-RUN-003"


def test_a_journal_of_another_study_is_refused(world: Any) -> None:
    rows = []
    world().open(rows)
    with pytest.raises(InputError) as caught:
        world(seed=4).open(rows)
    assert caught.value.code == "ADC-RUN-002"
