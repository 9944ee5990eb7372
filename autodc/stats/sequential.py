"""Group-sequential bounds: how much of an error is spent at each look, and the critical value that spends it.

Lan & DeMets 1983 (spending functions), O'Brien & Fleming 1979 and Pocock 1977 (shapes), Armitage, McPherson & Rowe
1969 (the recursion). Looks have the canonical joint distribution: cov(Z_j, Z_k) = sqrt(t_j / t_k) for t_j <= t_k.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from autodc.errors import StatsError

Spending = Literal["obrien_fleming", "pocock"]
Array = np.ndarray[Any, Any]

REACH = 8.5
"""The recursion integrates from this many standard deviations below zero."""
MIN_STEP = 1e-4
"""Looks nearer than this in information are one look."""
MOST_NODES = 768
"""Nodes of one integral, at most: enough for looks 1e-3 apart in information."""
NEVER = 38.0
"""The largest bound: nothing is left to spend."""


def spent(alpha: float, fraction: float, spending: Spending = "obrien_fleming") -> float:
    """Error spent up to an information fraction in (0, 1], one-sided, `alpha` in all.

    O'Brien–Fleming: 2·(1 − Φ(z_{α/2}/√t)); Pocock: α·ln(1 + (e − 1)·t).
    """
    t = min(fraction, 1.0)
    if t <= 0:
        return 0.0
    if t == 1.0:
        return alpha
    if spending == "pocock":
        return alpha * math.log1p((math.e - 1) * t)
    return float(2 * ndtr(ndtri(alpha / 2) / math.sqrt(t)))


def bounds(alpha: float, fractions: Sequence[float], spending: Spending = "obrien_fleming") -> tuple[float, ...]:
    """Return the upper critical value of Z at each look, one-sided level `alpha` over all.

    fractions: information at the looks as shares of the full, rising, at most 1. Looks with (nearly) the same
    information are one look: the later ones spend nothing new and share its bound.
    Raises StatsError ADC-STAT-010 for a level or fractions outside their range.
    """
    if not 0 < alpha < 1 or not fractions or min(fractions) <= 0 or max(fractions) > 1 + 1e-9:
        raise StatsError("ADC-STAT-010", "a level in (0, 1) and fractions in (0, 1]", got=f"{alpha}, {fractions}")
    if any(b < a - 1e-12 for a, b in itertools.pairwise(fractions)):
        raise StatsError("ADC-STAT-010", "information fractions must rise", got=str(tuple(fractions)))
    return _bounds(alpha, tuple(round(min(t, 1.0), 6) for t in fractions), spending)


@lru_cache(maxsize=65536)
def _bounds(alpha: float, fractions: tuple[float, ...], spending: Spending) -> tuple[float, ...]:
    distinct = [t for i, t in enumerate(fractions) if i == 0 or t - fractions[i - 1] >= MIN_STEP]
    steps = [math.sqrt(t - before) for t, before in zip(distinct, [0.0, *distinct], strict=False)]
    limits: list[float] = []
    done = 0.0
    nodes, mass = np.zeros(1), np.ones(1)
    for k, t in enumerate(distinct):
        scale = math.sqrt(t)
        total = spent(alpha, t, spending)
        limit = _solve(nodes, mass, steps[k], total - done, scale)
        limits.append(limit / scale)
        done = total
        if k + 1 < len(distinct):
            nodes, mass = _propagate(nodes, mass, steps[k], limit, scale, finest=min(steps[k : k + 2]))
    index = np.searchsorted(distinct, fractions, side="right") - 1
    return tuple(limits[i] for i in index)


def _solve(nodes: Array, mass: Array, step: float, spend: float, scale: float) -> float:
    """Find the limit on the Brownian scale that is passed with probability `spend`, by Newton on the log."""
    if spend <= 0:
        return NEVER * scale
    goal = math.log(spend)
    low, high = -REACH * scale, NEVER * scale
    x = float(-ndtri(min(spend, 0.5))) * scale
    log_mass = np.log(np.maximum(mass, 1e-300))
    for _ in range(60):
        w = (nodes - x) / step
        terms = log_mass + log_ndtr(w)
        peak = terms.max()
        value = peak + math.log(float(np.exp(terms - peak).sum()))
        low, high = (x, high) if value > goal else (low, x)
        density = np.exp(log_mass - 0.5 * w * w - value).sum() / (step * math.sqrt(2 * math.pi))
        move = (value - goal) / density if density > 0 else math.inf
        nearer = x + move
        x_next = float(nearer if low < nearer < high else 0.5 * (low + high))
        if abs(x_next - x) < 1e-9 * scale:
            return x_next
        x = x_next
    return x


def _propagate(
    nodes: Array, mass: Array, step: float, limit: float, scale: float, finest: float
) -> tuple[Array, Array]:
    """Carry the mass that has not crossed to this look.

    To Gauss–Legendre nodes below the limit, fine enough to resolve a kernel of width `finest`.
    """
    floor, top = -REACH * scale, min(limit, REACH * scale)
    unit, weight = _legendre(int(min(MOST_NODES, 16 * math.ceil((24 + 3.2 * (top - floor) / finest) / 16))))
    half = 0.5 * (top - floor)
    points = floor + (unit + 1) * half
    kernel = np.exp(-0.5 * ((points[:, None] - nodes[None, :]) / step) ** 2) / (step * math.sqrt(2 * math.pi))
    return points, (kernel @ mass) * weight * half


@lru_cache(maxsize=64)
def _legendre(order: int) -> tuple[Array, Array]:
    return np.polynomial.legendre.leggauss(order)
