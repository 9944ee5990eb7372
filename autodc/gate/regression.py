"""Two fixed models on the same rows: where is the one shown worse than the other, and what could have been shown.

The statistics are those of a comparison (`gate.demands`) with one pair and no seeds: the two models are as they are,
so only another draw of rows would change anything. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, final

import numpy as np
from scipy.special import bdtrc, ndtri, stdtr, stdtrit

from autodc.evaluation.evidence import Evidence, SliceEvidence
from autodc.gate.demands import statistic
from autodc.gate.noise import OBJECTIVE, objective_evidence
from autodc.gate.power import critical
from autodc.gate.thresholds import GUARD_ALPHA, HARM_ALPHA
from autodc.stats.multiple import holm
from autodc.stats.variance import Estimate, Prior, crossed, moderate

Array = np.ndarray[Any, Any]

LEVEL = 0.95
"""Confidence, two-sided, of each interval by itself."""
POWER = 0.8
"""Chance with which a loss of the size that is told would be shown."""
NO_SEEDS = Prior(seed=0.0, residual=0.0, df=1.0)
"""A fixed model has no noise of training."""

Standing = Literal["worse", "slipped", "better", "held", "open", "no evidence"]
"""worse: shown to lose more than is tolerated; slipped: a guard, shown to lose, and not more than its margin; better:
shown to gain; held: a guard, shown to lose no more than its margin; open: none of these is shown; no evidence: too few
rows or groups, or the metric is not defined."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One slice, or the objective: challenger − other, oriented so that up is better."""

    standing: Standing
    difference: float
    low: float
    high: float
    """low, high: by itself at LEVEL."""
    rows: int
    groups: int
    tolerated: float
    """The loss that is no regression: the margin of a guard, else 0."""
    worse: float
    better: float
    """worse, better: chances of what was seen where nothing is lost beyond what is tolerated, where nothing is gained;
    corrected for all slices of the family, 1 where it is no evidence."""
    shows: float
    """The loss, beyond what is tolerated, that these rows would show with chance POWER."""


def contrasts(evidence: Evidence, min_rows: int, alpha: float = HARM_ALPHA) -> dict[str, Contrast]:
    """Hold two models against each other on every slice, and on the objective where it has several targets.

    evidence: of one pair, from `evaluation.scores.compare`; min_rows: of the gate, below which a slice is no evidence.
    A regression is shown at one-sided alpha for all slices together: where nothing is lost anywhere, one is told in so
    large a share of cases at most (Holm). Hits and misses must pass the sign test as well, for Student's distribution
    trusts a few rows that differ too much.
    """
    every = dict(evidence)
    targets = [one for one in evidence.values() if one.role == "target" and one.is_evidence(min_rows)]
    if len(targets) > 1:
        every[OBJECTIVE] = replace(objective_evidence(targets), margin=None)
    spoken = [name for name, one in every.items() if one.is_evidence(min_rows)]
    seen = {name: _seen(one) for name, one in every.items()}
    worse = _corrected({n: _chance(every[n], seen[n], every[n].margin or 0.0) for n in spoken})
    lost = _corrected({n: _chance(every[n], seen[n], 0.0) for n in spoken})
    better = _corrected({n: _chance(every[n], seen[n], 0.0, down=False) for n in spoken})
    found = {}
    for name, one in every.items():
        chances = (worse[name], lost[name], better[name]) if name in worse else None
        found[name] = _contrast(one, seen[name], chances, alpha, max(1, len(spoken)))
    return found


def regressions(found: Mapping[str, Contrast]) -> list[str]:
    """The slices on which the challenger is shown worse than is tolerated."""
    return [name for name, one in found.items() if one.standing == "worse"]


def _seen(one: SliceEvidence) -> Estimate | None:
    """The mean difference with its variance over rows; None where there is none."""
    if one.groups < 2 or not one.defined:
        return None
    return moderate(crossed(one.differences, one.clusters), NO_SEEDS)


def _contrast(
    one: SliceEvidence, seen: Estimate | None, chances: tuple[float, float, float] | None, alpha: float, family: int
) -> Contrast:
    """Say how a slice stands.

    chances: of what was seen where no more is lost than is tolerated, where nothing is lost, where nothing is gained,
    all of them corrected; None where it is no evidence.
    """
    if seen is None:
        mean = float(one.differences.mean()) if one.differences.size else math.nan
        return Contrast(
            standing="no evidence",
            difference=mean,
            low=math.nan,
            high=math.nan,
            rows=one.rows,
            groups=one.groups,
            tolerated=one.margin or 0.0,
            worse=1.0,
            better=1.0,
            shows=math.inf,
        )
    error = seen.standard_error
    reach = -float(stdtrit(seen.df, (1 - LEVEL) / 2)) * error if error else 0.0
    worse, lost, better = chances or (1.0, 1.0, 1.0)
    standing: Standing = "open"
    if chances is None:
        standing = "no evidence"
    elif worse <= alpha:
        standing = "worse"
    elif better <= alpha:
        standing = "better"
    elif one.margin is not None and lost <= alpha:
        standing = "slipped"
    elif one.margin is not None and _holds(seen, one.margin):
        standing = "held"
    return Contrast(
        standing=standing,
        difference=seen.mean,
        low=seen.mean - reach,
        high=seen.mean + reach,
        rows=one.rows,
        groups=one.groups,
        tolerated=one.margin or 0.0,
        worse=worse,
        better=better,
        shows=(critical(-float(ndtri(alpha / family)), seen.df) + float(ndtri(POWER))) * error,
    )


def _holds(seen: Estimate, margin: float) -> bool:
    """Whether a guard is shown to lose no more than its margin, as the gate asks it."""
    return statistic(seen, margin) >= critical(-float(ndtri(GUARD_ALPHA)), seen.df)


def _corrected(chances: Mapping[str, float]) -> dict[str, float]:
    return dict(zip(chances, holm(list(chances.values())), strict=True))


def _chance(one: SliceEvidence, seen: Estimate | None, tolerated: float, *, down: bool = True) -> float:
    """The chance of so much where nothing is lost beyond what is tolerated, or (not down) where nothing is gained."""
    assert seen is not None
    side = 1.0 if down else -1.0
    mean = replace(seen, mean=side * seen.mean)
    chance = float(stdtr(seen.df, statistic(mean, tolerated)))
    moved = np.asarray(one.differences, dtype=float)[0]
    if np.isin(moved, (-1.0, 0.0, 1.0)).all():
        chance = max(chance, _sign_test(side * moved, one.clusters, tolerated))
    return chance


def _sign_test(moved: Array, clusters: Array | None, tolerated: float) -> float:
    """Exact chance of so many losses among the rows, or clusters of rows, that differ (McNemar 1947).

    Where a loss is tolerated, also of so many losses among all where they are that share and as many as the gains.
    """
    if clusters is not None:
        moved = np.bincount(np.unique(clusters, return_inverse=True)[1].ravel(), weights=moved)
    lost, won, every = int((moved < 0).sum()), int((moved > 0).sum()), len(moved)
    if not lost:
        return 1.0
    chance = float(bdtrc(lost - 1, lost + won, 0.5))
    if tolerated > 0:
        chance = max(chance, float(bdtrc(lost - 1, every, min(1.0, tolerated + won / every))))
    return chance
