"""A pipeline of one's own and LightGBM: what is fitted is what the person wrote, on what the file holds."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.executors.harness import run_task
from autodc.studyfile import load
from autodc.trial.executor import StoredPart, TrainerRef, TrainTask
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


def test_check_of_the_pipeline_is_green(marked: Path, check: Callable[..., Any]) -> None:
    assert check()["can_keep"]


def trained(folder: Path, hyperparameters: dict[str, Any]) -> Any:
    """What a training of the base alone answers for validation."""
    inputs = read_inputs(load("study.yaml"))
    catalogue, store = inputs.catalogue, ArtefactStore(folder / "store")
    task = inputs.spec.task
    done = run_task(
        TrainTask(
            number=0,
            attempt=0,
            trainer=TrainerRef(name=task.trainer, options=task.options, folder=str(folder)),
            kind=task.kind,
            n_classes=2,
            train=(StoredPart(name="base", path=str(store.put_dataset(catalogue.base)), weight=1.0),),
            predict=(
                StoredPart(name="validation", path=str(store.put_dataset(catalogue.validation, inputs_only=True))),
            ),
            hyperparameters=hyperparameters,
            recipe="concat",
            seed=1,
            fidelity=1.0,
            warm_start=None,
            out=str(folder / "out"),
        )
    )
    assert done.status == "done", done.error
    return done.outputs["validation"]


def test_the_pipeline_predicts_what_it_does_without_autodc(marked: Path) -> None:
    spec = importlib.util.spec_from_file_location("my_model", "my_model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    table = pd.read_csv("churn.csv")
    alone = module.pipeline().set_params(model__C=0.3).fit(table, table["churn"])
    np.testing.assert_allclose(
        trained(marked, {"model__C": 0.3}), alone.predict_proba(pd.read_csv("churn_val.csv")), atol=1e-6
    )


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
