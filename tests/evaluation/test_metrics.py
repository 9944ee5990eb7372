"""Metrics against scikit-learn, their orientation, and what a row is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from autodc.errors import SpecError
from autodc.evaluation.metrics import METRICS, find_metric, soft_rows

RNG = np.random.default_rng(0)
ROWS = 150
CLASSES = RNG.integers(0, 4, ROWS)
LOGITS = RNG.normal(size=(ROWS, 4)) + 1.5 * np.eye(4)[CLASSES]
SHARES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
TRUTH = RNG.normal(size=ROWS)
GUESS = TRUTH + 0.3 * RNG.normal(size=ROWS)
CLEAN = RNG.random((20, 6, 6))
NOISY = np.clip(CLEAN + 0.05 * RNG.normal(size=CLEAN.shape), 0, 1)

CLASSIFICATION = {
    "accuracy": lambda y, p: sk.accuracy_score(y, p.argmax(1)),
    "balanced_accuracy": lambda y, p: sk.balanced_accuracy_score(y, p.argmax(1)),
    "macro_f1": lambda y, p: sk.f1_score(y, p.argmax(1), average="macro"),
    "log_loss": sk.log_loss,
}
REGRESSION = {"mae": sk.mean_absolute_error, "rmse": sk.root_mean_squared_error}


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_a_classification_metric_is_that_of_scikit_learn(name: Any) -> None:
    metric, expected = find_metric(name, "classification", "."), CLASSIFICATION[name](CLASSES, SHARES)
    oriented = metric.value(SHARES, CLASSES)
    assert metric.natural(oriented) == pytest.approx(expected)
    assert oriented == pytest.approx(-expected if name == "log_loss" else expected)


@pytest.mark.parametrize("name", REGRESSION)
def test_an_error_of_regression_is_that_of_scikit_learn_and_up_is_better(name: Any) -> None:
    metric = find_metric(name, "regression", ".")
    assert metric.natural(metric.value(GUESS, TRUTH)) == pytest.approx(REGRESSION[name](TRUTH, GUESS))
    assert metric.value(TRUTH, TRUTH) > metric.value(GUESS, TRUTH)


def test_psnr_of_images_is_in_decibels_and_of_bytes_has_another_peak() -> None:
    metric = find_metric("psnr", "image_to_image", ".")
    error = ((NOISY - CLEAN) ** 2).mean(axis=(1, 2))
    assert metric.value(NOISY, CLEAN) == pytest.approx((10 * np.log10(1 / error)).mean())
    assert metric.value(NOISY * 255, CLEAN * 255) == pytest.approx(metric.value(NOISY, CLEAN))


@pytest.mark.parametrize("name", METRICS)
def test_the_mean_over_rows_is_the_metric(name: Any) -> None:
    metric = METRICS[name]
    kind = metric.kinds[0]
    outputs, targets = {
        "classification": (SHARES, CLASSES),
        "regression": (GUESS, TRUTH),
        "image_to_image": (NOISY, CLEAN),
    }[kind]
    rows = metric.rows(outputs, targets)
    assert rows.shape == (len(targets),)
    assert rows.mean() == pytest.approx(metric.value(outputs, targets), rel=1e-2 if not metric.is_mean else 1e-9)


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1"])
def test_pseudo_values_have_the_spread_of_the_bootstrap(name: Any) -> None:
    metric, rng = METRICS[name], np.random.default_rng(1)
    draws = [rng.integers(0, ROWS, ROWS) for _ in range(300)]
    spread = np.std([metric.value(SHARES[d], CLASSES[d]) for d in draws])
    assert metric.rows(SHARES, CLASSES).std(ddof=1) / np.sqrt(ROWS) == pytest.approx(spread, rel=0.2)


def test_scores_that_are_no_shares_are_taken_as_logits() -> None:
    metric = METRICS["log_loss"]
    assert metric.value(LOGITS, CLASSES) == pytest.approx(metric.value(SHARES, CLASSES))
    np.testing.assert_allclose(
        soft_rows("classification", LOGITS, CLASSES), SHARES[np.arange(ROWS), CLASSES], rtol=1e-9
    )


def test_the_soft_score_of_values_is_minus_the_absolute_error() -> None:
    np.testing.assert_allclose(soft_rows("regression", GUESS, TRUTH), -np.abs(GUESS - TRUTH))


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("acuracy", "classification", "ADC-METRIC-001"),
        ("psnr", "classification", "ADC-METRIC-002"),
        ("nowhere.py:Metric", "regression", "ADC-METRIC-003"),
    ],
)
def test_a_metric_that_does_not_fit_is_refused(tmp_path: Path, name: Any, kind: Any, code: Any) -> None:
    with pytest.raises(SpecError) as caught:
        find_metric(name, kind, str(tmp_path))
    assert caught.value.code == code
    assert caught.value.hint


def test_a_metric_of_ones_own_is_oriented_and_has_pseudo_values(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "class Median:\n    better = 'lower'\n    def value(self, outputs, targets):\n"
        "        import numpy as np\n        return float(np.mean(np.abs(outputs - targets)) ** 0.5)\n"
    )
    metric = find_metric("own.py:Median", "regression", str(tmp_path))
    assert metric.value(GUESS, TRUTH) == pytest.approx(-np.sqrt(np.abs(GUESS - TRUTH).mean()))
    assert metric.rows(GUESS, TRUTH).mean() == pytest.approx(metric.value(GUESS, TRUTH), rel=1e-2)
