"""What each dataset does to single explore rows, by the search's trainings: how sure, and whom it stands in for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.evaluation import effects
from autodc.evaluation.metrics import Metric
from autodc.evaluation.scores import row_scores
from autodc.gate.noise import weighted_rows
from autodc.stats.variance import crossed
from autodc.study.journal.records import TrialState
from autodc.study.ports import ArtefactStore
from autodc.study.slicing import Slices
from autodc.study.view import View

Array = np.ndarray[Any, Any]

ALIKE = 0.25
"""Two datasets whose effects on rows correlate so much help the same rows."""

MOST = 400
"""So many trainings speak, the last ones."""


@final
@dataclass(frozen=True, slots=True)
class RowEffects:
    """Reads stored outcomes of trainings."""

    slices: Slices
    metric: Metric
    store: ArtefactStore

    def spreads(self, view: View, names: Sequence[str]) -> dict[str, float]:
        """Dataset → standard deviation of its effect on the objective over draws of explore rows."""
        found = self._of(view, names)
        if found is None:
            return {}
        table, clusters = found
        spreads = {}
        for name, rows in zip(names, table, strict=True):
            own = crossed(rows[None], clusters)
            spreads[name] = float(np.sqrt(own.row / own.rows))
        return spreads

    def stand_ins(self, view: View, members: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
        """Those of the others that help the rows that the members help."""
        found = self._of(view, [*members, *others])
        if found is None:
            return ()
        together = found[0][: len(members)].sum(axis=0)
        each = found[0][len(members) :]
        return tuple(n for n, rows in zip(others, each, strict=True) if _correlation(together, rows) >= ALIKE)

    def _of(self, view: View, names: Sequence[str]) -> tuple[Array, Array | None] | None:
        """Effects of datasets on the rows of the objective, shape (names, rows), and the rows' clusters."""
        targets = [s for s in self.slices.explore.objective(view.spec.gate.min_rows) if len(s.rows) > 1]
        known: list[tuple[TrialState, Mapping[str, Array]]] = []
        for one in view.visible[-MOST:]:
            done = one.outcome is not None and one.outcome.arrays and one.trial.fidelity == 1
            if not done or one.outcome is None or view.closes(one.trial.phase):
                continue
            known.append((one, self.store.get(one.outcome.arrays)))
        if not targets or not known or not names:
            return None
        scores = {
            s.name: np.array([row_scores(self.slices.explore, self.metric, s, a, soft=False) for _, a in known])
            for s in targets
        }
        total = sum(s.weight for s in targets)
        goal = sum(s.weight / total * scores[s.name].mean(axis=1) for s in targets)
        columns = effects.design([one.trial.plan for one, _ in known], names, view.spec.search_space)
        mapped = effects.smoother(columns, np.asarray(goal), len(names))
        if mapped is None:
            return None
        parts = [(mapped @ scores[s.name], s.clusters, s.weight) for s in targets]
        table, clusters = weighted_rows(parts)
        return table, clusters


def _correlation(left: Array, right: Array) -> float:
    if np.ptp(left) == 0.0 or np.ptp(right) == 0.0:
        return 0.0
    return float(np.corrcoef(left, right)[0, 1])
