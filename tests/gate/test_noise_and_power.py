"""Levels of a campaign, pools of noise, and what a slice of some size can show."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from autodc.errors import StatsError
from autodc.evaluation.evidence import SliceEvidence
from autodc.gate.judge import judge
from autodc.gate.levels import level
from autodc.gate.noise import OBJECTIVE, Pools, weighted_rows
from autodc.gate.power import rows_needed, smallest_difference
from autodc.stats.variance import crossed
from autodc.studyfile.study import GateSpec


def test_levels_follow_lond() -> None:
    assert level(0.1, 20, 0) == pytest.approx(0.005)
    assert level(0.1, 20, 3) == pytest.approx(0.02)
    assert level(0.1, 2, 9) == 0.1


def test_without_a_keep_the_levels_of_all_tests_sum_to_the_budget() -> None:
    assert 37 * level(0.1, 37, 0) == pytest.approx(0.1)


@pytest.mark.parametrize("terms", [(0.0, 5, 0), (1.0, 5, 0), (0.1, 0, 0), (0.1, 5, -1)])
def test_levels_of_nonsense_are_refused(terms: Any) -> None:
    with pytest.raises(StatsError, match="ADC-STAT-020"):
        level(*terms)


def _runs(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        name: 0.05 * rng.normal(size=(count, 1)) + 0.3 * rng.normal(size=(count, rows))
        for name, rows in (("dark", 200), ("overall", 500))
    }


@pytest.mark.parametrize("count", [2, 6])
def test_calibration_holds_twice_the_noise_of_one_run(count: Any) -> None:
    runs = _runs(count)
    pools = Pools.calibrated(runs, {}, {"dark": 1.0})
    own = crossed(runs["dark"])
    assert pools.of("dark").seed == pytest.approx(2 * own.seed)
    assert pools.of("dark").residual == pytest.approx(2 * own.residual)
    assert pools.of("dark").df == count - 1
    assert set(pools.slices) == {"dark", "overall", OBJECTIVE}
    assert pools.of(OBJECTIVE).seed == pytest.approx(pools.of("dark").seed)


def test_an_unknown_slice_has_no_degrees_of_freedom() -> None:
    assert Pools().of("new").df == 0


def _look(pairs: int) -> Any:
    rng = np.random.default_rng(4)
    evidence = {
        name: SliceEvidence(
            name=name,
            role="target" if name == "dark" else "guard",
            weight=1.0,
            margin=None if name == "dark" else 0.02,
            declared=name == "dark",
            differences=0.1 * rng.normal(size=(pairs, 1)) + 0.4 * rng.normal(size=(pairs, 200)),
        )
        for name in ("dark", "overall")
    }
    return evidence, judge(evidence, Pools.calibrated(_runs(6), {}, {"dark": 1.0}), GateSpec(), 0.01)


def test_pools_learn_from_two_pairs_and_more_only() -> None:
    pools = Pools.calibrated(_runs(6), {}, {"dark": 1.0})
    _, one = _look(1)
    assert pools.updated(one) == pools
    evidence, three = _look(3)
    grown = pools.updated(three)
    own = crossed(evidence["dark"].differences)
    assert grown.of("dark").df == 7
    assert grown.of("dark").seed == pytest.approx((5 * pools.of("dark").seed + 2 * own.seed) / 7)
    assert grown.of("dark").residual == pytest.approx((5 * pools.of("dark").residual + 2 * own.residual) / 7)
    assert pools.of("dark").df == 5


def test_pools_survive_json() -> None:
    pools = Pools.calibrated(_runs(3), {}, {"dark": 2.0, "overall": 1.0})
    assert Pools.from_dict(json.loads(json.dumps(pools.to_dict()))) == pools


def test_the_objective_is_the_weighted_mean_with_the_spread_of_its_strata() -> None:
    rng = np.random.default_rng(6)
    small, large = rng.normal(0.3, 1, size=(1, 100)), rng.normal(-0.2, 1, size=(1, 400))
    table, clusters = weighted_rows([(small, None, 3.0), (large, None, 1.0)])
    assert clusters is None
    assert table.mean() == pytest.approx(0.75 * small.mean() + 0.25 * large.mean())
    by_hand = 0.75**2 * small.var(ddof=1) / 100 + 0.25**2 * large.var(ddof=1) / 400
    assert np.isnan(crossed(table).variance)
    assert crossed(table).row / table.shape[1] == pytest.approx(by_hand, rel=0.02)


def test_a_row_in_two_targets_counts_once() -> None:
    rng = np.random.default_rng(7)
    line = rng.normal(size=(1, 300))
    both, clusters = weighted_rows([(line, np.arange(300), 1.0), (line, np.arange(300), 1.0)])
    assert crossed(both, clusters).row / 300 == pytest.approx(line.var(ddof=1) / 300, rel=0.02)


@pytest.mark.parametrize("pairs", [1, 3, 8, math.inf])
@pytest.mark.parametrize("difference", [0.01, 0.02, 0.05])
def test_smallest_difference_and_rows_needed_are_inverse(pairs: Any, difference: Any) -> None:
    noise = {"seed_variance": 1e-6, "residual_variance": 0.1, "pairs": pairs, "alpha": 0.01, "power": 0.8}
    rows = rows_needed(difference, **noise)
    assert smallest_difference(rows, **noise) == pytest.approx(difference)


def test_what_is_needed_falls_with_pairs_and_with_rows() -> None:
    at = [smallest_difference(500, 1e-5, 0.1, n, 0.01, 0.8) for n in (1, 3, 8, math.inf)]
    assert at == sorted(at, reverse=True)
    assert smallest_difference(2000, 1e-5, 0.1, 3, 0.01, 0.8) < at[1]


def test_no_number_of_rows_beats_the_noise_of_seeds() -> None:
    assert rows_needed(0.01, 0.01, 0.1, 2, 0.01, 0.8) == math.inf
    assert rows_needed(0.0, 0.0, 0.1, 2, 0.01, 0.8) == math.inf


def test_the_promised_power_is_reached() -> None:
    rng = np.random.default_rng(8)
    rows, pairs, seed_sd, row_sd, rest_sd = 300, 3, 0.02, 0.3, 0.4
    promised = smallest_difference(rows, seed_sd**2, rest_sd**2, pairs, 0.05, 0.8, row_variance=row_sd**2)
    spread = seed_sd**2 / pairs + (row_sd**2 + rest_sd**2 / pairs) / rows
    means = promised + np.sqrt(spread) * rng.normal(size=20_000)
    assert np.mean(means > 1.6449 * np.sqrt(spread)) == pytest.approx(0.8, abs=0.01)


def test_power_of_nonsense_is_refused() -> None:
    with pytest.raises(StatsError, match="ADC-STAT-021"):
        smallest_difference(0, 0.0, 0.1, 3, 0.05, 0.8)
