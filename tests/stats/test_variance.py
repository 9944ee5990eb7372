"""The variance of a mean over seeds × rows: against statsmodels, on layouts whose moments are known, and its limits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autodc.errors import StatsError
from autodc.stats.variance import Prior, crossed, moderate, satterthwaite


def _table(pairs: int, rows: int, seed_sd: float, row_sd: float, rest_sd: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    of_pair = seed_sd * rng.normal(size=(pairs, 1))
    return of_pair + row_sd * rng.normal(size=rows) + rest_sd * rng.normal(size=(pairs, rows))


def _two_way(table: np.ndarray, clusters: np.ndarray) -> float:
    """Standard error of the mean, OLS clustered by pair and by cluster of rows."""
    import statsmodels.api as sm

    pairs, rows = table.shape
    groups = np.column_stack([np.repeat(np.arange(pairs), rows), np.tile(clusters, pairs)])
    ones = np.ones(table.size)
    fit = sm.OLS(table.ravel(), ones).fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": True})
    return float(fit.bse[0])


@pytest.mark.parametrize(
    ("seed_sd", "row_sd", "rest_sd"), [(0.05, 0.3, 0.3), (0.2, 0.1, 0.5), (0.02, 0.8, 0.2), (0.1, 0.0, 1.0)]
)
@pytest.mark.parametrize("size_of_cluster", [1, 4])
def test_standard_error_is_that_of_two_way_clustered_ols(
    seed_sd: Any, row_sd: Any, rest_sd: Any, size_of_cluster: Any
) -> None:
    table = _table(12, 400, seed_sd, row_sd, rest_sd, seed=3)
    clusters = np.arange(400) // size_of_cluster
    own = crossed(table, clusters)
    assert math.sqrt(own.variance) == pytest.approx(_two_way(table, clusters), rel=0.10)


def test_moments_of_a_layout_known_by_hand() -> None:
    own = crossed(np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 8.0]]))
    # pair means 2 and 5, row means 2, 3, 5.5, mean 3.5; residuals ±.5, ±.5, ±1
    assert own.mean == 3.5
    assert own.row == pytest.approx(((1.5) ** 2 + 0.5**2 + 2.0**2) / 2)
    assert own.residual == pytest.approx(2 * (0.25 + 0.25 + 1.0) / 2)
    assert own.seed == pytest.approx((3 * 4.5 - 1.5) / 3)
    assert (own.pairs, own.rows, own.df) == (2, 3, 1)


def test_moments_find_the_truth_on_average() -> None:
    found = [crossed(_table(4, 60, 0.2, 0.5, 1.0, seed=k)) for k in range(600)]
    assert np.mean([f.seed for f in found]) == pytest.approx(0.04, rel=0.12)
    assert np.mean([f.residual for f in found]) == pytest.approx(1.0, rel=0.02)
    assert np.mean([f.row for f in found]) == pytest.approx(0.25 + 1.0 / 4, rel=0.03)


def test_repeated_rows_count_once_when_they_are_clusters() -> None:
    table = _table(3, 100, 0.1, 0.5, 0.5)
    repeated, clusters = np.repeat(table, 5, axis=1), np.repeat(np.arange(100), 5)
    assert crossed(repeated, clusters).variance == pytest.approx(crossed(table).variance)
    assert crossed(repeated, clusters).effective_rows == 100
    assert crossed(repeated).variance < crossed(table).variance


def test_clusters_of_unequal_size_keep_the_mean_and_count_for_less() -> None:
    table = _table(3, 100, 0.1, 0.5, 0.5)
    own = crossed(table, np.minimum(np.arange(100), 50))
    assert own.mean == pytest.approx(table.mean())
    assert own.effective_rows == pytest.approx(100**2 / (50 + 50**2))


def test_the_pool_and_the_own_estimate_are_weighted_by_degrees_of_freedom() -> None:
    own = crossed(_table(3, 200, 0.3, 0.2, 0.4))
    found = moderate(own, Prior(seed=2 * own.seed, residual=0.5, df=6))
    assert found.seed == pytest.approx((6 * 2 * own.seed + 2 * own.seed) / 8)
    assert found.variance == pytest.approx(found.seed / 3 + own.row / 200)
    assert found.variance_at(3) == found.variance
    assert found.fixed + found.per_pair / 3 == pytest.approx(found.variance)
    capped = moderate(own, Prior(seed=2 * own.seed, residual=0.5, df=1e6))
    assert capped.seed == pytest.approx((20 * 2 * own.seed + 2 * own.seed) / 22)


def test_a_comparison_noisier_than_the_pool_is_believed() -> None:
    own = crossed(_table(3, 200, 0.3, 0.2, 0.4))
    found = moderate(own, Prior(seed=own.seed / 10, residual=0.5, df=6))
    assert found.seed == pytest.approx(own.seed)
    assert 2 < found.seed_df < 8


def test_one_pair_rests_on_the_pool_alone() -> None:
    table = _table(1, 200, 0.3, 0.2, 0.4)
    found = moderate(crossed(table), Prior(seed=0.04, residual=0.1, df=5))
    assert found.variance == pytest.approx(0.04 + table.var(ddof=1) / 200)
    with pytest.raises(StatsError, match="ADC-STAT-003"):
        moderate(crossed(table), Prior(seed=0.0, residual=0.0, df=0.0))


def test_a_negative_seed_variance_counts_as_none() -> None:
    own = crossed(_table(4, 50, 0.0, 0.1, 1.0, seed=5) * 1.0)
    found = moderate(own, Prior(seed=-1.0, residual=1.0, df=5))
    assert found.seed == 0.0
    assert found.variance == pytest.approx(own.row / 50)


def test_more_pairs_reduce_only_what_seeds_caused() -> None:
    found = moderate(crossed(_table(3, 200, 0.2, 0.5, 0.5)), Prior(seed=0.04, residual=0.25, df=10))
    at = [found.variance_at(k) for k in (3, 5, 8, 100)]
    assert at == sorted(at, reverse=True)
    assert found.variance_at(math.inf) == pytest.approx(found.fixed)
    assert found.df_at(8) > found.df


def test_satterthwaite() -> None:
    assert satterthwaite(((1.0, 5.0),)) == pytest.approx(5.0)
    assert satterthwaite(((1.0, 5.0), (1.0, 5.0))) == pytest.approx(10.0)
    assert satterthwaite(((1.0, 3.0), (0.0, 1.0))) == pytest.approx(3.0)
    assert satterthwaite(((3.0, 4.0), (1.0, 100.0))) == pytest.approx(16 / (9 / 4 + 1 / 100))
    assert satterthwaite(((0.0, 4.0),)) == math.inf


@pytest.mark.parametrize(
    ("table", "clusters", "code"),
    [
        (np.zeros((2, 1)), None, "ADC-STAT-001"),
        (np.zeros((0, 5)), None, "ADC-STAT-001"),
        (np.zeros((2, 5)), np.zeros(5, dtype=int), "ADC-STAT-001"),
        (np.array([[0.0, np.nan]]), None, "ADC-STAT-002"),
        (np.zeros((2, 5)), np.zeros(4, dtype=int), "ADC-STAT-004"),
    ],
)
def test_what_has_no_variance_is_refused(table: Any, clusters: Any, code: Any) -> None:
    with pytest.raises(StatsError, match=code):
        crossed(table, clusters)
