"""What is recommended is usual, weight 1 and inside ranges, where nothing else is believed to be better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autodc import seeds
from autodc.search import Observation, Plan, SearchProblem, make_engine
from autodc.search.history import History
from autodc.search.surrogates.link import LEAST, is_known, linked
from autodc.studyfile.study import ParameterSpec
from autodc.testing.search_problems import observation

TRIALS = 40


def problem(**changes: Any) -> SearchProblem:
    space = {"rate": ParameterSpec(type="float", low=1e-4, high=1.0, log=True)}
    start = Plan.of({}, {"rate": 1e-2})
    asked = SearchProblem(
        datasets=("flat", "steep"),
        hyperparameters=space,
        recipes=("concat",),
        max_weight=4.0,
        targets={"dark": 1.0},
        guards={},
        start=start,
    )
    return replace(asked, **changes)


def value(plan: Plan, seed: int) -> Mapping[str, float]:
    """One dataset helps and its weight does not matter; of the other the more the better; nor does the rate matter."""
    flat = 0.2 * (plan.mixture.weight("flat") > 0.3)
    noise = seeds.generator(seed, "plain").normal(0.0, 0.02)
    return {"dark": float(0.3 + flat + 0.15 * plan.mixture.weight("steep") ** 0.5 + noise)}


@pytest.fixture(scope="module")
def observed() -> list[Observation]:
    engine = make_engine("random", problem(), 3)
    plans = [engine.suggest(number, [], []).plan for number in range(TRIALS)]
    return [observation(i, plan, value(plan, i)) for i, plan in enumerate(plans)]


def test_a_weight_that_is_believed_to_pay_is_recommended_whatever_it_is(observed: list[Observation]) -> None:
    found = make_engine("random", problem(), 3).recommend(observed).plan
    assert found.mixture.weight("steep") > 2.5


@pytest.mark.parametrize("plain", [True, False])
def test_what_nothing_speaks_for_is_usual_but_in_a_problem_of_before(observed: list[Observation], plain: bool) -> None:
    alike = [replace(one, values={"dark": 0.5}) for one in observed]
    both = frozenset(problem().datasets)
    found = make_engine("random", problem(plain=plain), 3).recommend(alike, both).plan
    assert ({found.mixture.weight(name) for name in both} == {1.0}) == plain
    edge = Plan.of({}, {"rate": 1e-4})
    engine = make_engine("random", problem(plain=plain, start=edge), 3)
    settled = engine.settle([observation(i, edge, {"dark": 0.5}) for i in range(3)], {"flat": 1.0})
    assert settled is not None
    assert (float(dict(settled.hyperparameters)["rate"]) > 1e-4) == plain


def history(soft: bool, count: int = 30) -> tuple[History, np.ndarray[Any, Any]]:
    """Trainings whose metric is coarse, whose soft score is not, and what both are about."""
    rng = seeds.generator(0, "link")
    truth = rng.uniform(0.4, 0.6, count)
    found = History.told(
        rows=rng.random((count, 2)),
        raw={"dark": np.round(truth + rng.normal(0.0, 0.05, count), 2)},
        soft={"dark": 2.0 * truth - 5.0 + rng.normal(0.0, 0.005, count)} if soft else None,
        fidelity=np.ones(count),
        seeds=np.arange(count),
        shares={"dark": 1.0},
    )
    return found, truth


def test_the_soft_score_is_told_in_the_units_of_the_metric_and_is_nearer_to_the_truth() -> None:
    seen, truth = history(soft=True)
    told = linked(seen, "")
    assert is_known(seen)
    assert np.abs(told - truth).mean() < 0.6 * np.abs(seen.objective - truth).mean()
    assert np.array_equal(linked(seen, "dark"), told)


def test_without_soft_scores_and_with_one_that_goes_the_other_way_the_metric_is_told() -> None:
    bare, _ = history(soft=False)
    assert not is_known(bare)
    assert np.array_equal(linked(bare, ""), bare.objective)
    seen, _ = history(soft=True)
    turned = History.told(
        rows=seen.rows,
        raw=seen.raw,
        soft={"dark": -seen.soft["dark"]},
        fidelity=seen.fidelity,
        seeds=seen.seeds,
        shares=seen.shares,
    )
    assert np.array_equal(linked(turned, ""), turned.objective)
    assert not is_known(seen.head(LEAST - 1))


def test_beliefs_for_the_gate_are_the_same_with_soft_scores_as_without(observed: list[Observation]) -> None:
    plan = Plan.of({"flat": 1.0, "steep": 1.0}, {"rate": 1e-2})
    soft = [replace(one, soft={"dark": 3.0 * one.values["dark"] + 0.01 * i}) for i, one in enumerate(observed)]
    hard = make_engine("random", problem(), 3).beliefs(observed, plan)
    told = make_engine("random", problem(), 3).beliefs(soft, plan)
    assert hard is not None
    assert told == hard
