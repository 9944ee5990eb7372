"""Every metric of ours, and one as a user would write it, keeps the contract of metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autodc.evaluation.metrics import METRICS, Metric, find_metric
from autodc.studyfile import names
from autodc.testing.metric_contract import MetricContract

SHARES = [name for name, metric in names.METRICS.items() if metric.share]
BELOW_NOUGHT = ("r2", "ssim")


@pytest.mark.parametrize("name", SHARES)
class TestShares(MetricContract):
    low, high = 0.0, 1.0

    @pytest.mark.slow
    def test_the_spread_of_rows_tells_how_sure_the_value_is(self, metric: Metric, rows: Any) -> None:
        super().test_the_spread_of_rows_tells_how_sure_the_value_is(metric, rows)

    @pytest.fixture
    def metric(self, name: str) -> Metric:
        return METRICS[name]


@pytest.mark.parametrize("name", [name for name in METRICS if name not in (*SHARES, *BELOW_NOUGHT)])
class TestErrors(MetricContract):
    low = 0.0

    @pytest.fixture
    def metric(self, name: str) -> Metric:
        return METRICS[name]


@pytest.mark.parametrize("name", BELOW_NOUGHT)
class TestBelowNought(MetricContract):
    high = 1.0

    @pytest.fixture
    def metric(self, name: str) -> Metric:
        return METRICS[name]


OWN = """
import numpy as np


class Cost:
    \"\"\"A mean over rows: what wrong answers cost.\"\"\"
    better = "lower"

    def rows(self, outputs, targets):
        outputs *= 1.0  # in place: what it gets is its own
        return np.where(outputs.argmax(axis=1) == targets, 0.0, 1.0 + targets)

    def value(self, outputs, targets):
        return self.rows(outputs, targets).mean()


class Root:
    \"\"\"No mean over rows: the root of the mean recall.\"\"\"
    better = "higher"

    def value(self, outputs, targets):
        hit = outputs.argmax(axis=1) == targets
        return np.sqrt(np.mean([hit[targets == k].mean() for k in np.unique(targets)]))
"""


@pytest.mark.parametrize("name", ["Cost", "Root"])
class TestOwn(MetricContract):
    low = 0.0

    @pytest.fixture
    def metric(self, name: str, tmp_path: Path) -> Metric:
        (tmp_path / "mine.py").write_text(OWN)
        return find_metric(f"mine.py:{name}", "classification", str(tmp_path))
