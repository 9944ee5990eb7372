"""The base of fitting trainers: draws, reading of rows, and what outputs are let through."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.trial import fitting, method
from autodc.trial.fitting import AbstractFitting, draw, gather
from autodc.trial.outputs import CheckedTrainer, TrainerError
from autodc.trial.recipes import phases
from autodc.trial.trainer import Trained, TrainingJob, TrainPart


def part(name: Any, n: Any, weight: Any = 1.0, stage: Any = "main", start: Any = 0) -> Any:
    x = np.arange(start, start + n, dtype=np.float32)[:, None]
    return TrainPart(
        name=name, x=x, y=x[:, 0], metadata=pd.DataFrame(index=range(n)), weight=weight, stage=stage, folder=Path(name)
    )


def job(tmp_path: Path, *parts: Any, **change: Any) -> Any:
    plain = TrainingJob(
        kind="regression",
        n_classes=0,
        train=parts or (part("base", 10),),
        predict={"validation": np.arange(7, dtype=np.float32)[:, None]},
        hyperparameters={},
        recipe="concat",
        seed=1,
        fidelity=1.0,
        warm_start=None,
        out=tmp_path,
    )
    return replace(plain, **change)


class Mean(AbstractFitting):
    """Predicts the mean of what it is given plus the input."""

    def fit(self, job: Any) -> Any:
        return float(np.mean(job.train[0].y))

    def predict(self, model: Any, x: Any) -> Any:
        return x[:, 0] + model

    def save(self, model: Any, folder: Any) -> None:
        (folder / "mean").write_bytes(bytes(1000))


def test_rows_of_a_concatenation_are_read_without_building_it() -> None:
    arrays = [np.arange(3), np.arange(10, 15), np.arange(100, 101)]
    assert gather(arrays, np.array([0, 2, 3, 7, 8])).tolist() == [0, 2, 10, 14, 100]
    assert gather(arrays, np.array([4])).tolist() == [11]


def test_a_draw_is_the_same_whole_or_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = (part("base", 50), part("more", 30, weight=0.5, start=1000))
    phase = phases(job(tmp_path, *parts))[0]
    rows = [np.concatenate([d.x[d.batches][..., 0] for d in draw(phase, 8, 20, seed=3)])]
    monkeypatch.setattr(fitting, "GATHER_BYTES", 256)
    monkeypatch.setattr(fitting, "PIECE_BYTES", 256)
    pieces = list(draw(phase, 8, 20, seed=3))
    assert len(pieces) > 1
    rows.append(np.concatenate([d.x[d.batches][..., 0] for d in pieces]))
    assert np.array_equal(*rows)
    assert all(np.array_equal(d.x[:, 0], d.y) for d in pieces)
    share = (rows[0] >= 1000).mean()
    assert share == pytest.approx(15 / 65, abs=0.05)


def test_a_recipe_cuts_the_budget(tmp_path: Path) -> None:
    parts = (
        part("base", 5),
        part("old", 5, stage="pretrain"),
        part("none", 5, weight=0.0),
        part("faint", 5, weight=0.05, stage="pretrain"),
    )
    hyperparameters = {"pretrain_share": 0.3, "finetune_lr_factor": 0.1}
    staged = phases(job(tmp_path, *parts, recipe="pretrain_finetune", hyperparameters=hyperparameters))
    assert [[p.name for p in leg.parts] for leg in staged] == [["old"], ["base"]]
    assert [(leg.share, leg.lr_factor) for leg in staged] == [(0.3, 1.0), (0.7, 0.1)]
    plain = phases(job(tmp_path, *parts))
    assert [[p.name for p in leg.parts] for leg in plain] == [["base", "old"]]
    with pytest.raises(TrainerError, match="no rows"):
        phases(job(tmp_path, parts[2]))


def test_a_training_is_measured_saved_and_answered_in_order(tmp_path: Path) -> None:
    many = np.arange(method.PREDICT_ROWS * 2 + 3, dtype=np.float32)[:, None]
    trained = Mean().train(job(tmp_path, predict={"many": many, "none": many[:0]}))
    assert np.array_equal(trained.outputs["many"], many[:, 0] + 4.5)
    assert trained.outputs["none"].shape == (0,)
    assert trained.model_mb == 0.001
    assert 0 < trained.predict_ms < 1


def test_large_rows_are_predicted_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method, "PREDICT_BYTES", 1000)
    seen = []

    class Told(Mean):
        def predict(self, model: Any, x: Any) -> Any:
            seen.append(len(x))
            return super().predict(model, x)

    rows = np.arange(70, dtype=np.float32).reshape(7, 10)
    trained = Told().train(job(tmp_path, predict={"a": np.repeat(rows, 10, axis=1)}))
    assert np.array_equal(trained.outputs["a"], rows[:, 0] + 4.5)
    assert max(seen) == 2


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        ({}, "no outputs for validation"),
        ({"validation": np.zeros(6)}, "wrong shape"),
        ({"validation": np.zeros((7, 2))}, "wrong shape"),
        ({"validation": np.full(7, np.inf)}, "not finite"),
        ({"validation": ["a"] * 7}, "not numbers"),
    ],
)
def test_outputs_that_cannot_be_right_are_refused(tmp_path: Path, outputs: Any, says: Any) -> None:
    class Says:
        def train(self, job: Any) -> Any:
            return Trained(outputs=outputs, train_seconds=0.0, predict_ms=0.0, model_mb=0.0)

    with pytest.raises(TrainerError, match=says):
        CheckedTrainer(Says(), "mine").train(job(tmp_path))


def test_a_column_and_whole_numbers_pass_as_values(tmp_path: Path) -> None:
    class Says:
        def train(self, job: Any) -> Any:
            return Trained(
                outputs={"validation": np.ones((7, 1), int)}, train_seconds=0.0, predict_ms=0.0, model_mb=0.0
            )

    outputs = CheckedTrainer(Says(), "mine").train(job(tmp_path)).outputs["validation"]
    assert (outputs.shape, outputs.dtype.kind) == ((7,), "f")


def test_figures_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    class Says:
        def train(self, job: Any) -> Any:
            return Trained(outputs={"validation": np.ones(7)}, train_seconds=float("nan"), predict_ms=0.0, model_mb=0.0)

    with pytest.raises(TrainerError, match="train_seconds"):
        CheckedTrainer(Says(), "mine").train(job(tmp_path))
