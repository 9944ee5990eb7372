from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from autodc.errors import StatsError
from autodc.stats import jackknife


def _labels(rows: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.choice(4, size=rows, p=[0.5, 0.3, 0.15, 0.05])
    return truth, np.where(rng.random(rows) < 0.7, truth, rng.integers(0, 4, size=rows))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quick", "reference"),
    [
        (jackknife.balanced_accuracy, metrics.balanced_accuracy_score),
        (jackknife.macro_f1, lambda t, p: metrics.f1_score(t, p, average="macro")),
    ],
)
def test_label_metrics_agree_with_sklearn_and_with_leaving_rows_out(quick: Any, reference: Any) -> None:
    truth, predicted = _labels()
    values = quick(truth, predicted)
    slow = jackknife.pseudo_values(reference, (truth, predicted))
    assert values.mean() == pytest.approx(reference(truth, predicted), abs=1e-12)
    assert slow.mean() == pytest.approx(reference(truth, predicted), abs=1e-12)
    assert values == pytest.approx(slow, abs=1e-9)


@pytest.mark.slow
def test_auc_agrees_with_sklearn_ties_included() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(300) < 0.3
    score = np.round(truth + rng.normal(size=300), 1)
    values = jackknife.auc(truth, score)
    slow = jackknife.pseudo_values(metrics.roc_auc_score, (truth, score))
    assert values.mean() == pytest.approx(metrics.roc_auc_score(truth, score), abs=1e-12)
    assert values == pytest.approx(slow, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_average_precision_agrees_with_sklearn_and_with_leaving_rows_out_ties_included(share: float) -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(200) < share
    score = np.round(truth + rng.normal(size=200), 1)
    values = jackknife.average_precision(truth, score)
    slow = jackknife.pseudo_values(metrics.average_precision_score, (truth, score))
    assert values.mean() == pytest.approx(metrics.average_precision_score(truth, score), abs=1e-12)
    assert values == pytest.approx(slow, abs=1e-9)


def test_a_single_positive_has_a_value_and_no_spread_of_its_own() -> None:
    truth, score = np.arange(5) == 3, np.array([0.9, 0.2, 0.5, 0.6, 0.1])
    values = jackknife.average_precision(truth, score)
    assert values.mean() == pytest.approx(0.5)
    assert values[3] == pytest.approx(0.5)
    assert values[0] < 0.5 < values[1]  # without the row above it the positive is first


@pytest.mark.parametrize("shape", [(120,), (120, 3)])
def test_explained_variance_agrees_with_sklearn_and_with_leaving_rows_out(shape: Any) -> None:
    rng = np.random.default_rng(4)
    truth = rng.normal(size=shape) * np.arange(1, 1 + shape[-1]) ** (len(shape) - 1)
    predicted = truth + rng.normal(size=shape)
    values = jackknife.r_squared(truth, predicted)
    slow = jackknife.pseudo_values(metrics.r2_score, (truth, predicted))
    assert values.mean() == pytest.approx(metrics.r2_score(truth, predicted), abs=1e-12)
    assert values == pytest.approx(slow, abs=1e-9)


def test_explained_variance_of_one_value_is_refused_and_of_one_odd_row_is_finite() -> None:
    with pytest.raises(StatsError, match="ADC-STAT-033"):
        jackknife.r_squared(np.ones(5), np.zeros(5))
    truth = np.array([0.0, 0.0, 0.0, 0.0, 2.0])
    assert np.isfinite(jackknife.r_squared(truth, truth + 0.1)).all()


def test_root_mean_is_rmse_and_its_spread_is_the_sampling_error() -> None:
    rng = np.random.default_rng(2)
    samples = rng.exponential(size=(2000, 400))
    rmse = np.sqrt(samples.mean(axis=1))
    values = jackknife.root_mean(samples[0])
    assert values.mean() == pytest.approx(rmse[0], abs=1e-12)
    error = np.mean([jackknife.root_mean(s).std() / 20 for s in samples[:200]])
    assert error == pytest.approx(rmse.std(), rel=0.06)
    assert jackknife.root_mean(np.zeros(5)).tolist() == [0.0] * 5


def test_a_mean_is_its_own_pseudo_value() -> None:
    values = np.random.default_rng(0).normal(size=50)
    assert jackknife.pseudo_values(np.mean, (values,)) == pytest.approx(values)


def test_what_has_no_pseudo_values_is_refused() -> None:
    with pytest.raises(StatsError, match="ADC-STAT-032"):
        jackknife.auc(np.ones(4), np.arange(4.0))
    with pytest.raises(StatsError, match="ADC-STAT-030"):
        jackknife.pseudo_values(np.mean, (np.zeros(3), np.zeros(4)))
    with pytest.raises(StatsError, match="ADC-STAT-031"):
        jackknife.pseudo_values(lambda x: np.nan, (np.zeros(3),))
