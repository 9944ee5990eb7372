"""Credit: two further arms on the seeds of the last measurement say what data and settings each did."""

from __future__ import annotations

from typing import Any, final

from autodc.plan.plan import Plan
from autodc.study.journal import events as ev
from autodc.study.phases.phase import Phase
from autodc.study.phases.tools import Tools
from autodc.study.rules import allowance, credit, planning
from autodc.study.view import View
from autodc.studyfile.study import StudySpec


@final
class Credit(Phase):
    """The arms that the last measurement does not train. Nothing waits for them: it is trained beside them."""

    name = "credit"
    words = "measuring what data and settings did"
    purpose = "either the data or the settings of the end alone, to say which did it"
    closing = True

    def apart(self, spec: StudySpec, rules: int) -> int:
        """Both arms on every seed."""
        return 2 * allowance.credit_seeds(spec)

    def begin(self, view: View) -> ev.PhaseStarted:
        """With the seeds that can be paid."""
        return ev.PhaseStarted(round=view.state.round, phase=self.name, planned=credit.seeds_paid(view))

    def decide(self, view: View, tools: Tools) -> ev.Event | None:
        """The last measurement begins when all are planned."""
        return None if credit.needs(view) else view.after(self)

    def want(self, view: View, tools: Tools) -> ev.TrialPlanned | None:
        """The next one."""
        arms = credit.needs(view)
        return planning.training(view, arms[0], self.name, "credit", as_incumbent=True) if arms else None


def credited(view: View, tools: Tools) -> ev.GainCredited:
    """Split the gain, weigh every kept dataset, and hold what the search promised against it."""
    observed = tools.observed(view)
    early = [o for o in observed if o.number < 0 or view.state.trials[o.number].trial.phase != "gate"]
    promised = tools.engine.outlook(early, [view.incumbent])
    estimate = None if promised is None else {"mean": float(promised.mean()), "sd": float(promised.std())}
    return ev.GainCredited(
        horizon=view.horizon,
        credit=_account(view, tools),
        estimate=estimate,
        baselines=tools.assessor.beside(view),
    )


def _account(view: View, tools: Tools) -> dict[str, Any] | None:
    """What the gain is made of: by trainings where they can say it, else by the posterior of the search."""
    arms = credit.arms(view.state)
    if arms is None:
        return None
    tables = credit.trained(view)
    account = tools.assessor.credit(view, tables) if tables else None
    if account is None and (draws := tools.engine.outlook(tools.observed(view), arms.all)) is not None:
        account = credit.believed(draws)
    if account is None:
        return None
    worths = credit.worth(view.state, tools.worths(view, view.state.kept))
    return {**account, "datasets": worths, "against_tuned_start": _against_tuned(view, tools, view.incumbent)}


def _against_tuned(view: View, tools: Tools, end: Plan) -> dict[str, Any] | None:
    """The incumbent against the base alone at the best settings the search knows for it, by the posterior."""
    observed = tools.observed(view)
    tuned = tools.engine.recommend(observed).tuned
    draws = None if tuned is None else tools.engine.outlook(observed, [tuned, end])
    if tuned is None or draws is None:
        return None
    return {**credit.interval(draws[:, 1] - draws[:, 0]), "settings": tuned.settings, "how": "model"}
