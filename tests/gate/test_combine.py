"""Gate rows and explore rows together, and what rows a whole and a guard take."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtri

from autodc.gate.combine import combined
from autodc.gate.power import certifiable, rows_for_whole
from autodc.gate.thresholds import SURE
from autodc.stats.variance import Estimate, Prior, crossed, moderate

KNOWN = Prior(seed=0.0, residual=0.0, df=20.0)


def estimate(mean: float, se: float, rows: int = 4000) -> Estimate:
    """An estimate of many rows whose standard error is exact."""
    row = np.random.default_rng(0).normal(size=(1, rows))
    row = (row - row.mean()) / row.std(ddof=1)
    return moderate(crossed(row * se * math.sqrt(rows) + mean), KNOWN)


def told(gate: Estimate) -> tuple[float, float, float | None]:
    """What a look tells of an estimate."""
    return gate.mean, gate.standard_error, gate.df


def test_the_surer_of_two_counts_more_and_both_are_surer_than_one() -> None:
    mean, sd = combined(told(estimate(0.02, 0.002)), (0.0, 0.004))
    assert mean == pytest.approx(0.016, rel=1e-3)
    assert sd == pytest.approx(0.004 * 0.002 / math.hypot(0.004, 0.002), rel=1e-3)


@pytest.mark.parametrize("belief", [(0.5, math.inf), (0.5, 0.0), (math.nan, 0.1), (0.5, math.nan)])
def test_a_belief_without_a_spread_says_nothing(belief: tuple[float, float]) -> None:
    mean, sd = combined(told(estimate(0.02, 0.002)), belief)
    assert (mean, sd) == (pytest.approx(0.02), pytest.approx(0.002, rel=1e-3))


def test_a_gate_estimate_of_two_pairs_alone_counts_as_its_one_degree_of_freedom_allows() -> None:
    rng = np.random.default_rng(1)
    alone = moderate(crossed(0.1 * rng.normal(size=(2, 1)) + rng.normal(size=(2, 300))), KNOWN, vouched=False)
    assert alone.df == 1
    assert combined(told(alone), (0.0, math.inf))[1] == pytest.approx(alone.standard_error * 6.31 / SURE, rel=2e-3)


def test_the_lower_bound_of_both_covers_the_truth_in_nineteen_of_twenty() -> None:
    rng, covered = np.random.default_rng(2), 0
    for _ in range(1500):
        gate = moderate(crossed(0.02 + 0.4 * rng.normal(size=(3, 400))), KNOWN)
        mean, sd = combined(told(gate), (0.02 + 0.01 * rng.normal(), 0.01))
        covered += mean - SURE * sd <= 0.02
    assert covered / 1500 == pytest.approx(0.95, abs=0.017)


def test_the_rows_for_a_whole_show_its_gain_in_nineteen_nights_of_twenty() -> None:
    rows, gain, se = 500, 0.004, 0.003
    wanted = rows_for_whole(gain, se, rows)
    shown = np.random.default_rng(3).normal(gain, se * math.sqrt(rows / wanted), 20_000)
    assert np.mean(shown > 1.46 * se * math.sqrt(rows / wanted)) == pytest.approx(0.95, abs=0.005)
    assert rows_for_whole(0.0, se, rows) == math.inf == rows_for_whole(-gain, se, rows)


def test_a_harmless_challenger_holds_the_margin_that_rows_can_certify() -> None:
    margin = certifiable(800, 0.0, 0.05, 3)
    se = math.sqrt((0.05 + 0.05 / 3) / 800)
    held = np.random.default_rng(4).normal(0.0, se, 20_000) + margin >= float(ndtri(0.8)) * se
    assert np.mean(held) == pytest.approx(0.95, abs=0.005)
    assert certifiable(3200, 0.0, 0.05, 3) == pytest.approx(margin / 2)
