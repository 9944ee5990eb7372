"""A training as an event: what it is of, in whose name, and the model it goes on from."""

from __future__ import annotations

from autodc.plan.plan import Plan
from autodc.plan.trial import Forks, Trial
from autodc.study.journal import events as ev
from autodc.study.rules.pairs import Key
from autodc.study.view import View


def training(
    view: View,
    key: Key,
    phase: str,
    origin: str,
    *,
    round_number: int | None = None,
    fidelity: float = 1.0,
    as_incumbent: bool = False,
    forks: Forks | None = None,
) -> ev.TrialPlanned:
    """Plan one training.

    key: plan and seed; phase: in whose name it is; origin: what wanted it; round_number: left out, the round under way;
    as_incumbent: where its recipe is `continue`, it goes on from what the incumbent itself went on from;
    forks: what it is forked into, which is charged in place of its fidelity.
    """
    state, (plan, seed) = view.state, key
    trial = Trial(
        number=len(state.trials),
        plan=plan,
        seed=seed,
        phase=phase,
        fidelity=fidelity if forks is None else forks.cost,
        forks=forks,
        warm_start=_continued(view, plan, as_incumbent),
    )
    return ev.TrialPlanned(
        trial=trial.to_dict(),
        round=state.round if round_number is None else round_number,
        horizon=view.horizon,
        origin=origin,
        of=state.trained.get(key) if phase == "gate" else None,
    )


def _continued(view: View, plan: Plan, as_incumbent: bool) -> int | None:
    """The trial whose model a training goes on from."""
    if plan.recipe != "continue":
        return None
    state = view.state
    as_incumbent = as_incumbent or plan == state.incumbent
    return state.warm if as_incumbent and state.warm is not None else state.model
