"""Slices of hits and misses made up from their accuracy, their churn and what a seed moves."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from autodc.lab.slices import KnownSlice, slope
from autodc.studyfile.study import Role


def synthetic_slice(
    name: str,
    role: Role,
    rows: int,
    rng: np.random.Generator,
    *,
    accuracy: float = 0.8,
    churn: float = 0.10,
    seed_sd: float = 0.005,
    margin: float | None = None,
    weight: float = 1.0,
) -> KnownSlice:
    """Make a slice of hits and misses.

    accuracy: expected share of hits; churn: share of rows that differ between two trainings of one plan;
    seed_sd: standard deviation of the slice's accuracy over seeds beyond what its rows explain.
    """
    spread = _spread_for(accuracy, churn)
    base = float(ndtri(accuracy)) * np.sqrt(1 + spread**2) + spread * rng.standard_normal(rows)
    return KnownSlice(name=name, role=role, base=base, seed_sd=seed_sd / slope(base), margin=margin, weight=weight)


def _spread_for(accuracy: float, churn: float) -> float:
    """The sd of b_i with which two trainings differ on `churn` of the rows, by bisection on quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    weights = weights / weights.sum()

    def differ(spread: float) -> float:
        chance = ndtr(float(ndtri(accuracy)) * np.sqrt(1 + spread**2) + spread * nodes)
        return float(2 * (weights * chance * (1 - chance)).sum())

    low, high = 0.0, 50.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if differ(middle) > churn else (low, middle)
    return 0.5 * (low + high)
