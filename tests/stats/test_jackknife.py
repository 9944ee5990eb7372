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


def test_auc_agrees_with_sklearn_ties_included() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(300) < 0.3
    score = np.round(truth + rng.normal(size=300), 1)
    values = jackknife.auc(truth, score)
    slow = jackknife.pseudo_values(metrics.roc_auc_score, (truth, score))
    assert values.mean() == pytest.approx(metrics.roc_auc_score(truth, score), abs=1e-12)
    assert values == pytest.approx(slow, abs=1e-9)


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
