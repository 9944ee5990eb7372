"""The noise of a slice as long as no training has measured it, for what must be said or decided before that."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.studyfile.names import METRICS

Array = np.ndarray[Any, Any]

SEED_SD = 0.012
"""Standard deviation over seeds of a slice's paired difference, assumed until calibration has measured it."""

RESIDUAL_VARIANCE = 0.10
"""Residual variance of a row's paired difference, assumed for a score between 0 and 1 until calibration measures it."""

POWER = 0.8
"""Chance with which a difference is to be shown."""

SHARES = frozenset(name for name, metric in METRICS.items() if metric.share)
"""Metrics between 0 and 1, for which noise can be assumed before any training."""


RESIDUAL_SHARE = 0.6
"""Residual variance of a row's paired difference as a share of the variance of scores over rows, assumed for a metric
of any unit once its scores are known: that of RESIDUAL_VARIANCE where four of five rows are right."""

SEED_SHARE = 0.03
"""SEED_SD as a share of the standard deviation of scores over rows, in the same case."""
