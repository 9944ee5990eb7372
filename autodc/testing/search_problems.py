"""A small search problem whose answer is known, what its trainings give, and a search of it from end to end."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from autodc import seeds
from autodc.search import Observation, Plan, SearchEngine, SearchProblem
from autodc.search.space import start_hyperparameters
from autodc.studyfile.study import ParameterSpec

Values = Callable[[int, Plan], Mapping[str, float]]
"""Number of a trial and its plan → oriented slice scores."""

LAG = 4
TRIALS = 18
GREED = 0.5

SPACE = {
    "rate": ParameterSpec(type="float", low=1e-4, high=1e-1, log=True),
    "width": ParameterSpec(type="int", low=8, high=64),
    "kind": ParameterSpec(type="categorical", choices=("plain", "momentum")),
    "momentum": ParameterSpec(type="float", low=0.0, high=0.9, step=0.1, when={"kind": "momentum"}),
    "tail": ParameterSpec(type="float", low=0.01, high=1.0, log=True, when={"recipe": "pretrain_finetune"}),
}


def problem_of(candidates: int, tuned: bool = True) -> SearchProblem:
    """A problem whose first two datasets help, whose third harms, with conditional hyperparameters and a guard."""
    space = SPACE if tuned else {}
    return SearchProblem(
        datasets=tuple(f"d{i}" for i in range(candidates)),
        hyperparameters=space,
        recipes=("concat", "pretrain_finetune", "continue") if tuned else ("concat",),
        max_weight=2.0,
        targets={"dark": 2.0, "fog": 1.0},
        guards={"overall": 0.05},
        start=Plan.of({}, start_hyperparameters(space, "concat")),
    )


def reward(number: int, plan: Plan) -> Mapping[str, float]:
    """Oriented slice scores of a plan, with a little noise of the trial's own."""
    noise = seeds.generator(0, "contract", number).normal(0.0, 0.02, 3)
    good = 0.2 * plan.mixture.weight("d0") ** 0.5 + 0.1 * plan.mixture.weight("d1") ** 0.5
    bad = 0.2 * plan.mixture.weight("d2")
    return {
        "dark": 0.5 + good - bad + noise[0],
        "fog": 0.6 + 0.5 * good - bad + noise[1],
        "overall": 0.8 - 0.02 * plan.mixture.weight("d0") + noise[2],
    }


def greedy(number: int, plan: Plan) -> Mapping[str, float]:
    """Slice scores of which `d0` lifts the targets and breaks the margin of the guard above weight GREED."""
    weight = plan.mixture.weight("d0")
    noise = seeds.generator(1, "contract", number).normal(0.0, 0.005, 3)
    return {
        "dark": 0.3 + 0.2 * weight + noise[0],
        "fog": 0.4 + 0.2 * weight + noise[1],
        "overall": 0.8 - 0.05 * weight / GREED + noise[2],
    }


def settings(number: int, plan: Plan) -> Mapping[str, float]:
    """The same, with a rate that is best at 0.01 whatever the mixture."""
    away = abs(math.log10(float(dict(plan.hyperparameters)["rate"])) + 2.0)
    return {name: value - 0.3 * away for name, value in reward(number, plan).items()}


def drive(
    engine: SearchEngine, values: Values, trials: int = TRIALS, excluded: frozenset[str] = frozenset()
) -> tuple[list[Plan], list[Observation]]:
    """Run a search of `trials` trials with LAG in flight and return its plans and what was observed."""
    plans: list[Plan] = []
    observed: list[Observation] = []
    for number in range(trials):
        seen: Sequence[Observation] = observed[: max(0, number - LAG + 1)]
        found = engine.suggest(number, seen, plans[len(seen) :], excluded)
        plans.append(found.plan)
        observed.append(observation(number, found.plan, values(number, found.plan)))
    return plans, observed


def observation(number: int, plan: Plan, values: Mapping[str, float]) -> Observation:
    """A finished training of search trial `number`."""
    return Observation(number=number, plan=plan, seed=number, values=values)


WRONG: dict[str, Values] = {
    "failing": lambda number, plan: {} if number % 3 == 0 else reward(number, plan),
    "missing": lambda number, plan: {**reward(number, plan), "dark": float("nan") if number % 4 == 1 else 0.5},
    "all failed": lambda number, plan: {},
    "constant": lambda number, plan: {"dark": 0.5, "fog": 0.5, "overall": 0.5},
}
