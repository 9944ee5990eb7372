"""The evidence of a comparison: paired differences of one slice, pairs × rows, up is better for the challenger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from autodc.large import distinct_values
from autodc.studyfile.study import Role

Array = np.ndarray[Any, Any]


FINDING: Final = "finding"
"""The role of a slice that a finding made: what was made for the finding may gain there; it is no part of the objective
and guards nothing."""
SliceRole = Role | Literal["finding"]
OF_FINDING: Final = "finding-"
"""Before the name of a finding, how its own slice is called."""

UNDEFINED = 0
"""What `needed` says where the metric is not defined on the rows of a slice: no number of them would do."""


def counting_rows(rows: int, clusters: Array | None) -> float:
    """How many rows count where rows of one cluster are one: (Σ size)² / Σ size². clusters: shape (rows,) or None."""
    if clusters is None or not rows:
        return float(rows)
    sizes = np.unique(np.asarray(clusters), return_counts=True)[1].astype(np.float64)
    return float(rows**2 / np.sum(sizes**2))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SliceEvidence:
    """What one slice has seen of challenger − incumbent."""

    name: str
    role: SliceRole
    weight: float
    margin: float | None
    """None where the slice is not guarded."""
    declared: bool
    """The test's subject is meant to help this target."""
    differences: Array
    """Shape (n_pairs, n_rows), float, in oriented metric units; for a metric that is no mean over rows the jackknife
    pseudo-values of each arm are subtracted, so that the mean over rows is the difference of the metric."""
    clusters: Array | None = None
    """Shape (n_rows,) ints, rows of one cluster (group, near-duplicate) count as one; None: every row its own."""
    anchor: Array | None = None
    """Shape (k_pairs, n_rows), the same against the start of the campaign; None where not measured."""
    defined: bool = True
    """Whether the metric is defined on its rows; where it is not, the differences are 0 and say nothing."""

    @property
    def rows(self) -> int:
        """Rows of the slice."""
        return int(np.atleast_2d(self.differences).shape[1])

    @property
    def groups(self) -> int:
        """Clusters of rows, each of which is one observation."""
        return self.rows if self.clusters is None else len(distinct_values(np.asarray(self.clusters)))

    @property
    def counting(self) -> float:
        """Rows that count."""
        return counting_rows(self.rows, self.clusters)

    def is_evidence(self, min_rows: int) -> bool:
        """Whether it has rows enough to say anything; one that has not is no evidence, for or against."""
        return self.defined and self.groups >= 2 and self.counting >= min_rows

    def needed(self, min_rows: int) -> int:
        """The rows that count that one which is no evidence would take."""
        return min_rows if self.defined else UNDEFINED


Evidence = Mapping[str, SliceEvidence]
