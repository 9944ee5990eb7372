"""Intervals of a metric: exact for hits, inside its range, and as wide as another draw of rows moves it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from autodc.evaluation.intervals import value_interval
from autodc.evaluation.metrics import METRICS

Array = np.ndarray[Any, Any]


def scores(truth: Array, wrong: Array, classes: int = 2) -> Array:
    given = np.where(wrong, (truth + 1) % classes, truth)
    return np.eye(classes)[given]


@pytest.mark.parametrize("right", [0, 3, 40, 50])
def test_a_share_of_hits_has_the_interval_of_clopper_and_pearson(right: int) -> None:
    truth = np.arange(50) % 2
    metric = METRICS["accuracy"]
    rows = metric.rows(scores(truth, np.arange(50) >= right), truth)
    expected = binomtest(right, 50).proportion_ci(0.95, method="exact")
    assert value_interval(metric, rows, None, truth) == pytest.approx((expected.low, expected.high))


def test_copies_of_every_row_make_no_interval_narrower() -> None:
    truth = np.arange(200) % 2
    metric = METRICS["accuracy"]
    rows = metric.rows(scores(truth, np.random.default_rng(0).random(200) < 0.2), truth)
    once = value_interval(metric, rows, None, truth)
    copied = value_interval(metric, np.repeat(rows, 5), np.repeat(np.arange(200), 5), np.repeat(truth, 5))
    assert copied == pytest.approx(once, abs=2e-3)


def test_a_mean_over_classes_that_is_perfect_is_as_sure_as_its_rarest_class() -> None:
    truth = np.repeat([0, 1], [990, 10])
    metric = METRICS["balanced_accuracy"]
    rows = metric.rows(scores(truth, np.zeros(1000, dtype=bool)), truth)
    low, high = value_interval(metric, rows, None, truth)
    assert high == 1.0
    assert 0.85 < low < 0.95


@pytest.mark.parametrize(
    ("name", "least", "most"), [("rmse", 0.0, np.inf), ("r2", -np.inf, 1.0), ("roc_auc", 0.0, 1.0)]
)
def test_an_interval_stays_where_the_metric_can_be(name: str, least: float, most: float) -> None:
    rng = np.random.default_rng(3)
    metric = METRICS[name]
    truth = rng.integers(0, 2, 12) if name == "roc_auc" else rng.normal(size=12)
    outputs = (
        np.stack([1 - truth, truth], 1) * 0.8 + 0.1 + 0.01 * rng.normal(size=(12, 2)) if name == "roc_auc" else truth
    )
    outputs = outputs if name == "roc_auc" else outputs + np.where(np.arange(12) == 0, 1.0, 1e-3)
    low, high = value_interval(metric, metric.rows(outputs, truth), None, truth)
    value = metric.natural(metric.value(outputs, truth))
    assert least <= low <= value <= high <= most


@pytest.mark.slow(seconds=3)
@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "rmse"])
def test_it_holds_the_truth_as_often_as_it_says(name: str) -> None:
    metric = METRICS[name]
    held = []

    def drawn(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        if name == "rmse":
            truth = rng.normal(size=n)
            return truth + rng.normal(size=n), truth
        truth = rng.integers(0, 2, n)
        p = 1 / (1 + np.exp(-(rng.normal(size=n) + 1.5 * (2 * truth - 1))))
        return np.stack([1 - p, p], 1), truth

    outputs, truth = drawn(np.random.default_rng(0), 200_000)
    target = metric.natural(metric.value(outputs, truth))
    for seed in range(400):
        outputs, truth = drawn(np.random.default_rng(seed + 1), 120)
        low, high = value_interval(metric, metric.rows(outputs, truth), None, truth)
        held.append(low <= target <= high)
    assert 0.925 <= np.mean(held) <= 0.99
