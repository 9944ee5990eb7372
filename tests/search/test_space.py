"""Plans and rows say the same; the start is the centre; conditions hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodc import seeds
from autodc.search import Plan, make_engine
from autodc.search.book import PlanBook
from autodc.search.encoding import PlanEncoding
from autodc.search.space import dimension_of, start_hyperparameters
from autodc.studyfile.study import ParameterSpec
from autodc.testing.search_problems import SPACE, problem_of


def test_the_start_is_the_geometric_centre_the_first_choice_and_only_what_is_active() -> None:
    values = start_hyperparameters(SPACE, "concat")
    assert set(values) == {"rate", "width", "kind"}
    assert abs(values["rate"] - 10**-2.5) < 1e-7
    assert values["kind"] == "plain"
    assert set(start_hyperparameters(SPACE, "pretrain_finetune")) == {"rate", "width", "kind", "tail"}


def test_conditions_may_be_chained() -> None:
    space = {
        "c": ParameterSpec(type="float", low=0, high=1, when={"b": "on"}),
        "b": ParameterSpec(type="categorical", choices=("on", "off"), when={"a": "yes"}),
        "a": ParameterSpec(type="categorical", choices=("no", "yes")),
    }
    assert start_hyperparameters(space, "concat") == {"a": "no"}


@pytest.mark.parametrize(
    ("low", "high"), [(1e-300, 1e300), (5e-324, 1.7e308), (5e-324, 1e-323), (1e307, 1.7e308), (1.9999999999999998, 2.0)]
)
@pytest.mark.filterwarnings("error")
def test_logarithmic_ranges_near_the_ends_of_floats_are_searched_whole(low: float, high: float) -> None:
    one = dimension_of("x", ParameterSpec(type="float", low=low, high=high, log=True))
    values = [float(one.value(x)) for x in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert values == sorted(values)
    assert values[-1] == high
    assert values[0] in (low, high), "two neighbours are one value in six digits"
    assert [one.value(one.unit(value)) for value in values] == values


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_random_row_is_a_plan_and_the_plan_is_that_row(seed: Any) -> None:
    book = PlanEncoding(problem_of(5))
    row = book.space.random(seeds.generator(seed), 1)[0]
    plan = book.plan(row)
    again = book.plan(book.row(plan))
    assert again == plan
    assert Plan.from_dict(plan.to_dict()) == plan


def test_a_recipe_with_nothing_to_do_is_plain_training() -> None:
    book = PlanEncoding(problem_of(3))
    rows = book.space.random(seeds.generator(5), 400)
    recipes = [(book.plan(row).recipe, book.plan(row)) for row in rows]
    assert {"concat", "pretrain_finetune", "continue"} == {recipe for recipe, _ in recipes}
    assert all(plan.pretrain for recipe, plan in recipes if recipe == "pretrain_finetune")
    alone = Plan.of({"d0": 1.0}, {"rate": 0.01, "tail": 0.2}, "pretrain_finetune")
    told = book.plan(book.row(alone))
    assert (told.recipe, "tail" in dict(told.hyperparameters)) == ("concat", False)


def test_stages_are_held_where_there_is_one_recipe_alone() -> None:
    book = PlanBook(replace(problem_of(3), recipes=("pretrain_finetune",)))
    mixture = {"base": 1.0, "d0": 1.0, "d1": 1.0}
    fixed = book.fixed(mixture, "pretrain_finetune", pretrain=frozenset({"d1"}))
    rows = book.space.hold(book.space.random(seeds.generator(7), 40), fixed)
    assert {book.plan(row, mixture).pretrain for row in rows} == {("d1",)}
    assert not set(book.space.stages) & set(book.space.moving(fixed))


def test_a_search_opens_with_everything_in_under_each_recipe() -> None:
    problem = problem_of(3)
    engine = make_engine("mixture", problem, 3)
    opened = [engine.suggest(number, [], []) for number in range(4)]
    anchors = [one.plan for one in opened if one.origin == "anchor"]
    assert [(plan.recipe, len(plan.mixture.added), plan.pretrain) for plan in anchors] == [
        ("concat", 3, ()),
        ("pretrain_finetune", 3, ("d0", "d1", "d2")),
    ]


def test_features_tell_apart_the_stage_a_dataset_is_trained_in() -> None:
    book = PlanEncoding(problem_of(1))
    tuning = dict(problem_of(1).start.hyperparameters)
    main = Plan.of({"d0": 1.0}, tuning, "pretrain_finetune")
    early = Plan.of({"d0": 1.0}, tuning, "pretrain_finetune", ("d0",))
    rows = [book.space.features(book.row(plan)[None])[0] for plan in (main, early)]
    data = book.space.data_features
    assert (rows[0][data] > 0).tolist() == [True, False], "what it is worth in either stage"
    assert (rows[1][data] > 0).tolist() == [True, True], "and what is other in the second"
    assert rows[0][book.space.strengths].tolist() == rows[1][book.space.strengths].tolist()
