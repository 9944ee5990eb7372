"""Trainings that fail are told, not left out: the search learns of them, the gate does not pass them."""

from __future__ import annotations

import pytest

from autodc.errors import InputError
from autodc.study import pairs


def test_failing_settings_are_told_and_the_study_goes_on(world):
    hand = world(task__options={"fail": "narrow"})
    study = hand.open([])
    hand.finish(study)
    failed = [t for t in study.state.trials if t.outcome.status == "failed"]
    assert failed
    assert all(dict(t.trial.plan.hyperparameters)["width"] < 4 for t in failed)
    assert "too narrow" in failed[0].outcome.error
    assert study.result()["kept"] == ["lamps"]


def test_a_challenger_that_fails_on_a_seed_of_the_gate_does_not_pass_on_it(world):
    seed = pairs.pair_seed(world().spec, 1, 0)
    hand = world(task__options={"fail": "lamps", "fail_seed": seed})
    study = hand.open([])
    hand.finish(study)
    touched = [t for t in study.state.tests if seed in t.seeds and "lamps" in t.challenger.mixture.added]
    assert touched, "no test met the failing training"
    assert all(t.verdict != "keep" for t in touched)
    for name in study.result()["kept"]:
        assert any(d["subject"] == name and d["verdict"] == "keep" for d in study.result()["decisions"])


def test_a_start_that_cannot_be_trained_is_refused(world, executor_of):
    hand = world(task__options={"fail": "all"})
    study = hand.open([])
    executor = executor_of(hand, study)
    with pytest.raises(InputError, match="too narrow, as planned") as caught:
        hand.drive(study, executor)
    assert caught.value.code == "ADC-RUN-001"
    assert len(executor.attempts) <= hand.spec.gate.calibration


def test_outputs_that_are_short_or_not_finite_are_failures(world):
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


def test_a_trial_of_another_study_is_refused_and_a_duplicate_ignored(world):
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


def test_a_journal_of_another_study_is_refused(world):
    rows = []
    world().open(rows)
    with pytest.raises(InputError) as caught:
        world(seed=4).open(rows)
    assert caught.value.code == "ADC-RUN-002"
