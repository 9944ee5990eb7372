"""The loop as a pure state machine: from what is visible, the next decision or the next trial.

Outcomes are revealed in order of their number, whatever the order they arrive in. A trial is planned as soon as the
state wants one and fewer than `search.lag` planned trials are unrevealed; otherwise the next outcome is revealed. So
the same study, seed and outcomes give the same decisions on any number of workers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from autodc.errors import AutodcError
from autodc.search.engine import SearchEngine
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.memory import Memory
from autodc.study.phases.decide import Assessor, Decider
from autodc.study.phases.planner import Planner
from autodc.studyfile.study import StudySpec


@final
@dataclass(frozen=True, slots=True)
class Waiting:
    """The next step needs an outcome that has not arrived."""


@final
@dataclass(frozen=True, slots=True)
class Finished:
    """The study is over."""


Step = ev.Event | Waiting | Finished


@final
class Loop:
    """Decides and plans. It holds nothing that cannot be derived from the state."""

    def __init__(self, spec: StudySpec, state: State, engine: SearchEngine, assessor: Assessor) -> None:
        memory = Memory()
        self._lag, self._state = spec.search.lag, state
        self._decider = Decider(spec, state, engine, memory, assessor)
        self._planner = Planner(spec, state, engine, memory)

    def step(self) -> Step:
        """Return the next event, to be journalled and applied before the next call; or that there is none now.

        A TrialPlanned is a decision like any other: the caller submits the trial after it is journalled.
        """
        state = self._state
        while state.finished is None:
            decision = self._decider.react()
            if decision is not None:
                return decision
            if len(state.trials) - state.horizon < self._lag:
                planned = self._planner.want()
                if planned is not None:
                    return planned
            if state.horizon == len(state.trials):
                raise AutodcError("ADC-LOOP-001", "the loop is stuck", f"round {state.round}, phase {state.phase}")
            if state.trials[state.horizon].outcome is None:
                return Waiting()
            state.horizon += 1
        return Finished()
