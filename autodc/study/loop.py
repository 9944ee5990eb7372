"""The loop as a pure state machine: from what is visible, the next decision or the next trial.

Outcomes are revealed in order of their number, whatever the order they arrive in. A trial is planned as soon as the
phase wants one and fewer than `search.lag` planned trials are unrevealed; otherwise the next outcome is revealed. So
the same study, seed and outcomes give the same decisions on any number of workers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from autodc.errors import AutodcError
from autodc.study.journal import events as ev
from autodc.study.journal.state import State
from autodc.study.phases import comparing
from autodc.study.phases.phase import Phase
from autodc.study.phases.tools import Tools
from autodc.study.rules import comparisons, fidelity, probing
from autodc.study.view import View
from autodc.studyfile.study import StudySpec


@final
@dataclass(frozen=True, slots=True)
class Waiting:
    """The next step needs an outcome, or data that are made, and they have not arrived."""


@final
@dataclass(frozen=True, slots=True)
class Finished:
    """The study is over."""


Step = ev.Event | Waiting | Finished


@final
class Loop:
    """Goes through the phases. It holds nothing that cannot be derived from the state."""

    def __init__(self, spec: StudySpec, state: State, tools: Tools, order: tuple[Phase, ...]) -> None:
        self._spec, self._state, self._tools, self._order = spec, state, tools, order
        self._horizon = 0

    @property
    def view(self) -> View:
        """What is visible now: what a decision in the journal has seen, and what was revealed since."""
        return View(self._spec, self._state, max(self._horizon, self._state.horizon), self._order)

    def step(self) -> Step:
        """Return the next event, to be journalled and applied before the next call; or that there is none now.

        A TrialPlanned is a decision like any other: the caller submits the trial after it is journalled.
        """
        state = self._state
        while state.finished is None:
            view = self.view
            event = self._decision(view) or self._training(view)
            if isinstance(event, ev.PhaseStarted):
                return replace(event, horizon=view.horizon)
            if event is not None:
                return event
            if view.phase is not None and view.phase.awaits(view):
                return Waiting()
            if view.horizon >= len(state.trials):
                raise AutodcError("ADC-LOOP-001", "the loop is stuck", f"round {state.round}, phase {state.phase}")
            if state.trials[view.horizon].outcome is None:
                return Waiting()
            self._horizon = view.horizon + 1
        return Finished()

    def _decision(self, view: View) -> ev.Event | None:
        phase = view.phase
        if self._state.asked is not None and view.has_start and (phase is None or not phase.closing):
            return comparing.stopped(view)
        made = () if phase is None else phase.declares(view)
        if self._tools.own_slice is not None and (own := comparisons.to_join(self._state, made)) is not None:
            return self._tools.own_slice(own)
        if (measured := fidelity.measured(view) or probing.measured(view)) is not None:
            return measured
        return self._next(view).begin(view) if phase is None else phase.decide(view, self._tools)

    def _next(self, view: View) -> Phase:
        """The phase to begin where none is under way: the first, or where an extended study goes on."""
        return next(p for p in self._order if p.takes_up(view)) if self._state.phase else self._order[0]

    def _training(self, view: View) -> ev.TrialPlanned | None:
        phase = view.phase
        hidden = len(self._state.trials) - view.horizon
        return None if phase is None or hidden >= self._spec.search.lag else phase.want(view, self._tools)
