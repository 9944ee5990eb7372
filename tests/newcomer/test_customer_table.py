"""A customer table with gaps, categories, a date and an id: the estimator is named, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

STUDY = """\
schema_version: 1
name: churn

task:
  kind: classification
  trainer: sklearn
  options: {estimator: HistGradientBoostingClassifier}

data:
  base: {source: churn.csv, options: {target: churn}}
  candidates:
    - {name: february, source: churn_02.csv, options: {target: churn}}
    - {name: march, source: churn_03.csv, options: {target: churn}}
  validation: {source: churn_val.csv, options: {target: churn}}
  test: {source: churn_test.csv, options: {target: churn}}

metrics: {primary: accuracy}

slices:
  - {name: overall, role: guard, margin: 0.05}
  - {name: web, where: "channel = 'web'", role: guard, margin: 0.05}
  - {name: mobile, where: "channel = 'mobile'", role: target}

search_space:
  learning_rate: {type: float, low: 0.05, high: 0.3, log: true}
  max_iter: {type: int, low: 10, high: 30}

loop: {rounds: 1}
search: {trials_per_round: 10}
budget: {trainings: 36}
tracking: {uri: none}
"""
INPUTS = "7 columns"
"""All but the id and the target."""


@pytest.fixture
def table(churn: Path) -> Path:
    (churn / "study.yaml").write_text(STUDY)
    return churn


@pytest.mark.slow
def test_check_is_green_and_tells_of_the_id_alone(table: Path, check: Callable[..., Any]) -> None:
    found = check()
    (told,) = found["warnings"]
    assert "column `customer_id` is left out: it looks like an id" in told
    assert {one["inputs"] for one in found["datasets"]} == {INPUTS}
    assert found["can_keep"]


@pytest.mark.slow
def test_people_who_gave_the_same_answers_are_no_leak(table: Path, check: Callable[..., Any]) -> None:
    for path in table.glob("*.csv"):
        pd.read_csv(path).drop(columns=["customer_id", "signed_up"]).to_csv(path, index=False)
    found = check()
    assert any("equal by chance" in one for one in found["warnings"])
    assert not any(one["left_out"] for one in found["datasets"])


@pytest.mark.slow
def test_init_finds_the_months(table: Path, init: Callable[..., Any]) -> None:
    told = init("churn.csv", "--target", "churn")
    assert told["candidates"] == ["churn_02", "churn_03"]
    assert told["left_out"] == {"customer_id": "an id"}
    assert told["options"]["estimator"] == "HistGradientBoostingClassifier"


@pytest.mark.slow
def test_the_months_with_the_phone_cure_the_phone(table: Path, run: Callable[..., Any]) -> None:
    night = run()
    assert night.result["kept"]
    test = night.result["test"]
    assert test["after"]["mobile"] > test["before"]["mobile"] + 0.1
    assert test["after"]["web"] > test["before"]["web"] - 0.05
