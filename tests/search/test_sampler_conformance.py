"""MixtureSampler passes Optuna's own tests of samplers."""

from __future__ import annotations

from typing import Any

import pytest
from optuna.distributions import FloatDistribution
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
)

from autodc.search import MixtureSampler


class TestMixtureSampler(BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase):
    @pytest.fixture
    def sampler(self) -> Any:
        space = {"books": FloatDistribution(0, 2), "rate": FloatDistribution(1e-4, 1.0, log=True)}
        return lambda: MixtureSampler(space, datasets=["books"], seed=1)
