"""What is told of slices that fell where a training went on from another model."""

from __future__ import annotations

from autodc.plan.plan import Plan
from autodc.plan.trial import Outcome, Trial
from autodc.review.forgetting import forgetting, words
from autodc.review.numbers import Numbers
from autodc.study.journal.events import IncumbentMoved
from autodc.study.journal.records import TrialState
from autodc.study.journal.state import State

START = Plan.of({"base": 1.0}, {"lr": 0.1})
SEEN = {START: [{"overall": 0.8, "dark": 0.5, "old": 0.9}, {"overall": 0.82, "dark": 0.5, "old": 0.88}]}


def state_of(recipe: str, scores: list[dict[str, float]]) -> State:
    """A study whose start was trained with two seeds, and whose incumbent moved to a plan with these scores."""
    plan = Plan.of({"base": 1.0, "new": 1.0}, {"lr": 0.1}, recipe)
    state = State(start=START)
    for of, seen in ((START, SEEN[START]), (plan, scores)):
        for seed, slices in enumerate(seen):
            number = len(state.trials)
            trial = Trial(number=number, plan=of, seed=seed, phase="gate", fidelity=1.0)
            outcome = Outcome(status="done", slices=slices)
            state.trials.append(TrialState(trial=trial, round=1, origin="pair", outcome=outcome))
            state.trained[of, seed] = number
    move = IncumbentMoved(round=2, horizon=0, plan=plan.to_dict(), comparison=0, model=2)
    state.moves.append(move)
    state.incumbent = plan
    return state


def test_slices_that_fell_are_told_with_their_pairs() -> None:
    scores = [{"overall": 0.85, "dark": 0.7, "old": 0.8}, {"overall": 0.84, "dark": 0.6, "old": 0.89}]
    told = forgetting(state_of("continue", scores))
    assert told == [
        {
            "round": 2,
            "pairs": 2,
            "slices": {
                "overall": {"difference": 0.035, "fell": 0},
                "dark": {"difference": 0.15, "fell": 0},
                "old": {"difference": -0.045, "fell": 1},
            },
        }
    ]
    (line,) = words(told, Numbers.for_values([0.9]))
    assert "old by 0.045" in line
    assert "dark" not in line
    assert "in 1 of them" in line


def test_nothing_is_told_of_other_recipes_and_where_nothing_fell_that() -> None:
    better = [{"overall": 0.9, "dark": 0.9, "old": 0.9}]
    assert forgetting(state_of("concat", better)) == []
    (line,) = words(forgetting(state_of("continue", better)), Numbers.for_values([0.9]))
    assert "no slice fell" in line
    assert "1 pair " in line


def test_a_move_without_a_pair_is_left_out() -> None:
    assert forgetting(state_of("continue", [])) == []
