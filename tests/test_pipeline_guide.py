"""The page about pipelines is true: its code, on files as it describes, is let in and gets what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from autodc.adapters.trainers import make_trainer
from autodc.cli.main import cli
from autodc.studyfile import load
from autodc.trial.executor import TrainerRef
from autodc.trial.trainer import TrainingJob, TrainPart
from autodc.wire.inputs import read_inputs

PAGE = (Path(__file__).resolve().parents[1] / "docs/guide/my-pipeline.md").read_text(encoding="utf-8")
SEEN = """

class Seen(Pipeline):
    def fit(self, frame, y):
        frame.assign(y=y).to_pickle("seen.pickle")
        return super().fit(frame, y)


def seen():
    return Seen(pipeline().steps)
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def customers(seed: int, rows: int) -> pd.DataFrame:
    r = np.random.default_rng(seed)
    age, plan = r.integers(18, 80, rows), r.choice(["basic", "plus", "pro"], rows)
    return pd.DataFrame(
        {
            "age": np.where(r.random(rows) < 0.2, -1, age),
            "spend": r.gamma(2, 50, rows).round(4),
            "plan": plan,
            "churn": np.where((age > 45) ^ (plan == "pro"), "stays", "leaves"),
        }
    )


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for seed, (name, rows) in enumerate({"customers": 400, "may": 200, "held_out": 900}.items()):
        customers(seed, rows).to_csv(f"{name}.csv", index=False)
    Path("my_model.py").write_text(blocks("python")[0] + SEEN)
    Path("study.yaml").write_text(blocks("yaml")[0])
    return tmp_path


def predictions(folder: Path, hyperparameters: dict[str, Any], **options: Any) -> Any:
    """What a training on the base alone answers for validation."""
    inputs = read_inputs(load("study.yaml"))
    base, task = inputs.catalogue.base, inputs.spec.task
    assert base.y is not None
    (folder / "out").mkdir()
    part = TrainPart(name="base", x=base.x, y=base.y, weight=1.0, stage="main", metadata=base.metadata, folder=folder)
    job = TrainingJob(
        kind="classification",
        n_classes=2,
        train=(part,),
        predict={"validation": inputs.catalogue.validation.x},
        hyperparameters=hyperparameters,
        recipe="concat",
        seed=1,
        fidelity=1.0,
        warm_start=None,
        out=folder / "out",
    )
    reference = TrainerRef(name="sklearn", options={**task.options, **options}, folder=str(folder))
    return make_trainer(reference).train(job).outputs["validation"]


def test_the_study_of_the_page_is_let_in(desk: Path) -> None:
    said = CliRunner().invoke(cli, shlex.split(blocks("sh")[0].splitlines()[0])[1:], catch_exceptions=False)
    assert said.exit_code == 0, said.output


def test_a_parameter_that_the_pipeline_does_not_have_is_named(desk: Path) -> None:
    Path("study.yaml").write_text(blocks("yaml")[0].replace("model__C", "modl__C"))
    said = CliRunner().invoke(cli, ["check", "study.yaml"])
    assert "modl" in str(said.exception)


def test_the_pipeline_gets_what_pandas_reads(desk: Path) -> None:
    space = {"model__C": 1.0, "columns__numbers__simpleimputer__strategy": "mean"}
    predictions(desk, space, estimator="my_model.py:seen")
    seen, read = pd.read_pickle("seen.pickle"), pd.read_csv("customers.csv")
    inputs, order = ["age", "spend", "plan"], ["age", "spend", "plan", "y"]
    assert list(seen.columns[:-1]) == inputs
    assert seen[inputs].dtypes.to_dict() == read[inputs].dtypes.to_dict()
    expected = read[inputs].assign(y=read["churn"].map({"leaves": 0, "stays": 1}))
    pd.testing.assert_frame_equal(
        seen.sort_values(order, ignore_index=True), expected.sort_values(order, ignore_index=True), check_dtype=False
    )


@pytest.mark.slow
def test_the_booster_of_the_page_learns(desk: Path) -> None:
    pytest.importorskip("lightgbm")
    task = YAML(typ="safe").load(blocks("yaml")[1])
    probabilities = predictions(desk, {"num_leaves": 8, "learning_rate": 0.1}, **task["task"]["options"])
    truth = pd.read_csv("held_out.csv")["churn"].eq("stays")
    assert ((probabilities[:, 1] > 0.5) == truth).mean() > 0.75


@pytest.mark.parametrize("encode", ["onehot", "ordinal", "category"])
def test_every_encoding_of_the_page_is_one(desk: Path, encode: str) -> None:
    pytest.importorskip("lightgbm")
    assert f"`{encode}`" in PAGE
    options = {"estimator": "lightgbm:LGBMClassifier", "params": {"n_estimators": 5, "verbose": -1}, "encode": encode}
    assert np.isfinite(predictions(desk, {}, **options)).all()
