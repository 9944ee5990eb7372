"""How much longer a study takes: a span, for as long as nobody can know what the gate still needs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, final

from autodc.plan.trial import Outcome
from autodc.study.journal.state import State
from autodc.study.pace import RECENT, pace, typical_rows
from autodc.study.pace import seconds_left as awake_seconds_left
from autodc.study.phases.order import view_of
from autodc.study.rules import allowance
from autodc.study.view import View

EVIDENCE = 4
"""Trainings that must have ended before anything is said."""
LEAST_SHARE = 0.1
"""Of the slots, that trainings are believed to fill at least."""
Bound = Literal["trainings", "until", "budget.wall_clock", "rounds"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLeft:
    """Wall seconds, counted while the study is not paused."""

    low: float
    """For what is planned and the last measurement alone: the study ends early where nothing more promises a gain."""
    high: float
    by: Bound
    """What ends it at the latest; with `rounds` nothing does, and high is what the rounds to come usually take."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"low": round(self.low, 1), "high": round(self.high, 1), "by": self.by}


def time_left(state: State, now: float) -> TimeLeft | None:
    """What is left at the pace of the last trainings; None before there is evidence, and where nothing is left to do.

    now: Unix time.
    """
    recent = list(itertools.islice(_ended(state), RECENT))
    found = pace(state)
    if found is None or len(recent) < EVIDENCE or not state.sessions or state.finished is not None:
        return None
    view = view_of(state)
    each = found.seconds(typical_rows(state)) / state.sessions[-1].slots
    most, by = _trainings(view)
    low = _planned(view) * each
    ends: list[tuple[float, Bound]] = [(most * each / max(_busy(state, recent), LEAST_SHARE), by)]
    if (until := state.sessions[-1].until) is not None:
        ends.append((until - now, "until"))
    awake = awake_seconds_left(view.spec, state) - state.sessions[-1].seconds
    if math.isfinite(awake):
        ends.append((awake, "budget.wall_clock"))
    high, by = min(ends)
    high = max(high, 0.0)
    return TimeLeft(low=min(low, high), high=high, by=by)


def _trainings(view: View) -> tuple[float, Bound]:
    """Trainings that may still come to their end, and what bounds them."""
    state, cap = view.state, allowance.cap(view)
    ended = sum(t.trial.fidelity for t in state.trials if t.outcome is not None)
    if math.isfinite(cap):
        by: Bound = "trainings"
        if state.limit is not None and cap < allowance.asked(view.spec):
            by = "until" if state.limit.because == "until" else "budget.wall_clock"
        return max(0.0, cap - ended), by
    begun = sum(state.charged(phase, state.round) for phase in ("search", "gate"))
    rounds = max(0, view.spec.loop.rounds - max(state.round, 1) + 1) * view.spec.search.trials_per_round
    return max(0.0, rounds / allowance.SEARCH_SHARE - begun) + _planned(view), "rounds"


def _planned(view: View) -> float:
    """Trainings that are planned and have not ended, and those set apart for the last measurement."""
    state = view.state
    under_way = sum(t.trial.fidelity for t in state.trials if t.outcome is None)
    rules = state.question.rules
    apart = (max(0, phase.apart(view.spec, rules) - state.count(phase.name)) for phase in view.closing)
    return under_way + sum(apart)


def _busy(state: State, recent: list[Outcome]) -> float:
    """The share of the slots that the last trainings of this session filled, pauses left out; 1 where none ended."""
    session = state.sessions[-1]
    mine = [one for one in recent if one.started >= session.started]
    if len(mine) < EVIDENCE:
        return 1.0
    begin, end = min(one.started for one in mine), max(one.ended for one in mine)
    open_slots = session.mean_slots(begin, end) * (end - begin)
    return min(1.0, sum(one.took for one in mine) / open_slots) if open_slots > 0 else 1.0


def _ended(state: State) -> Iterator[Outcome]:
    """Outcomes of trainings that took time, the last first."""
    outcomes = (t.outcome for t in reversed(state.trials))
    return (one for one in outcomes if one is not None and one.ended > 0)
