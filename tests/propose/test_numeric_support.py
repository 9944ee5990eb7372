"""Rows of a pool that are near those that were looked at: what hardly varies puts none of them out of reach."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodc.diagnose.shadow.columns import Columns
from autodc.propose.numeric_support import within_reach

CENSUS = Path(__file__).resolve().parents[2] / "configs" / "census" / "data"


def near(known: pd.DataFrame, offered: pd.DataFrame, rule: str = "") -> np.ndarray:
    return within_reach(Columns.shared(known, offered), known, offered, rule)


def census() -> tuple[pd.DataFrame, pd.DataFrame]:
    """People as explore rows and as a pool, with a loss of capital that few of them have."""
    people = pd.concat([pd.read_parquet(CENSUS / f"{part}.parquet") for part in ("validation", "test")])
    people = people.drop(columns="income").sample(frac=1.0, random_state=0).reset_index(drop=True)
    rng = np.random.default_rng(5)
    lost = np.where(rng.random(len(people)) < 0.05, rng.choice([1590, 1740, 1902, 2415, 4356], len(people)), 0)
    people = people.assign(capital_loss=lost)
    return people[: len(people) // 3], people[len(people) // 3 :]


@pytest.mark.slow
def test_people_whom_a_rule_means_are_within_reach_though_most_others_are_unlike_them() -> None:
    known, pool = census()
    for column, rule in (("capital_loss", '"Capital_Loss" >= 1500.0'), ("dividends", "dividends >= 1000.0")):
        match = (pool[column] >= 1000).to_numpy()
        assert match.sum() > 30
        assert near(known, pool, rule)[match].mean() > 0.9
    assert near(known, pool).mean() > 0.9


@pytest.mark.slow
def test_what_lies_far_beyond_all_that_was_looked_at_is_out_of_reach_whatever_the_rule_names() -> None:
    known, pool = census()
    pool = pool.assign(age=np.where(np.arange(len(pool)) % 5 == 0, 400, pool["age"]))
    for rule in ("", "age >= 60.0", "sex = 'age'"):
        found = near(known, pool, rule)
        assert not found[::5].any()
        assert found[pool["age"] < 100].mean() > 0.9


def test_where_explore_rows_are_mostly_the_same_others_are_not_all_out_of_reach() -> None:
    known = pd.DataFrame({"weeks": np.repeat([52.0, 40.0], 50), "never": np.nan})
    offered = pd.DataFrame({"weeks": [52.0, 52.5, 30.0], "never": [np.nan, 7.0, 7.0]})
    assert near(known, offered).tolist() == [True, True, False]
