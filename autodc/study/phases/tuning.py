"""Tuning: what trainings are left go to the settings of what is kept; then the settings believed best are taken.

After the last verdict the mixture is fixed, so every training is of it. Everything-in with as many trainings for its
settings alone is a strong peer: a mixture that is better must not end behind it for want of tuning.
"""

from __future__ import annotations

import math
from typing import final

from autodc import seeds
from autodc.study.journal import events as ev
from autodc.study.memory import TUNING
from autodc.study.phases import polishing, proposing
from autodc.study.phases.phase import Phase
from autodc.study.phases.tools import Tools
from autodc.study.rules import actions, allowance, last, planning
from autodc.study.view import View


@final
class Tuning(Phase):
    """Trainings of the incumbent's mixture at other settings, of studies that weigh evidence together."""

    name = TUNING
    words = "tuning what is kept"
    purpose = "settings of what is kept, with the trainings that are left"

    def begin(self, view: View) -> ev.PhaseStarted:
        """With all that is left, where there are settings to be tuned; with a round's share where nothing limits it.

        With none where the night ends because nothing promises what it costs, tuning least of all: what is left is for
        what is delivered later.
        """
        left, spec = allowance.left(view), view.spec
        most = min(left, spec.search.trials_per_round) if math.isinf(left) else left
        tunes = proposing.weighs(view) and spec.search_space and polishing.is_tunable(view)
        tunes = tunes and last.would_train(view) and not actions.ended(view.state)
        return ev.PhaseStarted(round=view.state.round, phase=self.name, planned=max(0, int(most)) if tunes else 0)

    def decide(self, view: View, tools: Tools) -> ev.Event | None:
        """When all are visible: the last touch, then what comes after the last verdict."""
        if self._wanted(view) or any(not view.closes(t.trial.phase) for t in view.hidden):
            return None
        polished = polishing.polished(view, tools) if proposing.weighs(view) else None
        return polished or view.after(self)

    def want(self, view: View, tools: Tools) -> ev.TrialPlanned | None:
        """The next one; what is due anyway while those before it, or its last ones, run."""
        others = (t.trial.phase for t in view.hidden if t.trial.phase != self.name)
        if not self._wanted(view) or not all(view.closes(phase) for phase in others):
            return last.ahead(view)
        state = view.state
        number = len(state.suggested) + state.count(self.name)
        running = tools.under_way.plans(view)
        end = view.incumbent
        weights, held = end.mixture.to_dict(), polishing.as_trained(view)
        found = tools.engine.suggest(number, tools.tuned(view), running, mixture=weights, **held)
        seed = seeds.integer(view.spec.seed, "search", f"tuning-{number}")
        return planning.training(view, (found.plan, seed), self.name, self.name)

    def _wanted(self, view: View) -> bool:
        state = view.state
        return allowance.left(view) >= 1 and state.charged(self.name, state.round) < state.allotted(self.name)
