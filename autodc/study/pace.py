"""How long the trainings of a study take: one that was slow, and a machine that slept, must not end the night."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.study.journal.records import TrialState
from autodc.study.journal.state import State
from autodc.study.replacing import replaced, rows_of, standing
from autodc.studyfile.study import StudySpec

Array = np.ndarray[Any, Any]

RECENT = 50
"""So many trainings tell the pace, the last ones."""

LOOKED = 4 * RECENT
"""No training further back is looked at."""

TRIMMED = 0.1
"""This share of them, the slowest, is left out, and one at least of four or more."""

KNOWN = 3
"""From so many trainings on the pace sets how long one may take."""

FIRST_TIMEOUT = 6 * 3600.0
"""Seconds a training may take where nothing is known yet and the machine file does not say."""

LEAST_TIMEOUT = 600.0
"""A training that takes less is never ended for being slow."""

LEAST_MAKING = 1800.0
"""What makes data has so long at least: a simulator may well be slower than a training."""

TIMES_PACE = 20.0
"""A training that takes so many times what is usual for its size has failed."""

TIMES_SLOWEST = 4.0
"""And so many times the slowest that came to an end: settings may make one training far longer than another."""


@final
@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of a full training."""

    fixed: float
    """Whatever its size."""
    per_row: float
    """For each row drawn in an epoch."""
    slowest: float
    """Seen of late."""
    known: int
    """Trainings that say so."""

    def seconds(self, rows: float, fidelity: float = 1.0) -> float:
        """What a training on so many rows is likely to take."""
        return fidelity * (self.fixed + self.per_row * rows)


def pace(state: State) -> Pace | None:
    """The pace of the last trainings that came to an end; None where there is none.

    What a further row costs is the median over pairs of trainings of different size; the rest is their mean without
    the slowest. Where all are of one size, a larger one is believed to take longer in proportion.
    """
    last = list(itertools.islice(_ended(state), RECENT))
    if not last:
        return None
    x = np.array([rows(state, t.trial.plan) for t in last])
    y = np.array([t.outcome.took / t.trial.fidelity for t in last if t.outcome is not None])
    i, j = np.triu_indices(len(x), 1)
    apart = x[i] != x[j]
    if apart.any():
        most = _usual(y) / max(float(np.median(x)), 1.0)
        slope = float(np.median((y[j] - y[i])[apart] / (x[j] - x[i])[apart]))
        slope = min(max(slope, 0.0), most)
    else:
        slope = _usual(y) / max(float(x[0]), 1.0)
    fixed = max(0.0, _usual(y - slope * x))
    return Pace(fixed=fixed, per_row=slope, slowest=float(y.max()), known=len(last))


def typical_rows(state: State) -> float:
    """Rows drawn by a training such as those to come: the mean of the last ones.

    Before any mixture was planned: the base with half of the candidates.
    """
    last = state.trials[-RECENT:]
    if any(t.trial.plan.mixture.added for t in last) or not state.candidates:
        return float(np.mean([rows(state, t.trial.plan) for t in last])) if last else _rows(state, BASE)
    beside = (name for name in state.candidates if replaced(state, name) is None)
    return _rows(state, BASE) + sum(_rows(state, name) for name in beside) / 2


def rows(state: State, plan: Plan) -> float:
    """Rows that a plan draws in an epoch."""
    return sum(one.weight * rows_of(state, one) for one in standing(state, plan))


def usual(state: State) -> tuple[Pace, float] | None:
    """The pace, and what a training of the usual size takes by it; None where too few are known."""
    found = pace(state)
    return None if found is None or found.known < KNOWN else (found, found.seconds(typical_rows(state)))


def timeout(state: State, plan: Plan, fidelity: float, known: tuple[Pace, float] | None) -> float:
    """Seconds after which a training has failed, where the machine file does not say. known: what is `usual`."""
    if known is None:
        return FIRST_TIMEOUT
    found, typical = known
    longest = max(found.seconds(rows(state, plan)), typical)
    return max(LEAST_TIMEOUT, TIMES_PACE * fidelity * longest, TIMES_SLOWEST * fidelity * found.slowest)


def making_timeout(state: State) -> float:
    """Seconds after which data that are being made are given up, where the machine file does not say.

    The same pace sets it as that of a training of the usual size, but from the first training on.
    """
    found = pace(state)
    if found is None:
        return FIRST_TIMEOUT
    return max(LEAST_MAKING, TIMES_PACE * found.seconds(typical_rows(state)), TIMES_SLOWEST * found.slowest)


def _usual(values: Array) -> float:
    """Mean without the slowest; the median of three or fewer."""
    if len(values) <= KNOWN:
        return float(np.median(values))
    kept = np.sort(values)[: len(values) - max(1, int(TRIMMED * len(values)))]
    return float(kept.mean())


def _ended(state: State) -> itertools.chain[TrialState]:
    """Trainings that came to an end well, the last first; those that failed only where none did well."""
    last = [t for t in reversed(state.trials[-LOOKED:]) if t.outcome is not None and t.outcome.ended > 0]
    done = [t for t in last if t.outcome is not None and t.outcome.status == "done"]
    failed = [t for t in last if t.outcome is not None and t.outcome.status == "failed"]
    return itertools.chain(done or failed)


def _rows(state: State, name: str) -> float:
    return float(state.card(name).get("rows", 0))


def seconds_left(spec: StudySpec, state: State) -> float:
    """What `budget.wall_clock` leaves to this session: sessions before count, a machine that slept does not."""
    if spec.budget.wall_clock is None:
        return math.inf
    return spec.budget.wall_clock - sum(s.seconds for s in state.sessions[:-1])
