"""What every metric owes, as a pytest class: subclass it with one fixture, `metric`.

    class TestMyMetric(MetricContract):
        @pytest.fixture
        def metric(self) -> Metric:
            return find_metric("mine.py:Cost", "classification", "examples")

The rows are made up, of the kind that the metric is for; a metric for other rows overrides `rows`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from autodc.evaluation.metrics import Metric

Array = np.ndarray[Any, Any]

N_ROWS, N_CLASSES = 150, 4
RESAMPLES = 200
SPREAD = 1.6
"""The standard error by the values of the rows and by resampling may differ by this factor."""


class MetricContract:
    """Direction, range, what a row is worth, and that the order of rows is of no account."""

    low: ClassVar[float] = -np.inf
    high: ClassVar[float] = np.inf
    """Where the metric lies in its own units."""

    @pytest.fixture
    def metric(self) -> Metric:
        """The metric under test."""
        raise NotImplementedError

    @pytest.fixture
    def rows(self, metric: Metric) -> tuple[Array, Array]:
        """Outputs that are right more often than not, and targets."""
        rng = np.random.default_rng(0)
        if metric.kinds[0] == "classification":
            classes = rng.integers(0, N_CLASSES, N_ROWS)
            scores = np.exp(rng.normal(size=(N_ROWS, N_CLASSES)) + 1.5 * np.eye(N_CLASSES)[classes])
            return scores / scores.sum(axis=1, keepdims=True), classes
        shape = (N_ROWS, 6, 6) if metric.kinds[0] == "image_to_image" else (N_ROWS,)
        truth = rng.random(shape)
        return np.clip(truth + 0.1 * rng.normal(size=shape), 0, 1), truth

    def test_up_is_better(self, metric: Metric, rows: tuple[Array, Array]) -> None:
        """Ranks perfect outputs above good ones above those of other rows, in the oriented value."""
        outputs, targets = rows
        perfect = np.eye(outputs.shape[1])[targets] if metric.kinds[0] == "classification" else targets
        strange = np.roll(outputs, len(outputs) // 2, axis=0)
        values = [metric.value(given, targets) for given in (strange, outputs, perfect)]
        assert values == sorted(values)
        assert values[0] < values[2]

    def test_the_value_is_finite_and_in_its_range(self, metric: Metric, rows: tuple[Array, Array]) -> None:
        """Lies between `low` and `high` in its own units."""
        value = metric.natural(metric.value(*rows))
        assert np.isfinite(value)
        assert self.low <= value <= self.high

    def test_the_mean_over_rows_is_the_metric(self, metric: Metric, rows: tuple[Array, Array]) -> None:
        """Says what every row is worth, so that the mean is the value."""
        worth = metric.rows(*rows)
        assert worth.shape == (len(rows[1]),)
        assert worth.mean() == pytest.approx(metric.value(*rows), rel=1e-9, abs=1e-12)

    def test_the_order_of_rows_is_of_no_account(self, metric: Metric, rows: tuple[Array, Array]) -> None:
        """Gives a permuted table the same value, and its rows their own worth."""
        outputs, targets = rows
        order = np.random.default_rng(1).permutation(len(targets))
        assert metric.value(outputs[order], targets[order]) == pytest.approx(metric.value(outputs, targets), rel=1e-9)
        np.testing.assert_allclose(metric.rows(outputs[order], targets[order]), metric.rows(outputs, targets)[order])

    def test_the_spread_of_rows_tells_how_sure_the_value_is(self, metric: Metric, rows: tuple[Array, Array]) -> None:
        """Has a standard error by rows within a factor SPREAD of the one by resampling."""
        outputs, targets = rows
        rng = np.random.default_rng(2)
        drawn = (rng.integers(0, len(targets), len(targets)) for _ in range(RESAMPLES))
        resampled = np.std([metric.value(outputs[some], targets[some]) for some in drawn])
        by_rows = metric.rows(outputs, targets).std() / np.sqrt(len(targets))
        assert resampled / SPREAD < by_rows < resampled * SPREAD

    def test_rows_are_left_alone_and_the_same_rows_give_the_same(
        self, metric: Metric, rows: tuple[Array, Array]
    ) -> None:
        """Writes nothing into outputs or targets, and gives the same bits when asked twice."""
        before = [array.copy() for array in rows]
        first = (metric.value(*rows), metric.rows(*rows).tobytes())
        assert (metric.value(*rows), metric.rows(*rows).tobytes()) == first
        assert all(np.array_equal(one, other) for one, other in zip(before, rows, strict=True))
