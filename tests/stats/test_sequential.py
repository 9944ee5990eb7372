from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autodc.errors import StatsError
from autodc.stats.sequential import bounds, spent


def test_published_bounds() -> None:
    assert bounds(0.025, (0.25, 0.5, 0.75, 1)) == pytest.approx((4.333, 2.963, 2.359, 2.014), abs=0.002)
    pocock = bounds(0.025, (0.2, 0.4, 0.6, 0.8, 1), "pocock")
    assert pocock == pytest.approx((2.438, 2.427, 2.410, 2.397, 2.386), abs=0.002)


def test_one_look_is_the_fixed_test() -> None:
    assert bounds(0.05, (1.0,)) == pytest.approx((1.6449,), abs=1e-3)
    assert bounds(0.05, (0.4, 1.0))[1] > 1.6449


@pytest.mark.parametrize("times", [(0.3, 0.55, 0.8, 1.0), (0.9, 0.95, 0.97, 1.0), (0.02, 0.5, 0.51, 1.0)])
def test_the_level_is_spent_exactly(times: Any) -> None:
    rng = np.random.default_rng(5)
    steps = np.sqrt(np.diff([0.0, *times]))
    z = np.cumsum(rng.normal(size=(400_000, len(times))) * steps, axis=1) / np.sqrt(times)
    crossed = z >= np.array(bounds(0.1, times))
    for k, t in enumerate(times):
        expected = spent(0.1, t)
        assert crossed[:, : k + 1].any(axis=1).mean() == pytest.approx(expected, abs=4 * np.sqrt(0.1 / 400_000))


def test_looks_with_the_same_information_are_one_look() -> None:
    assert bounds(0.01, (0.5, 0.5, 1.0)) == pytest.approx((*bounds(0.01, (0.5,)), *bounds(0.01, (0.5, 1.0))))
    assert bounds(0.01, (1.0, 1.0)) == pytest.approx(bounds(0.01, (1.0,)) * 2)


def test_small_levels_stay_accurate() -> None:
    assert bounds(1e-5, (0.5, 1.0))[1] == pytest.approx(4.2649, abs=2e-2)
    assert bounds(1e-5, (0.1, 1.0))[0] > 13


@pytest.mark.parametrize("times", [(), (0.0, 1.0), (0.5, 0.4), (0.5, 1.2)])
def test_fractions_out_of_range_are_refused(times: Any) -> None:
    with pytest.raises(StatsError, match="ADC-STAT-010"):
        bounds(0.05, times)
