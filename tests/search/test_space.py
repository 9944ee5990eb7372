"""Plans and rows say the same; the start is the centre; conditions hold."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from autodc import seeds
from autodc.search import Plan
from autodc.search.encoding import PlanEncoding
from autodc.search.space import start_hyperparameters
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


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_random_row_is_a_plan_and_the_plan_is_that_row(seed: Any) -> None:
    book = PlanEncoding(problem_of(5))
    row = book.space.random(seeds.generator(seed), 1)[0]
    plan = book.plan(row)
    again = book.plan(book.row(plan))
    assert again == plan
    assert Plan.from_dict(plan.to_dict()) == plan


def test_features_tell_apart_the_stage_a_dataset_is_trained_in() -> None:
    book = PlanEncoding(problem_of(1))
    tuning = dict(problem_of(1).start.hyperparameters)
    main = Plan.of({"d0": 1.0}, tuning, "pretrain_finetune")
    early = Plan.of({"d0": 1.0}, tuning, "pretrain_finetune", ("d0",))
    rows = [book.space.features(book.row(plan)[None])[0] for plan in (main, early)]
    data = book.space.data_features
    assert rows[0][data].tolist()[::-1] == rows[1][data].tolist()
    assert sum(rows[0][data] > 0) == 1
