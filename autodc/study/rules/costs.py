"""What trainings cost, beside the start of the study where `metrics.limits` says how much more that may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from autodc.gate.limits import Costs, weighed
from autodc.gate.types import Cost
from autodc.plan.plan import Plan
from autodc.study.journal.records import ComparisonState
from autodc.study.journal.state import State
from autodc.study.view import spec_of
from autodc.studyfile.study import Tradeoff


def of_comparison(state: State, comparison: ComparisonState, pair_seeds: Sequence[int]) -> Costs:
    """What the trainings of these pairs cost, and those of the start by which the noise was calibrated."""

    def arm(plan: Plan) -> dict[str, list[float]]:
        return measured(state, [state.trained[plan, seed] for seed in pair_seeds])

    return Costs(start=of_start(state), challenger=arm(comparison.challenger), incumbent=arm(comparison.incumbent))


def of_start(state: State) -> dict[str, list[float]]:
    """What the calibration trainings cost."""
    return measured(state, [one.trial.number for one in state.trials if one.trial.phase == "calibration"])


def of_plan(state: State, plan: Plan, horizon: int) -> dict[str, Cost]:
    """What is limited of a plan, by its full trainings before the horizon; nothing where it has none."""
    limits = spec_of(state).metrics.most
    same = [t.trial.number for t in state.trials[:horizon] if t.trial.plan == plan and t.trial.fidelity == 1]
    return weighed(limits, of_start(state), measured(state, same)) if limits else {}


def measured(state: State, numbers: Sequence[int]) -> dict[str, list[float]]:
    """Trade-off → what each of these trainings that ended well cost."""
    done = [one for n in numbers if (one := state.trials[n].outcome) is not None and one.status == "done"]
    return {name: [float(getattr(one, name)) for one in done] for name in get_args(Tradeoff)}
