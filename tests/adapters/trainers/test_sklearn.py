"""The scikit-learn trainer: columns in class order, budgets, estimators of every sort."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.trainers import make_trainer
from autodc.testing.trainer_contract import N_VALIDATION, training_job
from autodc.trial.executor import TrainerRef
from autodc.trial.outputs import TrainerError


@pytest.fixture(scope="module")
def flowers() -> Any:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 900)
    return np.stack([y + rng.normal(0, 0.4, 900), rng.normal(0, 100, 900)], axis=1), y


def train(job: Any, estimator: Any, **options: Any) -> Any:
    return make_trainer(TrainerRef(name="sklearn", options={"estimator": estimator, **options}, folder=".")).train(job)


@pytest.mark.parametrize(
    "estimator",
    [
        "HistGradientBoostingClassifier",
        "LinearSVC",
        "KNeighborsClassifier",
        "NearestCentroid",
        "sklearn.naive_bayes:GaussianNB",
    ],
)
def test_classifiers_of_every_sort_answer_with_a_score_per_class(tmp_path: Path, flowers: Any, estimator: Any) -> None:
    job = training_job(tmp_path, *flowers, hyperparameters={})
    outputs = train(job, estimator).outputs["validation"]
    assert outputs.shape == (N_VALIDATION, 3)
    assert (outputs.argmax(axis=1) == flowers[1][-N_VALIDATION:]).mean() > 0.75
    np.testing.assert_allclose(outputs.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("estimator", ["LogisticRegression", "LinearSVC"])
def test_a_class_that_training_never_shows_has_its_column(tmp_path: Path, flowers: Any, estimator: Any) -> None:
    x, y = flowers
    x, y = x.copy(), y.copy()
    y[:600][y[:600] == 1] = 2
    job = training_job(tmp_path, x, y, hyperparameters={})
    outputs = train(job, estimator).outputs["validation"]
    assert (outputs[:, 1] == 0).all()
    assert set(outputs.argmax(axis=1)) == {0, 2}


def test_values_are_learnt(tmp_path: Path, flowers: Any) -> None:
    x, y = flowers
    job = training_job(tmp_path, x, y * 10.0, hyperparameters={"alpha": 0.1}, kind="regression")
    outputs = train(job, "Ridge").outputs["validation"]
    assert np.abs(outputs - 10 * y[-N_VALIDATION:]).mean() < 4


def test_hyperparameters_params_and_fidelity_reach_the_estimator(tmp_path: Path, flowers: Any) -> None:
    import joblib

    job = training_job(tmp_path, *flowers, hyperparameters={"max_depth": 2}, fidelity=0.5)
    train(job, "RandomForestClassifier", params={"n_estimators": 10, "max_features": 1})
    estimator = joblib.load(job.out / "model" / "model.joblib")[0]
    assert len(estimator.estimators_) == 5
    assert (estimator.max_depth, estimator.max_features) == (2, 1)
    assert estimator.random_state is not None


OWN = """
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

def trees(**params):
    return make_pipeline(StandardScaler(), ExtraTreesClassifier(5, **params))

def fixed():
    return trees(random_state=3)
"""


def test_steps_of_a_pipeline_have_the_seed_of_the_training(tmp_path: Path, flowers: Any) -> None:
    (tmp_path / "mine.py").write_text(OWN)

    def outputs(name: str, seed: int, at: str) -> Any:
        options = {"estimator": f"{tmp_path}/mine.py:{name}"}
        trainer = make_trainer(TrainerRef(name="sklearn", options=options, folder=str(tmp_path)))
        return trainer.train(training_job(tmp_path / at, *flowers, hyperparameters={}, seed=seed)).outputs["validation"]

    first = outputs("trees", 1, "a")
    assert np.array_equal(first, outputs("trees", 1, "b"))
    assert not np.array_equal(first, outputs("trees", 2, "c"))


def test_a_seed_of_ones_own_stays(tmp_path: Path, flowers: Any) -> None:
    import joblib

    (tmp_path / "mine.py").write_text(OWN)
    job = training_job(tmp_path / "a", *flowers, hyperparameters={})
    train(job, f"{tmp_path}/mine.py:fixed")
    estimator = joblib.load(job.out / "model" / "model.joblib")[0]
    assert estimator[-1].random_state == 3


WRAPPING = """
from sklearn.ensemble import ExtraTreesClassifier, RandomTreesEmbedding
from sklearn.linear_model import RidgeClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

def last():
    return make_pipeline(RandomTreesEmbedding(10), ExtraTreesClassifier(10))

def wrapped():
    return OneVsRestClassifier(make_pipeline(ExtraTreesClassifier(10)))

def before():
    return make_pipeline(RandomTreesEmbedding(10), RidgeClassifier())
"""


@pytest.mark.slow
def test_fidelity_reaches_the_last_step_of_a_pipeline_and_what_is_wrapped(tmp_path: Path, flowers: Any) -> None:
    import joblib

    (tmp_path / "mine.py").write_text(WRAPPING)

    def fitted(name: str) -> Any:
        job = training_job(tmp_path / name, *flowers, hyperparameters={}, fidelity=0.5)
        train(job, f"{tmp_path}/mine.py:{name}")
        return joblib.load(job.out / "model" / "model.joblib")[0]

    last = fitted("last")
    assert [len(step.estimators_) for step in (last[0], last[1])] == [10, 5]
    assert last[1].n_estimators == 10
    assert len(fitted("wrapped").estimators_[0][-1].estimators_) == 5
    assert len(fitted("before")[0].estimators_) == 10


def test_growing_estimators_share_their_trees_between_the_stages(tmp_path: Path, flowers: Any) -> None:
    import joblib

    job = training_job(
        tmp_path,
        *flowers,
        hyperparameters={"pretrain_share": 0.25},
        weights={"base": 1.0, "old": 1.0},
        stages={"old": "pretrain"},
        recipe="pretrain_finetune",
    )
    train(job, "RandomForestClassifier", params={"n_estimators": 8})
    assert len(joblib.load(job.out / "model" / "model.joblib")[0].estimators_) == 8


def test_what_cannot_go_on_says_so(tmp_path: Path, flowers: Any) -> None:
    first = training_job(tmp_path / "a", *flowers, hyperparameters={})
    train(first, "KNeighborsClassifier")
    job = training_job(tmp_path / "b", *flowers, hyperparameters={}, recipe="continue", warm_start=first.out / "model")
    with pytest.raises(TrainerError, match="cannot go on"):
        train(job, "KNeighborsClassifier")


def test_an_estimator_that_heeds_no_environment_is_held_to_the_share_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.base import BaseEstimator
    from sklearn.pipeline import make_pipeline

    from autodc.adapters.trainers.estimator_threads import hold_threads

    class CatBoostClassifier(BaseEstimator):
        __module__ = "catboost.core"

        def __init__(self, thread_count: int | None = None) -> None:
            self.thread_count = thread_count

        def fit(self, x: Any, y: Any) -> Any:
            return self

    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    free, own = make_pipeline(CatBoostClassifier()), CatBoostClassifier(thread_count=2)
    hold_threads(free)
    hold_threads(own)
    assert free[0].thread_count == 1
    assert own.thread_count == 2
