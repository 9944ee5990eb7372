"""The last touch: the settings of what is kept, by every training paid so far and on every row (DESIGN §11.7h).

Search and settings were chosen on explore rows alone; after the last verdict nothing is left to be kept apart. What
comes out is taken as believed, without a claim; the last measurement tells what it is worth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodc.search.encoding import TWO_STAGES
from autodc.study.journal import events as ev
from autodc.study.memory import on_every_row
from autodc.study.phases.tools import Tools
from autodc.study.rules import costs, last
from autodc.study.view import View

SURE = 0.8
"""The start keeps its settings unless others are believed better with this probability."""


def is_tunable(view: View) -> bool:
    """Whether the settings of what is kept may change: not where the model goes on from another."""
    recipe = view.incumbent.recipe
    return recipe != "continue" and recipe in view.spec.recipes


def as_trained(view: View) -> dict[str, Any]:
    """The recipe and stages of what is kept, as an engine is told to hold them; nothing where there is no choice."""
    incumbent, recipes = view.incumbent, view.spec.recipes
    if len(recipes) < 2 and TWO_STAGES not in recipes:
        return {}
    return {"recipe": incumbent.recipe, "pretrain": frozenset(incumbent.pretrain)}


def polished(view: View, tools: Tools) -> ev.IncumbentPolished | None:
    """Settings believed better than those of the incumbent, once after it moved; None where there are none."""
    state, incumbent = view.state, view.incumbent
    if not is_tunable(view) or not last.would_train(view):
        return None
    if any(one.round == state.round for one in state.polished):
        return None
    observed = on_every_row(view, tools.tuned(view))
    plan = tools.engine.settle(observed, incumbent.mixture.to_dict(), **as_trained(view))
    if plan is None or plan == incumbent:
        return None
    if any(one.times > one.allowed for one in costs.of_plan(state, plan, view.horizon).values()):
        return None
    draws = tools.engine.outlook(observed, [plan, incumbent])
    sure = 0.5 if state.moves else SURE
    if draws is None or float(np.mean(draws[:, 0] > draws[:, 1])) <= sure:
        return None
    return ev.IncumbentPolished(round=state.round, horizon=view.horizon, plan=plan.to_dict())
