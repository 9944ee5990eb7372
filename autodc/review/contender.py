"""A contender: one plan of one study, with what its trainings scored a row, to be held beside others."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.special import stdtrit

from autodc.errors import AutodcError
from autodc.evaluation import objective
from autodc.evaluation.metrics import Metric
from autodc.evaluation.scores import row_scores
from autodc.evaluation.slices import Slice, SliceTable
from autodc.gate.noise import weighted_rows
from autodc.large import distinct_values
from autodc.plan.plan import Plan
from autodc.review.result import spent
from autodc.stats.variance import Prior, crossed, moderate
from autodc.study import direction, membership
from autodc.study.beside import INTERVAL_LEVEL
from autodc.study.journal.records import TrialState
from autodc.study.journal.state import State
from autodc.study.phases.order import view_of
from autodc.study.rules.latest_scores import freshest, freshest_trials
from autodc.study.view import spec_of
from autodc.studyfile.names import METRICS

Array = np.ndarray[Any, Any]
Read = Callable[[str], Mapping[str, Array]]
"""An address to its arrays; raises study.ports.ArtefactLost."""

START, INCUMBENT = "start", "incumbent"
"""Plans that every study has a name for."""
OLDER = "its journal is of an older autodc and does not say which rows its slices have; `autodc run` once more says it"
NOTHING = Prior(seed=0.0, residual=0.0, df=0.0)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contender:
    """One plan of one study."""

    label: str
    """What a reader calls it; no two that are compared have the same."""
    folder: str
    of: str
    """Incumbent, start, or the name of a milestone."""
    plan: Plan
    state: State
    metric: Metric | None
    table: SliceTable | None
    """Its slices on the rows its gate decides on; None where `why` says what hinders."""
    read: Read
    why: str = ""
    """Why single rows of it cannot be looked at; empty where they can."""

    @property
    def min_rows(self) -> int:
        """Rows that a slice needs to be evidence."""
        return spec_of(self.state).gate.min_rows

    @property
    def is_cut(self) -> bool:
        """Whether its search saw other rows than those that are compared."""
        return any("explore_rows" in c and c["explore_rows"] != c["rows"] for c in self.state.question.slices.values())

    @property
    def freshest(self) -> list[TrialState]:
        """The trainings that say best what it scores."""
        return [
            t for t in freshest_trials(view_of(self.state), self.plan) if t.outcome is not None and t.outcome.arrays
        ]

    def scores(self, trials: Sequence[TrialState], one: Slice, table: SliceTable) -> Array:
        """Oriented scores of the rows of a slice by trainings, shape (trainings, rows)."""
        assert self.metric is not None
        arrays = (self.read(t.outcome.arrays) for t in trials if t.outcome is not None)
        return np.array([row_scores(table, self.metric, one, a, soft=False) for a in arrays])


def opened(
    label: str, folder: str, of: str, plan: Plan, state: State, read: Read, find_metric: Callable[[], Metric]
) -> Contender:
    """Make a contender; what hinders a look at its rows is said, not raised."""
    metric, table, why = None, None, ""
    try:
        metric = find_metric()
        table = membership.table_of(state, read(state.rows)) if state.rows else None
        why = "" if table is not None else OLDER
    except AutodcError as error:
        why = str(error)
    return Contender(
        label=label, folder=folder, of=of, plan=plan, state=state, metric=metric, table=table, read=read, why=why
    )


def told(one: Contender) -> dict[str, Any]:
    """What is told of it: what it is made of, what it scores, what it cost."""
    state, question = one.state, one.state.question
    slices, together, why = _values(one)
    used = spent(state)
    return {
        "name": question.name,
        "label": one.label,
        "folder": one.folder,
        "of": one.of,
        "finished": state.finished is not None,
        "stopped_because": state.finished.because if state.finished else None,
        "fingerprint": question.fingerprint,
        "validation": question.parts.get("validation"),
        "metric": {"name": spec_of(state).metrics.primary, "better": direction.better(state)},
        "kept": list(one.plan.mixture.added),
        **one.plan.to_dict(),
        "verdicts": {name: state.verdict(name) for name in state.candidates},
        "slices": slices,
        "objective": together,
        "test": _sealed(one),
        "spent": {key: used[key] for key in ("trainings", "wall_seconds", "cost", "by_phase")},
        "milestones": list(state.milestones),
        "note": why,
    }


def _values(one: Contender) -> tuple[dict[str, Any], dict[str, Any] | None, str]:
    """Each slice on the rows that decide, with its interval, and the objective; why there are no intervals."""
    trials = one.freshest
    if one.table is not None and trials:
        try:
            return *_measured(one, one.table, trials), ""
        except AutodcError as error:
            return *_journalled(one), str(error)
    return *_journalled(one), one.why or "no training of it has come to an end"


def _measured(
    one: Contender, table: SliceTable, trials: Sequence[TrialState]
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    rows = {s.name: one.scores(trials, s, table) for s in table.measured if len(s.rows)}
    slices = {
        s.name: {"role": s.role, **_natural(one, rows[s.name], s.clusters), "rows": len(s.rows)}
        for s in table.measured
        if s.name in rows
    }
    targets = [s for s in table.objective(one.min_rows) if s.name in rows]
    if not targets:
        return slices, None
    return slices, _natural(one, *weighted_rows([(rows[s.name], s.clusters, s.weight) for s in targets]))


def _natural(one: Contender, rows: Array, clusters: Array | None) -> dict[str, Any]:
    """Mean and interval as the user knows the metric. rows: shape (trainings, rows), oriented."""
    mean, reach = float(rows.mean()), _reach(rows, clusters)
    ends = None
    if reach is not None:
        known = METRICS.get(spec_of(one.state).metrics.primary)
        least, most = (0.0, 1.0) if known is not None and known.share else (-math.inf, math.inf)
        found = sorted(direction.natural(one.state, mean + side * reach) for side in (-1, 1))
        ends = [min(max(end, least), most) for end in found]
    return {
        "value": direction.natural(one.state, mean),
        "low": None if ends is None else ends[0],
        "high": None if ends is None else ends[1],
        "trainings": len(rows),
    }


def _reach(rows: Array, clusters: Array | None) -> float | None:
    """Half of the interval of a mean for new trainings and new rows; of one training, for new rows alone."""
    if rows.shape[1] < 2 or (clusters is not None and len(distinct_values(clusters)) < 2):
        return None
    own = crossed(rows, clusters)
    if own.pairs > 1:
        estimate = moderate(own, NOTHING)
        error, df = estimate.standard_error, estimate.df
    else:
        error, df = math.sqrt(own.row / own.rows), max(own.effective_rows - 1.0, 1.0)
    return float(stdtrit(df, 0.5 + INTERVAL_LEVEL / 2)) * error


def _journalled(one: Contender) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What the journal alone says: means without intervals."""
    cards, runs = one.state.question.slices, freshest(view_of(one.state), one.plan)
    if not runs:
        return {}, None
    means = {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}
    bare = {"low": None, "high": None, "trainings": len(runs)}
    slices = {
        name: {
            "role": cards[name]["role"],
            "value": direction.natural(one.state, value),
            **bare,
            "rows": cards[name].get("rows"),
        }
        for name, value in means.items()
    }
    together = objective.mean(means, objective.weights(cards))
    return slices, None if together is None else {"value": direction.natural(one.state, together), **bare}


def _sealed(one: Contender) -> dict[str, float] | None:
    """The sealed test set, where it was opened for this very plan."""
    measured = one.state.measured
    if measured is None or one.state.measured_plan != one.state.incumbent:
        return None
    if one.plan == one.state.incumbent:
        return dict(measured.after)
    return dict(measured.before) if one.plan == one.state.start else None
