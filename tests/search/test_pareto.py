"""Several objectives: the front of what was trained, and a search that widens it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from autodc import seeds
from autodc.search import Observation, Plan, SearchProblem, make_engine
from autodc.search.engine import natural, oriented
from autodc.search.pareto import undominated, weights
from autodc.search.space import start_hyperparameters
from autodc.studyfile.study import ParameterSpec

SPACE = {
    "width": ParameterSpec(type="int", low=8, high=512, log=True),
    "rate": ParameterSpec(type="float", low=1e-4, high=1e-1, log=True),
}
LAG = 3
TRIALS = 30
CORNER = np.array([0.0, np.log(1 / 64)])
"""Reference point of the hypervolume: an objective of 0 at 64 ms."""


def problem() -> Any:
    return SearchProblem(
        datasets=("good", "bad", "dull", "fair"),
        hyperparameters=SPACE,
        recipes=("concat",),
        max_weight=2.0,
        targets={"night": 1.0},
        guards={},
        start=Plan.of({}, start_hyperparameters(SPACE, "concat")),
        tradeoffs=("predict_ms",),
    )


def truth(plan: Any) -> Any:
    """Objective and oriented latency: wide networks are better and slower, the data is free."""
    values = dict(plan.hyperparameters)
    width, rate = float(values["width"]), float(values["rate"])
    data = 0.25 * min(plan.mixture.weight("good"), 1.0) + 0.1 * min(plan.mixture.weight("fair"), 1.0)
    objective = 0.3 + data - 0.3 * plan.mixture.weight("bad") + 0.1 * np.log2(width / 8) / 2
    objective -= 0.1 * (np.log10(rate) + 2) ** 2
    return np.array([objective, oriented(width / 8)])


def observe(number: Any, plan: Any, seed: Any) -> Any:
    noise = seeds.generator(seed, "noise", number).normal(0.0, [0.02, 0.05])
    objective, speed = truth(plan) + noise
    return Observation(
        number=number, plan=plan, seed=number, values={"night": objective}, tradeoffs={"predict_ms": speed}
    )


def search(sampler: Any, seed: Any, trials: Any = TRIALS) -> Any:
    engine = make_engine(sampler, problem(), seed)
    observed, plans = [], []
    for number in range(trials):
        seen = max(0, number - LAG + 1)
        plans.append(engine.suggest(number, observed[:seen], plans[seen:]).plan)
        observed.append(observe(number, plans[-1], seed))
    return engine, observed


def hypervolume(points: Any) -> Any:
    """Area that two objectives, up is better, dominate above CORNER."""
    area, best = 0.0, CORNER[1]
    for objective, speed in sorted((tuple(p) for p in points), reverse=True):
        if objective > CORNER[0] and speed > best:
            area += (objective - CORNER[0]) * (speed - best)
            best = speed
    return area


def known_front() -> Any:
    plans = [Plan.of({"good": 1.0, "fair": 1.0}, {"width": w, "rate": 0.01}, "concat") for w in range(8, 513)]
    return hypervolume([truth(p) for p in plans])


def test_what_none_beats_is_found() -> None:
    values = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.4, 0.5], [1.0, 0.0], [0.2, 0.2]])
    assert undominated(values).tolist() == [True, True, True, False, True, False]


def test_weights_are_a_function_of_seed_and_number_and_cover_both_ends() -> None:
    drawn = np.array([weights(3, number, 2) for number in range(200)])
    assert np.array_equal(drawn[7], weights(3, 7, 2))
    assert not np.array_equal(drawn[7], weights(4, 7, 2))
    assert drawn.sum(1) == pytest.approx(1.0)
    assert drawn[:, 0].min() < 0.05
    assert drawn[:, 0].max() > 0.95


def test_a_tradeoff_that_was_not_measured_is_none() -> None:
    assert oriented(0.0) is None
    assert oriented(float("nan")) is None
    assert natural(oriented(12.5)) == pytest.approx(12.5)


@pytest.fixture(scope="module")
def searched() -> Any:
    return search("mixture", 0)[1]


@pytest.mark.slow
def test_the_search_comes_closer_to_the_known_front_than_random_at_equal_trials(searched: Any) -> None:
    shares = [hypervolume([truth(o.plan) for o in searched]) / known_front()]
    for seed in range(4):
        shares.append(hypervolume([truth(o.plan) for o in search("random", seed)[1]]) / known_front())
    assert shares[0] > 0.85
    assert shares[0] > max(shares[1:]) + 0.03


def test_the_front_is_of_trained_plans_none_of_which_is_believed_to_beat_another(searched: Any) -> None:
    engine, observed = make_engine("mixture", problem(), 0), searched
    front = engine.front(observed)
    assert len(front) > 2
    assert {p.plan for p in front} <= {o.plan for o in observed}
    values = np.array([[p.mean, p.tradeoffs["predict_ms"]] for p in front])
    assert undominated(values).all()
    assert (np.diff(values[:, 0]) <= 0).all()
    assert [p.seen for p in front] == pytest.approx(
        [np.mean([observed[i].values["night"] for i in p.trials]) for p in front]
    )


@pytest.mark.parametrize("sampler", ["mixture", "random", "TPESampler"])
def test_trainings_without_the_tradeoff_and_failed_ones_are_survived(sampler: Any, searched: Any) -> None:
    wrong = [
        Observation(number=o.number, plan=o.plan, seed=o.seed, values={} if o.number % 4 == 1 else o.values)
        if o.number % 2
        else o
        for o in searched[:14]
    ]
    engine, fresh = make_engine(sampler, problem(), 1), make_engine(sampler, problem(), 1)
    assert engine.front([]) == ()
    assert engine.suggest(14, wrong, []).plan.mixture.weight("base") == 1.0
    front = fresh.front(wrong)
    assert front == engine.front(wrong)
    assert not {p.plan for p in front} & {o.plan for o in wrong if not o.values}
    assert fresh.suggest(14, wrong, []) == engine.suggest(14, wrong, [])


def test_without_tradeoffs_there_is_no_front() -> None:
    engine = make_engine("mixture", dataclasses.replace(problem(), tradeoffs=()), 0)
    assert engine.front([observe(0, problem().start, 0)]) == ()


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["mixture", "random"])
def test_nothing_is_recommended_that_is_believed_to_cost_more_than_it_may(sampler: Any) -> None:
    free = dataclasses.replace(problem(), tradeoffs=())
    tied = dataclasses.replace(free, limits={"predict_ms": 1.5})
    observed = search(sampler, 1)[1]
    whole = {"good": 1.0, "bad": 1.0, "dull": 1.0, "fair": 1.0}

    def milliseconds(asked: Any) -> Any:
        engine = make_engine(sampler, asked, 1)
        best = engine.recommend(observed)
        plans = (best.plan, best.tuned, engine.settle(observed, whole))
        return np.exp(-np.array([truth(plan)[1] for plan in plans]))

    start = np.exp(-truth(problem().start)[1])
    assert (milliseconds(free) > 2 * start).all()
    assert (milliseconds(tied) < 1.6 * start).all()
    unmeasured = [dataclasses.replace(one, tradeoffs={}) for one in observed]
    assert make_engine(sampler, tied, 1).recommend(unmeasured) == make_engine(sampler, free, 1).recommend(unmeasured)
