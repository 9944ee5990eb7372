"""A slice that joins a running study: trainings of before have their value there, what comes is held to it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from autodc.errors import DataError, InputError
from autodc.evaluation.scores import WIDE, kept_outputs
from autodc.evaluation.slices import cut_slice
from autodc.review.result import result
from autodc.studyfile.study import SliceSpec

FULL = [
    {"name": "overall", "role": "guard", "margin": 0.05},
    {"name": "dark", "where": "region = 'dark'", "role": "target"},
    {"name": "bright", "where": "region = 'bright'", "role": "guard", "margin": 0.05},
]
BRIGHT = SliceSpec.model_validate(FULL[2])


def values(study: Any) -> Any:
    """What the first twelve trainings score on the rows of either side."""
    return [(dict(t.outcome.slices), dict(t.outcome.explore)) for t in study.state.trials[:12]]


@pytest.fixture(scope="module")
def grown(world: Any) -> Any:
    """A study that began with two slices and was given a third after twelve trainings, at its end; and its rows."""
    hand, rows = world(slices=FULL[:2], budget__trainings=120), []
    study = hand.open(rows)
    hand.advance(study, 12)
    study.admit_slice(BRIGHT)
    early = values(study)
    hand.finish(study)
    return hand, study, rows, early


@pytest.mark.slow
def test_trainings_of_before_have_the_value_they_would_have_had(grown: Any) -> None:
    hand, study, _, early = grown
    bright = cut_slice(BRIGHT, hand.inputs.catalogue).rows
    sides = [np.intersect1d(bright, hand.inputs.sides.gate["validation"])]
    sides += [np.intersect1d(bright, hand.inputs.sides.explore["validation"])]
    for one, told in zip(study.state.trials, early, strict=False):
        hits = hand.store.get(one.outcome.arrays)["validation.score"]
        assert [side["bright"] for side in told] == pytest.approx([hits[rows].mean() for rows in sides])


@pytest.mark.slow
def test_it_is_as_if_the_file_had_named_it(world: Any) -> None:
    seen = []
    for slices in (FULL[:2], FULL):
        hand = world(slices=slices, data__explore_share=0)
        study = hand.open([])
        hand.advance(study, 12)
        if slices != FULL:
            study.admit_slice(BRIGHT)
        seen.append(values(study))
    assert seen[0] == seen[1]


@pytest.mark.slow
def test_no_earlier_training_becomes_a_failure_and_all_that_comes_is_held_to_it(grown: Any) -> None:
    _, study, _, _ = grown
    assert not study.state.failures
    assert all("bright" in t.outcome.slices for t in study.state.trials)
    content = result(study.state)
    assert content["kept"] == ["lamps"]
    assert all("bright" in decision["slices"] for decision in content["decisions"])
    assert "bright" in content["test"]["after"]
    assert "bright" in content["validation"]["before"]


@pytest.mark.slow
def test_the_journal_alone_has_it(grown: Any) -> None:
    hand, study, rows, _ = grown
    again = hand.open(list(rows))
    assert result(again.state) == result(study.state)
    assert [s.name for s in again._slices.table.slices] == ["overall", "dark", "bright"]


@pytest.mark.slow
def test_a_longer_budget_does_not_forget_it(grown: Any, world: Any) -> None:
    hand, _, rows, _ = grown
    longer = world(slices=FULL[:2], budget__trainings=160, loop__rounds=3)
    longer.store = copy.deepcopy(hand.store)  # a study that goes on forgets what the end of this one predicted
    study = longer.open(list(rows))
    assert study.state.extensions
    assert "bright" in study.state.question.slices
    longer.finish(study)
    assert all("bright" in t.outcome.slices for t in study.state.trials)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"name": "dark", "where": "region = 'bright'", "role": "target"}, "ADC-RUN-090"),
        ({"name": "none", "where": "region = 'nowhere'", "role": "target"}, "ADC-SLICE-001"),
        ({"name": "typo", "where": "regoin = 'dark'", "role": "target"}, "ADC-DATA-031"),
        ({"name": "file", "source": "data/test.npz", "role": "target"}, "ADC-SLICE-004"),
    ],
)
def test_what_cannot_be_a_slice_is_refused_and_nothing_is_journalled(world: Any, rule: Any, code: str) -> None:
    hand, rows = world(slices=FULL[:2]), []
    study = hand.open(rows)
    hand.advance(study, 2)
    before = list(rows)
    with pytest.raises((DataError, InputError)) as found:
        study.admit_slice(SliceSpec.model_validate(rule))
    assert found.value.code == code
    assert rows == before


@pytest.mark.slow
def test_predictions_of_start_and_incumbent_are_kept_and_no_others(grown: Any) -> None:
    hand, study, _, _ = grown
    state = study.state
    assert set(state.outputs) == {state.start, state.incumbent}
    catalogue = hand.inputs.catalogue
    rows = hand.inputs.gate["dark"].rows
    for plan in (state.start, state.incumbent):
        predicted = study.outputs(plan)["validation"]
        assert predicted.shape == (len(catalogue.validation), 3)
        value = float((predicted[rows].argmax(axis=1) == catalogue.validation.y[rows]).mean())
        values = [t.outcome.slices["dark"] for t in state.trials if t.trial.plan == plan]
        assert any(seen == pytest.approx(value) for seen in values)


def test_images_are_kept_with_half_the_digits() -> None:
    rng = np.random.default_rng(0)
    image, label = rng.random((3, 40, 40)), rng.random((3, 10))
    kept = kept_outputs({"validation": image, "slice-own": label}, ["validation", "slice-own"])
    assert image[0].size > WIDE
    assert kept["validation"].dtype == np.float16
    assert np.abs(kept["validation"] - image).max() < 1e-3
    assert kept["slice-own"].dtype == np.float32
