"""Metrics against scikit-learn, their orientation, and what a row is worth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from autodc.errors import SpecError
from autodc.evaluation.metrics import METRICS, find_metric, probabilities, soft_rows
from autodc.stats.jackknife import pseudo_values

RNG = np.random.default_rng(0)
ROWS = 150
CLASSES = RNG.integers(0, 4, ROWS)
LOGITS = RNG.normal(size=(ROWS, 4)) + 1.5 * np.eye(4)[CLASSES]
SHARES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
TRUTH = RNG.normal(size=ROWS)
GUESS = TRUTH + 0.3 * RNG.normal(size=ROWS)
CLEAN = RNG.random((20, 6, 6))
SSIM = {
    "grey": 0.9896637262137905,
    "bytes": 0.9895225026106802,
    "colour": 0.9850777291298414,
    "small": 0.9893254935604225,
}
"""Of scikit-image 0.26."""
NOISY = np.clip(CLEAN + 0.05 * RNG.normal(size=CLEAN.shape), 0, 1)

CLASSIFICATION = {
    "accuracy": lambda y, p: sk.accuracy_score(y, p.argmax(1)),
    "balanced_accuracy": lambda y, p: sk.balanced_accuracy_score(y, p.argmax(1)),
    "macro_f1": lambda y, p: sk.f1_score(y, p.argmax(1), average="macro"),
    "log_loss": sk.log_loss,
    "roc_auc": lambda y, p: sk.roc_auc_score(y, p, multi_class="ovr"),
    "average_precision": lambda y, p: sk.average_precision_score(np.eye(4)[y], p, average="macro"),
}
REGRESSION = {"mae": sk.mean_absolute_error, "rmse": sk.root_mean_squared_error, "r2": sk.r2_score}


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_a_classification_metric_is_that_of_scikit_learn(name: Any) -> None:
    metric, expected = find_metric(name, "classification", "."), CLASSIFICATION[name](CLASSES, SHARES)
    oriented = metric.value(SHARES, CLASSES)
    assert metric.natural(oriented) == pytest.approx(expected)
    assert oriented == pytest.approx(-expected if name == "log_loss" else expected)


CURVES = {"roc_auc": sk.roc_auc_score, "average_precision": sk.average_precision_score}


@pytest.mark.slow
@pytest.mark.parametrize("name", CURVES)
def test_a_curve_of_two_classes_is_by_the_score_of_the_second(name: Any) -> None:
    truth, logits = (CLASSES > 1).astype(int), LOGITS[:, :2]
    metric, reference = METRICS[name], CURVES[name]
    assert metric.value(logits, truth) == pytest.approx(reference(truth, logits[:, 1] - logits[:, 0]))
    slow = pseudo_values(lambda given, y: reference(y, given[:, 1]), (probabilities(logits), truth))
    np.testing.assert_allclose(metric.rows(logits, truth), slow, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", CURVES)
def test_a_curve_of_more_classes_is_the_mean_of_those_that_are_present(name: Any) -> None:
    here = CLASSES != 2
    shares, truth = SHARES[here], CLASSES[here]
    expected = np.mean([CURVES[name](truth == k, shares[:, k]) for k in (0, 1, 3)])
    assert METRICS[name].value(shares, truth) == pytest.approx(expected)
    slow = pseudo_values(METRICS[name].value, (shares, truth))
    np.testing.assert_allclose(METRICS[name].rows(shares, truth), slow, atol=1e-9)


def test_what_a_metric_is_not_defined_on_is_known_from_the_targets() -> None:
    for name in CURVES:
        assert METRICS[name].measures(np.array([0, 3, 0]))
        assert not METRICS[name].measures(np.array([3, 3]))
        assert np.isnan(METRICS[name].value(SHARES[:5], np.full(5, 3)))
    assert METRICS["r2"].measures(np.array([[1.0, 2.0], [2.0, 3.0]]))
    assert not METRICS["r2"].measures(np.array([[1.0, 2.0], [1.0, 3.0]]))
    assert METRICS["iou"].measures(np.array([[[0.0, 2.0]]]))
    assert not METRICS["iou"].measures(np.array([[[0.0, 0.5]]]))
    assert METRICS["accuracy"].measures(np.array([3, 3]))


@pytest.mark.parametrize("columns", [0, 3])
@pytest.mark.parametrize("name", REGRESSION)
def test_an_error_of_regression_is_that_of_scikit_learn_and_up_is_better(name: Any, columns: int) -> None:
    truth = np.stack([TRUTH, TRUTH**2, 5 * TRUTH], axis=1)[:, :columns] if columns else TRUTH
    guess = truth + 0.3 * RNG.normal(size=truth.shape)
    metric = find_metric(name, "regression", ".")
    assert metric.natural(metric.value(guess, truth)) == pytest.approx(REGRESSION[name](truth, guess))
    assert metric.value(truth, truth) > metric.value(guess, truth)
    slow = pseudo_values(metric.value, (guess, truth))
    np.testing.assert_allclose(metric.rows(guess, truth), slow, atol=1e-9)


def test_psnr_of_images_is_in_decibels_and_of_bytes_has_another_peak() -> None:
    metric = find_metric("psnr", "image_to_image", ".")
    error = ((NOISY - CLEAN) ** 2).mean(axis=(1, 2))
    assert metric.value(NOISY, CLEAN) == pytest.approx((10 * np.log10(1 / error)).mean())
    assert metric.value(NOISY * 255, CLEAN * 255) == pytest.approx(metric.value(NOISY, CLEAN))


def test_structural_similarity_is_that_of_scikit_image() -> None:
    down, right = np.mgrid[:20, :16]
    clean = (np.sin(down / 3) * np.cos(right / 2) + 1) / 2
    given = np.clip(clean * 0.9 + 0.05 * ((down * 7 + right * 3) % 5) / 4, 0, 1)

    def ssim(outputs: Any, targets: Any) -> float:
        return find_metric("ssim", "image_to_image", ".").value(outputs[None], targets[None])

    def coloured(image: Any) -> Any:
        return np.stack([image, image**2, 1 - image], axis=-1)

    def in_bytes(image: Any) -> Any:
        return np.rint(image * 255).astype(np.uint8)

    assert ssim(given, clean) == pytest.approx(rel=1e-9, expected=SSIM["grey"])
    assert ssim(in_bytes(given), in_bytes(clean)) == pytest.approx(rel=1e-9, expected=SSIM["bytes"])
    assert ssim(coloured(given), coloured(clean)) == pytest.approx(rel=1e-9, expected=SSIM["colour"])
    assert ssim(np.moveaxis(coloured(given), 2, 0), np.moveaxis(coloured(clean), 2, 0)) == pytest.approx(
        rel=1e-9, expected=SSIM["colour"]
    )
    assert ssim(given[:5, :6], clean[:5, :6]) == pytest.approx(rel=1e-9, expected=SSIM["small"])


def test_intersection_over_union_is_the_jaccard_score_of_what_is_no_background() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 4, (30, 6, 6))
    given = np.where(rng.random(truth.shape) < 0.7, truth, rng.integers(0, 4, truth.shape))
    truth[0] = given[0] = truth[1] = 0
    wanted = [1.0]
    for t, o in zip(truth[1:], given[1:], strict=True):
        classes = [k for k in np.union1d(t, o) if k > 0]
        wanted.append(sk.jaccard_score(t.ravel(), o.ravel(), labels=classes, average="macro", zero_division=0))
    metric = find_metric("iou", "image_to_image", ".")
    np.testing.assert_allclose(metric.rows(given + 0.3, truth), wanted)
    assert metric.rows(np.full((1, 2, 2), 9.0), np.ones((1, 2, 2)))[0] == 0.0  # no target has class 9
    binary = (truth > 1).astype(np.uint8)
    np.testing.assert_allclose(metric.rows(given > 1, binary), metric.rows((given > 1) * 200.0, binary * 255))


@pytest.mark.parametrize("name", METRICS)
def test_twenty_thousand_rows_have_their_values_without_a_metric_per_row(name: Any) -> None:
    metric, calls = METRICS[name], []
    if metric.is_mean:
        return
    counting = replace(metric, of=lambda *given: calls.append(1) or metric.of(*given))
    rng, rows = np.random.default_rng(0), 20_000
    truth = rng.integers(0, 3, rows) if metric.kinds[0] == "classification" else rng.normal(size=(rows, 2))
    given = np.eye(3)[truth] + rng.normal(size=(rows, 3)) if truth.ndim == 1 else truth + rng.normal(size=truth.shape)
    assert counting.rows(given, truth).mean() == pytest.approx(metric.value(given, truth))
    assert not calls


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


@pytest.mark.slow
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
