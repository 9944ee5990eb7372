"""Edge cases of a study: explore rows further out than rows of the base are, and whether the model fails there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.adapters.enrichers import embeddings_of
from autodc.data.overlap import joint_clusters
from autodc.diagnose.chances import wilson
from autodc.diagnose.outliers import EdgeCases, Tails, boundary, edge_cases, tails
from autodc.diagnose.view import View
from autodc.large import evenly, joined
from autodc.wire.explored import EMBEDDING
from autodc.wire.inputs import Inputs
from autodc.wire.labels import most_rows

Array = np.ndarray[Any, Any]

LISTED, SHOWN = 100, 12
"""Edge cases that are listed, the furthest out first, and rows that are shown on a page."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EdgesSeen:
    """What was found of edge cases."""

    found: EdgeCases
    """`row` is a place among the rows."""
    rows: View
    """The explore rows that were looked at."""
    of: int
    """Explore rows that there are."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form; a case's `row` is its position in validation."""
        found = self.found.to_dict()
        cases = [
            {**one, "row": int(self.rows.ids[one["row"]]), "error": round(float(self.rows.error[one["row"]]), 6)}
            for one in found["cases"]
        ]
        return {**found, "of": self.of, "count": len(cases), "error": self._error(), "cases": cases[:LISTED]}

    @property
    def shown(self) -> Array:
        """Places of the rows that a reader is shown."""
        return np.array([one.row for one in self.found.cases[:SHOWN]], dtype=int)

    def _error(self) -> dict[str, Any] | None:
        """Mean error of edge cases and of the other rows; of shares with their 95% intervals (Wilson)."""
        inside = np.zeros(len(self.rows), dtype=bool)
        inside[[one.row for one in self.found.cases]] = True
        if not inside.any() or inside.all():
            return None
        told: dict[str, Any] = {}
        for name, mask in (("inside", inside), ("outside", ~inside)):
            told[name] = round(float(self.rows.error[mask].mean()), 6)
            if self.rows.is_classification:
                told[f"{name}_interval"] = [round(v, 4) for v in wilson(told[name], int(mask.sum()))]
        return told


def edges_in(inputs: Inputs, rows: View) -> EdgesSeen:
    """Find the explore rows that lie further out than rows of the base, in the space of both together.

    rows: as finders see them. With `attributes: [embedding]` the space is an installed network's, else of principal
    components of the inputs, or of words. Which rows are told, their distance says; which come first, a classifier that
    learned rows of the base against rows made up in the tails (Virtual Outlier Synthesis), which orders them better.
    """
    base, most = inputs.catalogue.base, most_rows(inputs.catalogue)
    usual = base.take(evenly(len(base), most))
    seen = rows.take(evenly(len(rows), most))
    assert seen.x is not None
    together = joined([usual.x, seen.x])
    spaces = embeddings_of(together, together, networks=EMBEDDING in inputs.spec.attributes)
    points = np.asarray(list(spaces.values())[-1])
    (units,) = joint_clusters([usual])
    known, asked = points[: len(usual)], points[len(usual) :]
    seed = seeds.integer(inputs.spec.seed, "edges")
    fitted = tails(known, usual.y, seed, units)
    found = edge_cases(fitted, asked, most=len(seen))
    if isinstance(fitted, Tails) and found.cases:
        score = boundary(fitted, known, seed).score(asked)
        found = replace(found, cases=tuple(sorted(found.cases, key=lambda one: -score[one.row])))
    return EdgesSeen(found=found, rows=seen, of=len(rows))
