"""A pipeline of one's own and LightGBM: what is fitted is what the person wrote, on what the file holds."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.studyfile import load
from autodc.wire.inputs import read_inputs

MODEL = """\
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMBERS, WORDS = ["age", "rating", "children"], ["plan", "work", "channel"]


def pipeline():
    numbers = make_pipeline(SimpleImputer(missing_values=-1, strategy="median", add_indicator=True), StandardScaler())
    columns = ColumnTransformer([("numbers", numbers, NUMBERS), ("words", OneHotEncoder(), WORDS)])
    return Pipeline([("columns", columns), ("model", LogisticRegression(tol=1e-10, max_iter=1000))])
"""
STUDY = """\
schema_version: 1
name: churn

task:
  kind: classification
  trainer: sklearn
  options: {estimator: "my_model.py:pipeline"}

data:
  base: {source: churn.csv, options: {target: churn}}
  candidates:
    - {name: february, source: churn_02.csv, options: {target: churn}}
  validation: {source: churn_val.csv, options: {target: churn}}

metrics: {primary: accuracy}

slices:
  - {name: overall, role: target}
  - {name: web, where: "channel = 'web'", role: guard, margin: 0.05}

search_space:
  model__C: {type: float, low: 0.01, high: 10, log: true}

loop: {rounds: 1}
search: {trials_per_round: 6}
budget: {trainings: 24}
tracking: {uri: none}
"""
BOOSTED = STUDY.replace('"my_model.py:pipeline"', "lightgbm:LGBMClassifier, params: {verbose: 1}").replace(
    "model__C: {type: float, low: 0.01, high: 10, log: true}",
    "num_leaves: {type: int, low: 4, high: 31}\n  n_estimators: {type: int, low: 5, high: 20}",
)


@pytest.fixture
def marked(churn: Path) -> Path:
    """The customers as another person keeps them: what nobody knows is -1."""
    for path in churn.glob("*.csv"):
        table = pd.read_csv(path)
        table.fillna({"age": -1, "children": -1}).astype({"age": int}).to_csv(path, index=False)
    (churn / "my_model.py").write_text(MODEL)
    (churn / "study.yaml").write_text(STUDY)
    return churn


@pytest.mark.slow
def test_check_of_the_pipeline_is_green(marked: Path, check: Callable[..., Any]) -> None:
    assert check()["can_keep"]


@pytest.mark.slow
def test_the_pipeline_predicts_what_it_does_without_autodc(marked: Path, train_once: Callable[..., Any]) -> None:
    spec = importlib.util.spec_from_file_location("my_model", "my_model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    table = pd.read_csv("churn.csv")
    alone = module.pipeline().set_params(model__C=0.3).fit(table, table["churn"])
    ours = train_once(read_inputs(load("study.yaml")), {"base": 1.0}, {"model__C": 0.3}, seed=1)
    np.testing.assert_allclose(ours, alone.predict_proba(pd.read_csv("churn_val.csv")), atol=1e-6)


@pytest.mark.slow
def test_the_pipeline_runs_to_the_end(marked: Path, run: Callable[..., Any]) -> None:
    assert 0.01 <= run().result["incumbent"]["hyperparameters"]["model__C"] <= 10


@pytest.mark.slow
def test_lightgbm_runs_and_is_heard_in_its_logs_alone(churn: Path, run: Callable[..., Any]) -> None:
    pytest.importorskip("lightgbm")
    (churn / "study.yaml").write_text(BOOSTED)
    night = run()
    assert "[LightGBM]" not in night.terminal
    assert any("[LightGBM]" in log.read_text() for log in (night.out / "logs").glob("trial-*.log"))
