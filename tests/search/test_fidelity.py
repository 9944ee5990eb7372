"""The ladder, promotion on it, the measured agreement, and what the surrogate makes of cheap trainings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autodc.search.fidelity import agreement, promotion, rungs
from autodc.search.history import History
from autodc.search.surrogates.modeller import SelectingModeller
from autodc.stats.rank import spearman


def test_the_ladder_goes_up_by_threes() -> None:
    assert rungs(0.33) == (0.33, 1.0)
    assert rungs(0.1) == (0.1, 0.3, 1.0)
    assert rungs(0.9) == (0.9, 1.0)


def test_the_best_third_of_a_rung_is_promoted_once() -> None:
    ladder = (0.1, 0.3, 1.0)
    values = {0.1: {n: float(n) for n in range(6)}}
    assert promotion(ladder, values, {0.1: frozenset(range(6))}) == (5, 0.3)
    assert promotion(ladder, values, {0.3: frozenset({5})}) == (4, 0.3)
    assert promotion(ladder, values, {0.3: frozenset({4, 5})}) is None


def test_the_highest_rung_promotes_first_and_failures_never() -> None:
    values = {0.1: dict.fromkeys(range(9), 0.0), 0.3: {0: 1.0, 1: 0.5, 2: -math.inf}}
    assert promotion((0.1, 0.3, 1.0), values, {}) == (0, 1.0)
    assert promotion((0.3, 1.0), {0.3: dict.fromkeys(range(6), -math.inf)}, {}) is None


def test_agreement_leaves_out_what_failed_and_needs_a_few_pairs() -> None:
    cheap = {n: float(n) for n in range(8)} | {8: -math.inf}
    found = agreement(cheap, {n: float(n) + 10 for n in range(9)})
    assert found.pairs == 8
    assert found.holds(0.8)
    assert not agreement({0: 1.0}, {0: 1.0}).holds(0.0)
    assert not agreement(dict.fromkeys(range(8), 1.0), {n: float(n) for n in range(8)}).holds(0.0)


def test_the_interval_of_a_rank_correlation_covers_as_often_as_it_says() -> None:
    rng, covered = np.random.default_rng(0), 0
    true = 6 / np.pi * np.arcsin(0.8 / 2)
    for _ in range(400):
        x = rng.standard_normal(20)
        y = 0.8 * x + 0.6 * rng.standard_normal(20)
        _, low, high = spearman(x, y)
        covered += low <= true <= high
    assert covered / 400 == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("low", [0.25, None])
def test_a_model_of_full_trainings_is_not_pulled_down_by_cheap_ones(low: Any) -> None:
    rng = np.random.default_rng(3)
    rows = rng.random((40, 3))
    truth = rows @ [1.0, -0.5, 0.2]
    fidelity = np.where(np.arange(40) < 28, low or 1.0, 1.0)
    told = truth - 2.0 * (fidelity < 1) + 0.02 * rng.standard_normal(40)
    history = History.told(rows=rows, raw={"a": told}, fidelity=fidelity, seeds=np.arange(40), shares={"a": 1.0})
    model = SelectingModeller(lambda x: x, np.array([True, True, False]), {"a": 1.0}).objective(history)
    fresh = rng.random((50, 3))
    mean, _ = model.predict(fresh)
    assert np.abs(mean - fresh @ [1.0, -0.5, 0.2]).max() < 0.1


def test_a_cheap_wreck_does_not_set_the_penalty_of_full_trainings() -> None:
    values = np.array([-9.0, -8.0, 1.0, 2.0, np.nan])
    history = History.told(
        rows=np.zeros((5, 1)),
        raw={"a": values},
        fidelity=np.array([0.3, 0.3, 1.0, 1.0, 1.0]),
        seeds=np.arange(5),
        shares={"a": 1.0},
    )
    assert history.objective[4] == 1.0
