"""What a model forgot as it went on from another: the slices that fell where recipe `continue` moved the incumbent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autodc.plan.plan import Plan
from autodc.review.numbers import Numbers, count, listed
from autodc.study.journal.events import IncumbentMoved, IncumbentPolished
from autodc.study.journal.state import State


def forgetting(state: State) -> list[dict[str, Any]]:
    """One entry a move of the incumbent to a plan of recipe `continue`: the slices, by pairs with the one before.

    `slices`: slice → mean difference new − former over the seeds that both were trained with (up is better), and in how
    many of these `pairs` it fell. Moves without such a pair are left out.
    """
    former, found = state.start, list[dict[str, Any]]()
    steps: list[IncumbentMoved | IncumbentPolished] = [*state.moves, *state.polished]
    steps.sort(key=lambda event: event.time)
    for step in steps:
        plan = Plan.from_dict(step.plan)
        if isinstance(step, IncumbentMoved) and plan.recipe == "continue" and former is not None:
            pairs = _pairs(state, former, plan)
            if pairs:
                found.append({"round": step.round, "pairs": len(pairs), "slices": _differences(pairs)})
        former = plan
    return found


def words(told: list[dict[str, Any]], numbers: Numbers) -> list[str]:
    """A sentence a move: which slices fell against the former incumbent, the most first, and by how much."""
    lines = []
    for one in told:
        fallen = sorted((s["difference"], name) for name, s in one["slices"].items() if s["difference"] < 0)
        since = f"In round {one['round']} the training went on from the former incumbent; beside it, over "
        since += f"{count(one['pairs'], 'pair')} of trainings, "
        if not fallen:
            lines.append(f"{since}no slice fell.")
            continue
        said = [f"{name} by {numbers.plain(-by)} (in {one['slices'][name]['fell']} of them)" for by, name in fallen]
        lines.append(f"{since}{'this slice' if len(said) == 1 else 'these slices'} fell: {listed(said)}.")
    return lines


def _pairs(state: State, former: Plan, plan: Plan) -> list[tuple[Mapping[str, float], Mapping[str, float]]]:
    """Oriented scores of slices of both plans, for every seed that both were trained with."""
    found = []
    for (known, seed), number in state.trained.items():
        other = state.trained.get((former, seed)) if known == plan else None
        if other is None:
            continue
        new, old = state.trials[number].outcome, state.trials[other].outcome
        if new is not None and old is not None and new.slices and old.slices:
            found.append((old.slices, new.slices))
    return found


def _differences(pairs: list[tuple[Mapping[str, float], Mapping[str, float]]]) -> dict[str, dict[str, Any]]:
    names = [name for name in pairs[0][0] if all(name in side for pair in pairs for side in pair)]
    each = {name: np.array([new[name] - old[name] for old, new in pairs]) for name in names}
    return {
        name: {"difference": round(float(values.mean()), 6), "fell": int((values < 0).sum())}
        for name, values in each.items()
    }
