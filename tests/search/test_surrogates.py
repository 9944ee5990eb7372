"""The models: gradients, leave-one-out by formula and by refitting, prediction of what was planted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import check_grad

from autodc.search.surrogates.combined import Averaged, Weighted
from autodc.search.surrogates.gaussian import GaussianProcess, Loss, Sample, prior, tune
from autodc.search.surrogates.ridge import BLOCK, Design, Ridge, tune_ridge


def sample(count: Any, rng: Any, noise: Any = 0.05) -> Any:
    x = rng.random((count, 6)) * np.array([1, 1, 1, 1, 1, 1]) - np.array([0, 0, 0, 0, 0.5, 0.5])
    y = x[:, 0] - 0.7 * x[:, 1] - 3 * (x[:, 4] - 0.2) ** 2 + x[:, 2] * x[:, 3]
    y = (y - y.mean()) / y.std() + noise * rng.standard_normal(count)
    seeds = np.arange(count) // 2
    data = np.array([True] * 4 + [False] * 2)
    return Sample(features=x, target=y, noise=np.ones(count), seeds=seeds, data=data)


def test_the_gradient_of_the_evidence_is_that_of_finite_differences() -> None:
    made = sample(25, np.random.default_rng(0))
    centre, spread = prior(made.data)
    loss = Loss(made, centre, spread)
    for shift in (0.0, 0.4):
        error = check_grad(lambda t: loss(t)[0], lambda t: loss(t)[1], centre + shift)
        assert error < 1e-3


@pytest.mark.parametrize(("kind", "fit"), [(GaussianProcess, tune), (Ridge, tune_ridge)])
def test_left_out_predictions_are_those_of_a_model_that_never_saw_the_row(kind: Any, fit: Any) -> None:
    made = sample(30, np.random.default_rng(1))
    theta = fit(made)
    left_out = kind(made, theta).left_out()
    for i in (0, 13, 29):
        rest = np.arange(30) != i
        other = Sample(
            features=made.features[rest],
            target=made.target[rest],
            noise=made.noise[rest],
            seeds=np.arange(29) if kind is Ridge else made.seeds[rest],
            data=made.data,
        )
        refitted = kind(other, theta).predict(made.features[i : i + 1])[0][0]
        if kind is Ridge:
            assert left_out[i] == pytest.approx(refitted, abs=1e-6)
        else:
            assert left_out[i] == pytest.approx(refitted, abs=0.2)


@pytest.mark.parametrize(("kind", "fit"), [(GaussianProcess, tune), (Ridge, tune_ridge)])
def test_what_was_planted_is_predicted_on_new_rows(kind: Any, fit: Any) -> None:
    rng = np.random.default_rng(2)
    made, new = sample(80, rng), sample(200, rng, noise=0.0)
    mean, sd = kind(made, fit(made)).predict(new.features)
    assert np.corrcoef(mean, new.target)[0, 1] > 0.95
    assert (sd > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "fit"), [(GaussianProcess, tune), (Ridge, tune_ridge)])
def test_draws_scatter_about_the_mean_as_the_posterior_says(kind: Any, fit: Any) -> None:
    rng = np.random.default_rng(3)
    made = sample(40, rng)
    model = kind(made, fit(made))
    rows = rng.random((5, 6))
    drawn = np.array([model.sampled(rng)(rows) for _ in range(3000)])
    mean, sd = model.predict(rows)
    assert model.mean()(rows) == pytest.approx(mean, abs=1e-4)
    assert np.abs(drawn.mean(0) - mean).max() < 0.1 * sd.max() + 0.02
    assert drawn.std(0) == pytest.approx(sd, rel=0.1)
    gap, spread = model.difference(rows[:1], rows[1:2])
    assert gap[0] == pytest.approx(mean[0] - mean[1])
    assert (drawn[:, 0] - drawn[:, 1]).std() == pytest.approx(spread[0], rel=0.1)


@pytest.mark.slow
def test_an_average_of_models_doubts_what_they_disagree_about() -> None:
    rng = np.random.default_rng(4)
    made = sample(30, rng)
    parts = [
        Weighted([(1.0, 0.0, 1.0, GaussianProcess(made, tune(made)))]),
        Weighted([(1.0, 1.0, 1.0, Ridge(made, tune_ridge(made)))]),
    ]
    both, rows = Averaged(parts), rng.random((6, 6))
    (one, one_sd), (two, two_sd) = (part.predict(rows) for part in parts)
    mean, sd = both.predict(rows)
    assert mean == pytest.approx((one + two) / 2)
    assert both.mean()(rows) == pytest.approx(mean, abs=1e-4)
    assert sd**2 == pytest.approx((one_sd**2 + two_sd**2) / 2 + ((one - two) / 2) ** 2)
    drawn = np.array([both.sampled(rng)(rows) for _ in range(2000)])
    assert drawn.std(0) == pytest.approx(sd, rel=0.1)


def wide(count: Any) -> Any:
    """Too many features for pairs, with clusters of datasets."""
    rng = np.random.default_rng(3)
    x, data = rng.random((count, 30)), np.arange(30) % 3 > 0
    bands = tuple(rng.integers(0, 2, (30, 2)).astype(float) * data[:, None] for _ in range(2))
    noise = rng.choice([1.0, 4.0], count)
    return Sample(
        features=x, target=x[:, 1] - x[:, 0] ** 2, noise=noise, seeds=np.arange(count), data=data, clusters=bands
    )


def test_a_ridge_that_went_on_with_a_history_is_that_of_one_who_starts_in_the_middle() -> None:
    whole = wide(3 * BLOCK + 10)
    before = Design.of(whole.head(2 * BLOCK + 3))
    after = Design.of(whole, 2 * BLOCK, before.whole)
    np.testing.assert_array_equal(after.gram, Design.of(whole).gram)
    weighted = after.basis / whole.noise[:, None]
    np.testing.assert_allclose(after.gram, weighted.T @ after.basis, rtol=1e-9)


def test_the_mean_of_a_wide_ridge_as_a_function_is_what_it_predicts() -> None:
    made = wide(100)
    model = Ridge(made, tune_ridge(made))
    np.testing.assert_allclose(model.mean()(made.features), model.predict(made.features)[0], atol=1e-9)
