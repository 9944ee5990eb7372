"""The last measurement: start, the obvious and the end on fresh seeds after the last verdict.

It is read from the sealed test set, and from the gate rows of validation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.search.engine import Observation
from autodc.study.journal import events as ev
from autodc.study.memory import on_every_row
from autodc.study.phases import diagnosing, requesting
from autodc.study.phases.credit import credited
from autodc.study.phases.phase import Phase
from autodc.study.phases.tools import Tools
from autodc.study.rules import actions, allowance, last, obvious, planning
from autodc.study.view import View
from autodc.studyfile.study import StudySpec


@final
class LastMeasurement(Phase):
    """The end of every study."""

    name = "test"
    words = "measuring start, the obvious and the end with fresh seeds"
    purpose = "start, base tuned, everything tuned and end with fresh seeds, for the sealed test set"
    closing = True
    predicts_test = True

    def keeps_model(self, spec: StudySpec) -> bool:
        """The best of them is handed over."""
        return True

    def apart(self, spec: StudySpec, rules: int) -> int:
        """Start and end on every seed, the obvious on theirs."""
        obvious = allowance.BASELINES * allowance.baseline_seeds(spec, rules)
        return 2 * allowance.final_seeds(spec, rules) + obvious

    def begin(self, view: View) -> ev.PhaseStarted:
        """With the seeds that can be paid."""
        return ev.PhaseStarted(round=view.state.round, phase=self.name, planned=last.seeds_paid(view))

    def decide(self, view: View, tools: Tools) -> ev.Event | None:
        """Choose the obvious once all of the search is visible; at the end account, read the test set, finish."""
        if view.state.question.rules and view.state.baselines is None:
            searched = all(view.closes(t.trial.phase) for t in view.hidden)
            return _chosen(view, tools) if searched else None
        if last.needs(view) or any(view.closes(t.trial.phase) for t in view.hidden):
            return None
        if view.state.credited is None:
            return credited(view, tools)
        if view.spec.data.test is not None and view.state.due and last.pairs(view):
            return tools.assessor.measure(view)
        told = diagnosing.next_event(view, tools) or requesting.next_event(view)
        return told or ev.StudyFinished(because=_because(view))

    def want(self, view: View, tools: Tools) -> ev.TrialPlanned | None:
        """The next one."""
        needs = last.needs(view)
        return planning.training(view, needs[0], self.name, "final") if needs else None


def _chosen(view: View, tools: Tools) -> ev.BaselinesChosen:
    """The base alone and everything the user gave, each at the settings believed best by all trainings paid so far.

    On every row, as the settings of the end are chosen.
    """
    members = obvious.everything(view)
    mixtures = {
        last.BASE_TUNED: {BASE: 1.0},
        last.EVERYTHING_TUNED: {BASE: 1.0} | obvious.whole(view, members),
    }
    observed = on_every_row(view, tools.tuned(view))
    settled = {name: _settled(view, tools, observed, mixture) for name, mixture in mixtures.items()}
    plans = {name: plan for name, plan in settled.items() if plan is not None}
    return ev.BaselinesChosen(
        horizon=view.horizon,
        plans={name: plan.to_dict() for name, plan in plans.items()},
        members=members,
        seeds=last.baseline_seeds_paid(view, frozenset(plans.values())),
    )


def _settled(view: View, tools: Tools, observed: Sequence[Observation], mixture: Mapping[str, float]) -> Plan | None:
    """A mixture at its best settings, trained from nothing: the model to go on from has seen what was kept."""
    plan = tools.engine.settle(observed, mixture)
    if plan is None or plan.recipe != "continue":
        return plan
    other = next((recipe for recipe in view.spec.recipes if recipe != "continue"), None)
    if other is not None:
        return tools.engine.settle(observed, mixture, other)
    return Plan.of(plan.mixture.to_dict(), dict(plan.hyperparameters), "concat")


def _because(view: View) -> str:
    """Why the study is over."""
    state, spec = view.state, view.spec
    if state.asked is not None:
        return "stopped"
    if state.limit is not None and state.limit.trainings < allowance.asked(spec):
        return state.limit.because
    if actions.promised_little(state):
        return "expected"
    if state.round >= spec.loop.rounds:
        return "rounds"
    return "findings" if allowance.left(view) >= allowance.LEAST_ROUND else "budget.trainings"
