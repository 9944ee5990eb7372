"""Our engines and Optuna's samplers keep the sampler's contract; names nobody knows are refused."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
import sys
from typing import Any

import pytest

from autodc.errors import SpecError
from autodc.search import Plan, make_engine
from autodc.search.engine import TellsOpening
from autodc.study.phases.suggesting import OPENING
from autodc.testing.sampler_contract import SamplerContract
from autodc.testing.search_problems import LAG, drive, problem_of, reward


@pytest.mark.slow
class TestMixture(SamplerContract):
    @pytest.fixture
    def make(self) -> Any:
        return functools.partial(make_engine, "mixture")


@pytest.mark.slow
class TestRandom(SamplerContract):
    @pytest.fixture
    def make(self) -> Any:
        return functools.partial(make_engine, "random")


@pytest.mark.slow
class TestTpe(SamplerContract):
    @pytest.fixture
    def make(self) -> Any:
        return functools.partial(make_engine, "TPESampler")


@pytest.mark.slow
class TestNsga(SamplerContract):
    @pytest.fixture
    def make(self) -> Any:
        return functools.partial(make_engine, "NSGAIISampler")


@pytest.mark.slow
def test_an_optuna_sampler_goes_on_after_a_kill_as_if_nothing_was() -> None:
    plans, observed = drive(make_engine("TPESampler", problem_of(4), 3), reward)
    fresh = make_engine("TPESampler", problem_of(4), 3)
    number = len(plans) - 1
    assert fresh.suggest(number, observed[: number - LAG + 1], plans[number - LAG + 1 : number]).plan == plans[number]


def test_a_name_nobody_knows_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(SpecError, match="did you mean TPESampler") as caught:
        make_engine("TPESample", problem_of(2), 0)
    assert caught.value.code == "ADC-SRCH-001"


def test_the_first_trials_are_start_uniform_and_pairs_of_complements() -> None:
    engine = make_engine("mixture", problem_of(6), 0)
    recipes = set(problem_of(6).recipes) - {"continue"}
    start, *found = [engine.suggest(number, [], []) for number in range(8)]
    assert start.plan == problem_of(6).start
    whole, (first, second, third, *_) = found[: len(recipes)], found[len(recipes) :]
    assert {one.plan.recipe for one in whole} == recipes, "everything goes in under each recipe"
    assert all(len(one.plan.mixture.added) == 6 for one in whole)
    assert first.seed_key == second.seed_key != third.seed_key
    assert set(first.plan.mixture.added) | set(second.plan.mixture.added) == {f"d{i}" for i in range(6)}
    assert not set(first.plan.mixture.added) & set(second.plan.mixture.added)
    shared = [{key: value for key, value in one.plan.hyperparameters if key != "tail"} for one in (first, second)]
    assert shared[0] == shared[1], "`tail` is of fine-tuning alone, and one of them has nothing to pretrain on"


@pytest.mark.parametrize("name", ["mixture", "random", "TPESampler"])
def test_an_engine_says_beforehand_which_trials_are_of_its_opening(name: str) -> None:
    engine = make_engine(name, problem_of(6), 0)
    assert isinstance(engine, TellsOpening)
    told = [engine.opens(number, []) for number in range(30)]
    assert told == [engine.suggest(number, [], []).origin in OPENING for number in range(30)]
    assert any(told) == (name == "mixture")


@pytest.mark.slow
def test_the_search_finds_what_helps_and_leaves_out_what_harms() -> None:
    engine = make_engine("mixture", problem_of(8), 1)
    _, observed = drive(engine, reward, trials=36)
    found = engine.recommend(observed)
    assert "d0" in found.plan.mixture
    assert "d2" not in found.plan.mixture
    assert found.effects["d2"][0] < found.effects["d0"][0]
    assert found.worth["d0"] > 0


@pytest.mark.slow
def test_observations_with_weights_above_the_cap_and_unknown_datasets_stay_usable() -> None:
    problem = problem_of(3)
    engine = make_engine("mixture", problem, 2)
    plans, observed = drive(engine, reward)
    old = Plan.of({"d0": 5.0, "gone": 1.0}, dict(problem.start.hyperparameters))
    observed = [type(observed[0])(number=0, plan=old, seed=99, values=reward(99, old)), *observed]
    fresh = make_engine("mixture", problem, 2)
    assert fresh.suggest(len(observed), observed, plans[-2:]).plan.mixture.weight("d0") <= problem.max_weight


@pytest.mark.slow
def test_a_search_that_gains_a_dataset_uses_what_it_knows_and_tries_the_new_one_soon() -> None:
    _, old = drive(make_engine("mixture", problem_of(6), 1), reward, trials=36)
    borrowed = [dataclasses.replace(seen, number=i - len(old)) for i, seen in enumerate(old)]
    engine = make_engine("mixture", problem_of(7), 1)
    first = [engine.suggest(number, borrowed, []).plan for number in range(6)]
    assert any("d6" in plan.mixture for plan in first)
    assert sum("d0" in plan.mixture for plan in first) >= 5
    assert engine.recommend(borrowed).plan.mixture.weight("d2") == 0


@pytest.mark.slow
def test_enqueued_mixtures_are_tried_first_also_after_a_warm_start() -> None:
    problem = dataclasses.replace(problem_of(4), enqueue=({"d1": 1.5},), hyperparameters={})
    problem = dataclasses.replace(problem, start=Plan.of({"base": 1.0}, {}))
    cold = make_engine("mixture", problem, 0)
    found = [cold.suggest(number, [], []) for number in range(4)]
    assert [f.plan.mixture.to_dict() for f in found if f.origin == "enqueued"] == [{"base": 1.0, "d1": 1.5}]
    _, old = drive(make_engine("mixture", problem_of(4), 1), reward, trials=20)
    borrowed = [
        dataclasses.replace(o, number=i - 20, plan=Plan.of(o.plan.mixture.to_dict(), {})) for i, o in enumerate(old)
    ]
    warm = make_engine("mixture", problem, 0).suggest(0, borrowed, [])
    assert (warm.origin, warm.plan.mixture.to_dict()) == ("enqueued", {"base": 1.0, "d1": 1.5})


@pytest.mark.slow
def test_plans_engine_and_loop_are_read_without_optuna_and_the_loop_without_ray_mlflow_and_torch() -> None:
    names = ["autodc.plan.plan", "autodc.search", "autodc.search.mixture_engine", "autodc.study.core"]
    code = f"""
import importlib, sys
for name in {[*names, "autodc.study.driver"]}:
    importlib.import_module(name)
    print(name, [m for m in ("optuna", "ray", "mlflow", "torch") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [line.partition(" ")[2] for line in done.stdout.splitlines()] == ["[]"] * 5, done.stdout
