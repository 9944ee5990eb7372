"""Calibration: the start is trained several times, to learn how much luck there is in a training."""

from __future__ import annotations

from typing import final

from autodc.study.journal import events as ev
from autodc.study.phases.phase import Phase
from autodc.study.phases.tools import Tools
from autodc.study.rules import allowance, pairs, planning
from autodc.study.view import View
from autodc.studyfile.study import StudySpec


@final
class Calibration(Phase):
    """A/A trainings of the start. Their seeds are those of the first pairs, which need them not trained again."""

    name = "calibration"
    words = "measuring the noise of the start"
    purpose = "the model of the start again and again, to learn how much luck there is"
    keeps_soft = True  # few, and `simulate` may ask them what they were not trained for

    def keeps_model(self, spec: StudySpec) -> bool:
        """Where a training may go on from one."""
        return "continue" in spec.recipes

    def apart(self, spec: StudySpec, rules: int) -> int:
        """All of them."""
        return allowance.calibration_runs(spec)

    def begin(self, view: View) -> ev.PhaseStarted:
        """Before the first round."""
        return ev.PhaseStarted(round=0, phase=self.name, planned=allowance.calibration_runs(view.spec))

    def decide(self, view: View, tools: Tools) -> ev.Event | None:
        """The search begins when all are planned; who asked for the test set goes on without one."""
        if view.state.count(self.name) < allowance.calibration_planned(view.state):
            return None
        return view.close() if view.state.asked is not None else view.after(self)

    def want(self, view: View, tools: Tools) -> ev.TrialPlanned | None:
        """The next one."""
        seed = pairs.pair_seed(view.spec, 1, view.state.count(self.name))
        return planning.training(view, (view.start, seed), self.name, "start", round_number=0)
