"""The last measurement: start and end on fresh seeds after the last verdict, read from the sealed test set."""

from __future__ import annotations

from typing import final

from autodc.study.journal import events as ev
from autodc.study.phases.credit import credited
from autodc.study.phases.phase import Phase
from autodc.study.phases.tools import Tools
from autodc.study.rules import allowance, last, planning
from autodc.study.view import View
from autodc.studyfile.study import StudySpec


@final
class LastMeasurement(Phase):
    """The end of every study; without a test set it trains nothing."""

    name = "test"
    words = "measuring start against end with fresh seeds"
    purpose = "start and end with fresh seeds, for the sealed test set"
    closing = True
    predicts_test = True

    def keeps_model(self, spec: StudySpec) -> bool:
        """The best of them is handed over."""
        return True

    def apart(self, spec: StudySpec) -> int:
        """Both arms on every seed."""
        return 2 * allowance.final_seeds(spec)

    def begin(self, view: View) -> ev.PhaseStarted:
        """With the seeds that can be paid."""
        return ev.PhaseStarted(round=view.state.round, phase=self.name, planned=last.seeds_paid(view))

    def decide(self, view: View, tools: Tools) -> ev.Event | None:
        """When all trainings after the last verdict are visible: account for the gain, read the test set, finish."""
        if last.needs(view) or any(view.closes(t.trial.phase) for t in view.hidden):
            return None
        if view.state.credited is None:
            return credited(view, tools)
        if view.state.due and last.pairs(view):
            return tools.assessor.measure(view)
        return ev.StudyFinished(because=_because(view))

    def want(self, view: View, tools: Tools) -> ev.TrialPlanned | None:
        """The next one."""
        needs = last.needs(view)
        return planning.training(view, needs[0], self.name, "final") if needs else None


def _because(view: View) -> str:
    """Why the study is over."""
    state, spec = view.state, view.spec
    if state.asked is not None:
        return "stopped"
    if state.limit is not None and state.limit.trainings < allowance.asked(spec):
        return state.limit.because
    if state.round >= spec.loop.rounds:
        return "rounds"
    return "findings" if allowance.left(view) >= allowance.LEAST_ROUND else "budget.trainings"
