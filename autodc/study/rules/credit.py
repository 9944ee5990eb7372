"""What a gain is made of: data, settings and their interaction, and what each kept dataset is worth in the end.

The incumbent differs from the start in its mixture (and its stages) and in its settings (hyperparameters and recipe).
Two further arms, each with one of the two changes, are trained on the fresh seeds of the last measurement:

    data = changed mixture − start, hyperparameters = changed settings − start, interaction = what is left of the total.

Where the budget cannot pay them, the posterior of the search says it instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.plan.plan import Plan
from autodc.study.journal.state import State
from autodc.study.rules import allowance, last, pairs
from autodc.study.view import View

Array = np.ndarray[Any, Any]

PARTS: Mapping[str, tuple[float, float, float, float]] = {
    "total": (-1, 0, 0, 1),
    "data": (-1, 1, 0, 0),
    "hyperparameters": (-1, 0, 1, 0),
    "interaction": (1, -1, -1, 1),
}
"""Part → its contrast over the arms start, data, hyperparameters, end."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """The four plans."""

    start: Plan
    data: Plan
    """The incumbent's mixture at the start's settings."""
    hyperparameters: Plan
    """The start's mixture at the incumbent's settings."""
    end: Plan

    @classmethod
    def of(cls, start: Plan, end: Plan) -> Arms:
        """Cross two plans."""
        return cls(
            start=start,
            data=Plan.of(end.mixture.to_dict(), dict(start.hyperparameters), start.recipe, end.pretrain),
            hyperparameters=Plan.of(start.mixture.to_dict(), dict(end.hyperparameters), end.recipe, start.pretrain),
            end=end,
        )

    @property
    def all(self) -> tuple[Plan, Plan, Plan, Plan]:
        """In the order of the contrasts."""
        return self.start, self.data, self.hyperparameters, self.end


def arms(state: State) -> Arms | None:
    """The arms of a study, None where the start is still the incumbent."""
    if state.start is None or state.incumbent is None or state.start == state.incumbent:
        return None
    return Arms.of(state.start, state.incumbent)


def further(view: View) -> list[Plan]:
    """The arms that the last measurement does not train."""
    found = arms(view.state)
    if found is None:
        return []
    measured = (found.start, found.end) if last.final_seeds(view) else ()
    return [plan for plan in dict.fromkeys(found.all) if plan not in measured]


def seeds_paid(view: View) -> int:
    """Fresh seeds that each further arm gets: what is left beside the last measurement, and no more than it has."""
    spec, plans = view.spec, further(view)
    if not plans:
        return 0
    measured = last.final_seeds(view)
    most = min(allowance.CREDIT_SEEDS, measured) if measured else allowance.CREDIT_SEEDS
    obvious = allowance.BASELINES * allowance.baseline_seeds(spec, view.state.question.rules)
    ahead = allowance.trained_ahead(view.state)
    free = max(0.0, allowance.cap(view) - view.state.spent + ahead - 2 * measured - obvious)
    return int(min(most, free // len(plans)))


def needs(view: View) -> list[pairs.Key]:
    """Trainings of the further arms that nobody has planned."""
    state = view.state
    count = state.allotted("credit")
    done = {(t.trial.plan, t.trial.seed) for t in state.trials if t.trial.phase == "credit"}
    wanted = [(plan, last.fresh_seed(view, j)) for j in range(count) for plan in further(view)]
    return [key for key in wanted if key not in done]


def trained(view: View) -> list[tuple[int, int, int, int]]:
    """Numbers of the four trainings of every fresh seed that has all of them, each with an outcome that is whole."""
    found = arms(view.state)
    if found is None:
        return []
    known = {
        (t.trial.plan, t.trial.seed): t.trial.number
        for t in view.state.trials
        if view.closes(t.trial.phase) and t.outcome is not None and t.outcome.arrays
    }
    tables = []
    for j in range(allowance.FINAL_SEEDS):
        numbers = [known.get((plan, last.fresh_seed(view, j))) for plan in found.all]
        if all(n is not None for n in numbers):
            tables.append(tuple(n for n in numbers if n is not None))
    return tables  # type: ignore[return-value]


def believed(draws: Array) -> dict[str, Any]:
    """The account by the posterior. draws: of the objective of the four arms, shape (n, 4)."""
    parts = {name: interval(draws @ np.array(contrast)) for name, contrast in PARTS.items()}
    return {"how": "model", "seeds": 0, **{name: {**part, "slices": {}} for name, part in parts.items()}}


def interval(draws: Array) -> dict[str, float]:
    """Mean and 95% interval of draws of a difference, shape (n,)."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return {"difference": float(draws.mean()), "low": float(low), "high": float(high)}


def worth(state: State, draws: Mapping[str, Array]) -> dict[str, dict[str, Any]]:
    """What the objective would lose without each kept dataset. draws: dataset → of that loss, by the posterior.

    A comparison of the incumbent's very datasets with it against without it speaks where there is one (`trained`),
    else the model.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in state.kept:
        look = with_and_without(state, name)
        if look is not None:
            found[name] = {key: look["objective"][key] for key in ("difference", "low", "high")} | {"how": "trained"}
        elif name in draws:
            found[name] = interval(draws[name]) | {"how": "model"}
    return found


def with_and_without(state: State, name: str) -> Mapping[str, Any] | None:
    """The last look at the incumbent's datasets with one of them against without it, at the incumbent's settings."""
    end = state.incumbent
    assert end is not None
    for comparison in reversed(state.comparisons):
        same = (
            comparison.challenger.hyperparameters == end.hyperparameters and comparison.challenger.recipe == end.recipe
        )
        if (
            comparison.subject == name
            and comparison.purpose in ("removal", "addition")
            and comparison.verdict is not None
            and comparison.looks
            and comparison.looks[-1]["pairs"] > 0
            and same
            and comparison.challenger.mixture.added == end.mixture.added
        ):
            return comparison.looks[-1]
    return None


def doubtful(worths: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Kept datasets that are worth nothing in the end, the least first: those to be tested by removal again."""
    return tuple(sorted((n for n, w in worths.items() if w["difference"] <= 0), key=lambda n: worths[n]["difference"]))
