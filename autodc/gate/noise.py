"""What a study knows of its noise: per slice, how much a difference moves with the seed and with the row.

The pools are filled by A/A calibration (the incumbent on several seeds) and grow with every comparison made; the
search's own trainings are a further witness, of trainings unlike those.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from autodc.evaluation.evidence import SliceEvidence
from autodc.gate.types import Look
from autodc.stats.variance import Prior, Searched, crossed

Array = np.ndarray[Any, Any]

OBJECTIVE = "objective"
"""The name of the objective among the slices; no slice may have it."""
SCHEMA_VERSION = 1
SILENT = 1e-9
"""Noise below this share of the squared differences is rounding: the trainings were the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """Per slice, and for the objective, the noise of a paired difference. A value: updating returns another."""

    slices: Mapping[str, Prior] = field(default_factory=dict)
    searched: Mapping[str, Searched] = field(default_factory=dict)
    """What the search's own trainings show, where they say anything; the objective among them."""

    @classmethod
    def calibrated(
        cls,
        runs: Mapping[str, Array],
        clusters: Mapping[str, Array | None],
        objective_weights: Mapping[str, float],
    ) -> Pools:
        """Fill the pools from the incumbent on several seeds.

        runs: slice → oriented per-row scores, shape (n_runs, n_rows), n_runs ≥ 2; clusters: slice → shape (n_rows,)
        or None; objective_weights: target slice → weight. A difference of two runs has twice the variance of one.
        """
        priors = {name: _doubled(table, clusters.get(name)) for name, table in runs.items()}
        if objective_weights:
            parts = [(runs[name], clusters.get(name), weight) for name, weight in objective_weights.items()]
            priors[OBJECTIVE] = _doubled(*weighted_rows(parts))
        return cls(slices=priors)

    def updated(self, look: Look) -> Pools:
        """Add what a comparison showed of its noise: each estimate with its n − 1 degrees of freedom."""
        grown = dict(self.slices)
        for name, (seed, residual, df) in look.noise.items():
            old = grown.get(name, Prior(seed=0.0, residual=0.0, df=0.0))
            total = old.df + df
            if df > 0 and math.isfinite(seed) and math.isfinite(residual):
                grown[name] = Prior(
                    seed=(old.df * old.seed + df * seed) / total,
                    residual=(old.df * old.residual + df * residual) / total,
                    df=total,
                )
        return replace(self, slices=grown)

    def of(self, name: str) -> Prior:
        """Return the pool of a slice; one with no degrees of freedom where nothing is known."""
        return self.slices.get(name, Prior(seed=0.0, residual=0.0, df=0.0))

    def speaks(self, name: str, size: float) -> bool:
        """Whether the trainings that filled the pool of a slice moved at all. size: mean square of what is compared.

        A deterministic learner, and a slice that every training has wholly right or wrong, leave it silent: it knows
        nothing of how much another training moves.
        """
        prior = self.of(name)
        return prior.df <= 0 or max(0.0, prior.seed) + prior.residual > SILENT * size

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "schema_version": SCHEMA_VERSION,
            "slices": {name: asdict(p) for name, p in self.slices.items()},
            "searched": {name: asdict(p) for name, p in self.searched.items()},
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Pools:
        """Read the JSON form back."""
        return cls(
            slices={name: Prior(**prior) for name, prior in value["slices"].items()},
            searched={name: Searched(**one) for name, one in value.get("searched", {}).items()},
        )


def objective_evidence(targets: Iterable[SliceEvidence]) -> SliceEvidence:
    """Write the objective as one more slice: the mean over its columns is the weighted mean of the target slices."""
    listed = list(targets)
    table, clusters = weighted_rows([(t.differences, t.clusters, t.weight) for t in listed])
    return SliceEvidence(
        name=OBJECTIVE,
        role="target",
        weight=sum(t.weight for t in listed),
        margin=None,
        declared=True,
        differences=table,
        clusters=clusters,
    )


def weighted_rows(parts: Iterable[tuple[Array, Array | None, float]]) -> tuple[Array, Array | None]:
    """Write a weighted mean of slice means as one table of pseudo-rows, and the clusters of its columns.

    parts: (table of pairs × rows, clusters or None, weight). Row i of slice k becomes
    objective + (w_k/Σw)·(M/m_k)·(row − mean of its slice), M rows in all: the slices are strata, what separates
    their means is no noise. Cluster numbers mean the same rows in every slice, so a row in two slices counts once.
    """
    listed = [(np.atleast_2d(np.asarray(table, dtype=np.float64)), c, weight) for table, c, weight in parts]
    total = sum(weight for _, _, weight in listed)
    rows = sum(table.shape[1] for table, _, _ in listed)
    means = [table.mean(axis=1) for table, _, _ in listed]
    objective = sum(weight / total * mean for (_, _, weight), mean in zip(listed, means, strict=True))
    columns = [
        weight / total * (rows / table.shape[1]) * (table - mean[:, None])
        for (table, _, weight), mean in zip(listed, means, strict=True)
    ]
    merged = None
    if any(c is not None for _, c, _ in listed) and len(listed) > 1:
        merged = _merge([(table.shape[1], c) for table, c, _ in listed])
    elif len(listed) == 1:
        merged = listed[0][1]
    return np.concatenate(columns, axis=1) + np.asarray(objective)[:, None], merged


def _merge(parts: list[tuple[int, Array | None]]) -> Array:
    """Number clusters over all slices; rows without clusters get numbers of their own."""
    known = [np.asarray(c) for _, c in parts if c is not None]
    fresh = max(int(c.max()) for c in known) + 1
    numbers = []
    for rows, c in parts:
        if c is None:
            numbers.append(np.arange(fresh, fresh + rows))
            fresh += rows
        else:
            numbers.append(np.asarray(c))
    return np.concatenate(numbers)


def _doubled(table: Array, clusters: Array | None) -> Prior:
    moments = crossed(table, clusters)
    return Prior(seed=2 * moments.seed, residual=2 * moments.residual, df=float(moments.df))
