"""What a probe says of a dataset: a surer or a more timid model is no better one, one that knows more is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from autodc.evaluation.probing import probed_changes, probed_rows, temperature
from autodc.evaluation.slices import Slice, SliceTable

ROWS, CLASSES = 600, 4


@pytest.fixture
def scores() -> tuple[Any, Any]:
    """Scores of a model that knows something, and the truth."""
    rng = np.random.default_rng(2)
    truth = rng.integers(0, CLASSES, ROWS)
    return rng.normal(0, 1, (ROWS, CLASSES)) + 1.2 * np.eye(CLASSES)[truth], truth


def table(truth: Any) -> SliceTable:
    half = np.arange(ROWS // 2)
    slices = [("all", np.arange(ROWS), "target"), ("first", half, "guard")]
    return SliceTable(
        slices=tuple(
            Slice(name=n, role=role, margin=None, weight=1.0, part="validation", rows=rows, clusters=None)
            for n, rows, role in slices
        ),
        targets={"validation": truth},
    )


def changes(truth: Any, *forks: Any, kind: Any = "classification") -> list[dict[str, float]]:
    names = tuple(f"d{i}" for i in range(len(forks) - 1))
    rows = probed_rows(table(truth), kind, {"validation": np.stack(forks)})
    return list(probed_changes(table(truth), rows, names).values())


def test_a_model_that_is_only_more_timid_has_not_learnt(scores: tuple[Any, Any]) -> None:
    raw, truth = scores
    sure = softmax(6 * raw, axis=1)
    timid, better = softmax(5 * raw, axis=1), softmax(6 * (raw + 0.1 * np.eye(CLASSES)[truth]), axis=1)
    (of_timid,), (of_better,) = ([one["all"]] for one in changes(truth, sure, timid, better))
    assert abs(of_timid) < 0.2 * of_better
    plain = [float(np.log(p[np.arange(ROWS), truth]).mean()) for p in (sure, timid, better)]
    assert plain[1] - plain[0] > plain[2] - plain[0], "the plain log-probability likes the timid one best"


def test_the_temperature_is_found(scores: tuple[Any, Any]) -> None:
    raw, truth = scores
    assert temperature(softmax(3 * raw, axis=1), truth) == pytest.approx(
        3 * temperature(softmax(raw, axis=1), truth), rel=0.05
    )


def test_every_slice_has_its_change(scores: tuple[Any, Any]) -> None:
    raw, truth = scores
    half = raw.copy()
    half[: ROWS // 2] += 0.3 * np.eye(CLASSES)[truth[: ROWS // 2]]
    (found,) = changes(truth, softmax(raw, axis=1), softmax(half, axis=1))
    assert found["first"] == pytest.approx(2 * found["all"], rel=1e-3)
    assert found["all"] > 0


def test_values_are_scored_by_their_error() -> None:
    truth = np.linspace(0, 1, ROWS)
    (found,) = changes(truth, truth + 0.3, truth + 0.1, kind="regression")
    assert found["all"] == pytest.approx(0.2)
