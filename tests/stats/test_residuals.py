"""Leave-one-out residuals: an upper bound of the noise of single values."""

from __future__ import annotations

import numpy as np
import pytest

from autodc.stats.residuals import leave_one_out


def test_they_are_what_leaving_out_each_value_gives() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 3))
    y = x @ [1.0, -2.0, 0.5] + 0.3 * rng.normal(size=30)
    found, df = leave_one_out(x, y)
    assert 25 < df < 27.5
    for i in (0, 7, 29):
        keep = np.arange(30) != i
        design = np.column_stack([np.ones(29), x[keep]])
        fitted = np.linalg.lstsq(design, y[keep], rcond=None)[0]
        assert found[i] == pytest.approx(y[i] - np.array([1.0, *x[i]]) @ fitted, abs=0.05)


@pytest.mark.parametrize("columns", [0, 4, 60])
def test_their_mean_square_is_hardly_ever_below_the_noise(columns: int) -> None:
    found = []
    for night in range(60):
        rng = np.random.default_rng([night, columns])
        x = (rng.random((40, columns)) < 0.5).astype(float)
        y = x @ rng.normal(size=columns) * 0.02 + 0.1 * rng.normal(size=40)
        residuals, df = leave_one_out(x, y)
        assert df >= 1
        found.append(np.mean(residuals**2))
    assert np.mean(found) > 0.1**2
    assert np.mean(np.array(found) > 0.5 * 0.1**2) > 0.98


def test_columns_that_never_move_say_nothing() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=20)
    still = np.column_stack([x, np.full(20, 0.1), np.zeros(20)])
    assert leave_one_out(still, y)[0] == pytest.approx(leave_one_out(x, y)[0])


def test_units_of_the_columns_change_nothing() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    assert leave_one_out(x * [1e-4, 1.0, 1e5] + 3.0, y)[0] == pytest.approx(leave_one_out(x, y)[0])
