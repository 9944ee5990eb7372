"""Crossed random effects: the variance of a mean over seeds × rows, when both are samples.

D[s, i] = mean + S_s + I_i + R_si. Moments of the two-way layout (Searle, Casella & McCulloch 1992, ch. 4; the same
layout as Owen 2007, "The pigeonhole bootstrap"), the seed variance moderated by a pool (Smyth 2004), the degrees of
freedom of the sum after Satterthwaite 1946.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import fdtri

from autodc.errors import StatsError

Array = np.ndarray[Any, Any]

PRIOR_CAP = 20.0
"""The pool never counts for more degrees of freedom than this: challengers differ in their noise."""
STRANGER = 0.9
"""A challenger that moves between pairs more than the pool explains in this share of cases is judged by itself alone,
where the pool does not speak for it."""
SEARCHED_CAP = 1.0
"""What the search's trainings show counts for so many degrees of freedom beside the own pairs: it may be misfit."""
NOTHING = 1e-12
"""Variances below this share of the squared differences are rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """Moments of one table of pairs × rows."""

    mean: float
    pairs: int
    rows: int
    """Rows, or clusters of rows."""
    effective_rows: float
    """The same, fewer where clusters differ in size."""
    seed: float
    """sigma_S², unfloored."""
    residual: float
    """sigma_R²; both NaN with one pair."""
    row: float
    """s_i², the variance over rows of the seed-mean difference, which holds sigma_I² + sigma_R²/n."""

    @property
    def df(self) -> int:
        """Degrees of freedom of the own seed variance."""
        return self.pairs - 1

    @property
    def variance(self) -> float:
        """Unmoderated, unfloored variance of the mean; NaN with one pair."""
        return self.seed / self.pairs + self.row / self.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What other comparisons say of this slice: excess seed variance P_S, residual P_R, their degrees of freedom."""

    seed: float
    residual: float
    df: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What the search's own trainings say of the noise of a difference: how far they lie from what is believed."""

    seed: float
    """Seed variance of a difference, at most: it holds what the belief does not fit."""
    df: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The mean difference and how its variance falls with pairs: V_k = fixed + per_pair / k."""

    mean: float
    pairs: int
    rows: int
    variance: float
    """V_n at the present n."""
    df: float
    """Satterthwaite's."""
    fixed: float
    """A, what more seeds cannot take away."""
    per_pair: float
    """B."""
    seed: float
    """sigma~_S², the part of B that more rows cannot take away."""
    seed_df: float
    row_df: float
    """seed_df, row_df: those of its two parts."""
    alone: bool = False
    """The pool had no say in it, and it is as uncertain as n − 1 degrees of freedom are."""

    @property
    def standard_error(self) -> float:
        """Square root of V_n."""
        return math.sqrt(self.variance)

    def variance_at(self, pairs: float) -> float:
        """V_k, the variance expected with `pairs` pairs of the same kind; V_n itself at the present n."""
        if pairs == self.pairs:
            return self.variance
        return max(self.fixed, self.variance - self.per_pair / self.pairs) + self.per_pair / pairs

    def df_at(self, pairs: float) -> float:
        """Degrees of freedom expected with `pairs` pairs."""
        if self.alone:
            return max(1.0, pairs - 1.0)
        seed_df = self.seed_df + pairs - self.pairs
        fixed = self.variance_at(pairs) - self.per_pair / pairs
        return satterthwaite(((self.per_pair / pairs, seed_df), (fixed, self.row_df)))


def crossed(differences: Array, clusters: Array | None = None) -> Crossed:
    """Decompose paired differences by moments.

    differences: shape (n_pairs, n_rows), up is better; clusters: shape (n_rows,) ints, rows of one cluster count as
    one. MS_s = m·var_s(row means), MS_i = n·var_i(seed means), MS_r the residual mean square; sigma_R² = MS_r,
    sigma_S² = (MS_s − MS_r)/m, s_i² = MS_i/n. Raises StatsError ADC-STAT-001 for a table with no pair or under two
    rows, ADC-STAT-002 for values that are not finite.
    """
    table = np.atleast_2d(np.asarray(differences, dtype=np.float64))
    if not np.isfinite(table).all():
        raise StatsError("ADC-STAT-002", "paired differences must be finite", got="NaN or infinity")
    effective = float(table.shape[1])
    if clusters is not None:
        table, effective = _by_cluster(table, clusters)
    pairs, rows = table.shape
    if pairs < 1 or rows < 2:
        raise StatsError("ADC-STAT-001", "a variance needs one pair and two rows", got=f"{pairs} pairs, {rows} rows")
    of_row, of_pair = table.mean(axis=0), table.mean(axis=1)
    mean = float(of_pair.mean())
    row = float(of_row.var(ddof=1))
    if pairs == 1:
        seed = residual = math.nan
    else:
        ms_s = rows * float(of_pair.var(ddof=1))
        rest = table - of_pair[:, None] - of_row[None, :] + mean
        residual = float(np.einsum("si,si->", rest, rest)) / ((pairs - 1) * (rows - 1))
        seed = (ms_s - residual) / rows
    return Crossed(mean=mean, pairs=pairs, rows=rows, effective_rows=effective, seed=seed, residual=residual, row=row)


def moderate(
    own: Crossed,
    prior: Prior,
    prior_cap: float = PRIOR_CAP,
    *,
    vouched: bool = True,
    searched: Searched | None = None,
) -> Estimate:
    """Bound the mean for new seeds and new rows, the seed variance moderated by the pool.

    sigma~_S² = max(0, (d0·P_S + (n−1)·sigma_S²)/(d0 + n − 1)) with d0 = min(pool df, prior_cap);
    V_n = sigma~_S²/n + s_i²/m; A = max(0, s_i² − P_R/n)/m, B = sigma~_S² + P_R/m.
    Moderation is one-sided: an own sigma_S² above sigma~_S² is believed, with degrees of freedom between its own and
    the pool's, for a challenger may be noisier than the incumbent that filled the pool.
    vouched: whether the pool was filled by trainings that vary as these do. Where it was not, a challenger that moves
    between pairs more than the pool explains (an F test) is judged by its own seed variance with n − 1 degrees of
    freedom for the whole (Mickey & Brown 1966): Satterthwaite's trust a variance that is small by luck, and with two
    or three pairs that calls chance a gain ten times too often.
    searched: noise that the search's trainings show. Where it is larger than the pool's, it stands in its place with
    one pair, and beside the own with one degree of freedom from two pairs on.
    """
    n, m = own.pairs, own.rows
    d0 = min(prior.df, prior_cap)
    if d0 + n - 1 <= 0:
        raise StatsError("ADC-STAT-003", "one pair and no pool: the seed variance is unknown")
    alone = not vouched and _is_stranger(own, prior, d0)
    if alone:
        seed, seed_df, residual = max(0.0, own.seed), float(n - 1), own.residual
    else:
        seed, seed_df, residual = _moderated(own, prior, d0)
        seed, seed_df = _witnessed(own, searched, (seed, seed_df))
    row = max(own.row, own.mean**2 / m)
    row_df = max(own.effective_rows - 1.0, 1.0)
    variance = seed / n + row / m
    per_pair = seed + min(residual / m, n * row / m)
    fixed = max(0.0, variance - per_pair / n)
    df = satterthwaite(((per_pair / n, seed_df), (row / m, row_df)), variance)
    if alone:
        df = min(df, float(n - 1))
    return Estimate(
        mean=own.mean,
        pairs=n,
        rows=m,
        variance=variance,
        df=df,
        fixed=fixed,
        per_pair=per_pair,
        seed=seed,
        seed_df=seed_df,
        row_df=row_df,
        alone=alone,
    )


def _is_stranger(own: Crossed, prior: Prior, d0: float) -> bool:
    """Whether the means of pairs differ by more than the pool explains; one pair cannot tell.

    Where the pool is silent a row that differs is enough: means of hits agree by luck more often than rows do.
    """
    if own.pairs < 2:
        return False
    moved = own.seed + own.residual / own.rows
    known = max(0.0, prior.seed) + prior.residual / own.rows
    allowed = known * float(fdtri(own.pairs - 1, d0, STRANGER)) if d0 > 0 else 0.0
    nothing = NOTHING * (own.row + own.mean**2)
    return moved > max(allowed, nothing) or (known <= nothing and own.residual > nothing)


def _moderated(own: Crossed, prior: Prior, d0: float) -> tuple[float, float, float]:
    """The seed variance to believe, its degrees of freedom, and the residual."""
    n, m = own.pairs, own.rows
    weight = d0 + n - 1
    of_own = own.df * own.seed if n > 1 else 0.0
    residual = (d0 * prior.residual + (own.df * own.residual if n > 1 else 0.0)) / weight
    seed, seed_df = max(0.0, (d0 * prior.seed + of_own) / weight), float(weight)
    if n > 1 and own.seed > seed:
        seed_df = own.df + d0 * (seed + residual / m) / (own.seed + residual / m)
        seed = own.seed
    return seed, seed_df, residual


def _witnessed(own: Crossed, searched: Searched | None, believed: tuple[float, float]) -> tuple[float, float]:
    """The larger of the seed variance believed and that of the search's trainings, with its degrees of freedom.

    Where every pair is the same to the last row there is no noise of seeds, and what the search shows is misfit.
    """
    if searched is None or searched.df <= 0 or _is_still(own):
        return believed
    weight = min(SEARCHED_CAP, searched.df)
    share = weight / (weight + own.df)
    of_own = (1.0 - share) * max(0.0, own.seed) if own.df else 0.0
    seed = share * searched.seed + of_own
    if seed <= believed[0]:
        return believed
    df = satterthwaite(((share * searched.seed, min(searched.df, PRIOR_CAP)), (of_own, max(1.0, own.df))), seed)
    return seed, df


def _is_still(own: Crossed) -> bool:
    """Whether another seed changed nothing at all."""
    return own.pairs > 1 and own.residual <= NOTHING * (own.row + own.mean**2) and own.seed <= NOTHING * own.mean**2


def satterthwaite(parts: tuple[tuple[float, float], ...], total: float | None = None) -> float:
    """Degrees of freedom of a sum of variance estimates: V² / Σ v_j²/df_j (Satterthwaite 1946).

    parts: (variance, df) each; total: V where parts overlap. A sum of nothing has infinitely many.
    """
    whole = sum(v for v, _ in parts) if total is None else total
    spread = sum(v * v / df for v, df in parts if v > 0)
    return max(1.0, whole * whole / spread) if spread > 0 else math.inf


def _by_cluster(table: Array, clusters: Array) -> tuple[Array, float]:
    """One column a cluster: per pair, mean + (sum − size·mean)·G/m, the linearised ratio, so means are kept."""
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    member = member.ravel()
    if member.shape != (table.shape[1],):
        raise StatsError("ADC-STAT-004", "clusters and rows differ in number", got=f"{member.shape} and {table.shape}")
    sizes = np.bincount(member).astype(np.float64)
    count, rows = len(sizes), table.shape[1]
    if count == rows:
        return table, float(rows)
    means = table.mean(axis=1)
    sums = np.stack([np.bincount(member, weights=line, minlength=count) for line in table])
    columns = means[:, None] + (sums - sizes[None, :] * means[:, None]) * (count / rows)
    return columns, float(rows**2 / np.sum(sizes**2))
