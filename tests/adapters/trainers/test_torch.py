"""The torch trainers on other tasks, layouts and options than the contract's."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.trainers import make_trainer
from autodc.testing.trainer_contract import N_TRAIN, N_VALIDATION, training_job
from autodc.trial.executor import TrainerRef
from autodc.trial.outputs import TrainerError

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")


@pytest.fixture(scope="module")
def digits() -> Any:
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    return data.images[order].astype(np.float32) / 16, data.target[order].astype(np.int64)


def train(job: Any, name: Any = "torch_image", folder: Any = ".", **options: Any) -> Any:
    options = {"steps": 100, "width": 8, "lr": 0.01, **options}
    return make_trainer(TrainerRef(name=name, options=options, folder=str(folder))).train(job)


@pytest.mark.parametrize("outputs", [(), (2,)])
def test_targets_are_scaled_by_the_mixture_whatever_they_are_read_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outputs: Any
) -> None:
    from autodc.adapters.trainers.torch_scaling import target_scale

    monkeypatch.setattr("autodc.large.CHUNK", 7)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(600, 3)), rng.normal(1e6, 3.0, size=(600, *outputs))
    job = training_job(tmp_path, x, y, weights={"base": 0.5, "old": 2.0}, kind="regression", hyperparameters={})
    weights = np.concatenate([np.full(len(part.y), part.weight) for part in job.train])
    values = np.concatenate([part.y for part in job.train])
    mean = np.average(values, axis=0, weights=weights)
    found = target_scale(job)
    np.testing.assert_allclose(found["y_mean"], mean, rtol=1e-12)
    spread = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
    np.testing.assert_allclose(found["y_scale"], spread, rtol=1e-9)


def accuracy(trained: Any, y: Any) -> Any:
    return (trained.outputs["validation"].argmax(axis=1) == y[-N_VALIDATION:]).mean()


def rmse(images: Any, truth: Any) -> Any:
    return np.sqrt(((images - truth) ** 2).mean())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "augment"),
    [
        (lambda x: (x * 255).astype(np.uint8), "none"),
        (lambda x: np.repeat(x[..., None], 3, axis=-1), "shift"),
        (lambda x: np.repeat(x[:, None], 3, axis=1), "none"),
    ],
    ids=["bytes", "channels last", "channels first"],
)
def test_every_layout_of_images_is_learnt(tmp_path: Path, digits: Any, change: Any, augment: Any) -> None:
    x, y = digits
    job = training_job(tmp_path, change(x), y, hyperparameters={})
    assert accuracy(train(job, augment=augment), y) > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(N_TRAIN, 8, 8), (N_TRAIN, 8, 8, 1), (N_TRAIN, 1, 8, 8)])
def test_bytes_train_as_the_numbers_they_stand_for(
    tmp_path: Path, digits: Any, shape: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = digits
    pixels = (x * 255).astype(np.uint8).reshape(len(x), *shape[1:])
    monkeypatch.setattr("autodc.trial.fitting.GATHER_BYTES", 40_000)
    of = [
        train(training_job(tmp_path / name, values, y, hyperparameters={}), steps=30).outputs["validation"]
        for name, values in (("bytes", pixels), ("numbers", pixels.astype(np.float32) / np.float32(255)))
    ]
    np.testing.assert_array_equal(of[0], of[1])


@pytest.mark.parametrize(("name", "options"), [("torch_image", {"network": "mlp"}), ("torch_tabular", {})])
def test_values_are_learnt_in_their_own_units(tmp_path: Path, digits: Any, name: Any, options: Any) -> None:
    x, _ = digits
    ink = 1000 + 50 * x.mean(axis=(1, 2), dtype=np.float64)
    job = training_job(tmp_path, x, ink, hyperparameters={}, kind="regression")
    outputs = train(job, name, **{**options, "width": 32}).outputs["validation"]
    assert outputs.shape == (N_VALIDATION,)
    assert np.abs(outputs - ink[-N_VALIDATION:]).mean() < 0.5 * ink.std()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), [("torch_image", {"network": "mlp"}), ("torch_tabular", {})])
def test_several_values_a_row_are_learnt_each_in_its_own_units(
    tmp_path: Path, digits: Any, name: Any, options: Any
) -> None:
    x, _ = digits
    ink, height = x.mean(axis=(1, 2), dtype=np.float64), x[:, :4].mean(axis=(1, 2), dtype=np.float64)
    truth = np.stack([1000 + 50 * ink, height - 3, np.full(len(x), 7.0)], axis=1)
    job = training_job(tmp_path, x, truth, hyperparameters={}, kind="regression")
    trained = train(job, name, **{**options, "width": 32, "steps": 300})
    outputs, held = trained.outputs["validation"], truth[-N_VALIDATION:]
    assert outputs.shape == (N_VALIDATION, 3)
    assert (np.abs(outputs - held).mean(axis=0)[:2] < 0.5 * held.std(axis=0)[:2]).all()
    assert np.abs(outputs[:, 2] - 7).max() < 0.5
    again = make_trainer(TrainerRef(name=name, options=options, folder=".")).method(job.out / "model")
    np.testing.assert_array_equal(again.predict(job.predict)["validation"], outputs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape", [(7, 5), pytest.param((8, 8), marks=pytest.mark.slow), pytest.param((8, 8, 1), marks=pytest.mark.slow)]
)
def test_images_are_cleaned_in_their_own_layout_and_units(tmp_path: Path, digits: Any, shape: Any) -> None:
    clean = np.zeros((len(digits[0]), 8, 8, 1), np.float32) + digits[0][..., None]
    clean = (clean[:, : shape[0], : shape[1]].reshape(-1, *shape) * 255).astype(np.uint8)
    noise = np.random.default_rng(1).normal(0, 60, clean.shape)
    noisy = np.clip(clean + noise, 0, 255).astype(np.uint8)
    job = training_job(tmp_path, noisy, clean, hyperparameters={}, kind="image_to_image")
    outputs = train(job, network="unet_small", steps=100, lr=0.005).outputs["validation"]
    truth = clean[-N_VALIDATION:].astype(float)
    assert outputs.shape == truth.shape
    assert outputs.min() >= 0
    assert outputs.max() <= 255
    assert rmse(outputs, truth) < 0.92 * rmse(noisy[-N_VALIDATION:], truth)


def test_missing_numbers_and_constant_columns_do_no_harm(tmp_path: Path, digits: Any) -> None:
    x, y = digits[0].reshape(-1, 64).copy(), digits[1]
    x[np.random.default_rng(0).random(x.shape) < 0.05] = np.nan
    x[:, 0] = 7
    assert accuracy(train(training_job(tmp_path, x, y, hyperparameters={}), "torch_tabular", width=32), y) > 0.8


@pytest.mark.slow
def test_a_trial_overrides_what_the_options_fix(tmp_path: Path, digits: Any) -> None:
    job = training_job(tmp_path, *digits, hyperparameters={"width": 4, "optimizer": "sgd", "batch_size": 16})
    train(job, width=16, lr=0.05)
    saved = json.loads((job.out / "model" / "model.json").read_text())["hyper"]
    assert (saved["width"], saved["optimizer"], saved["batch_size"], saved["lr"]) == (4, "sgd", 16, 0.05)


def test_a_hyperparameter_out_of_range_fails_the_trial(tmp_path: Path, digits: Any) -> None:
    with pytest.raises(ValueError, match="dropout"):
        train(training_job(tmp_path, *digits, hyperparameters={"dropout": 1.5}))


def test_the_budget_is_steps_whatever_the_mixture(tmp_path: Path, digits: Any) -> None:
    import torch

    (tmp_path / "net.py").write_text(NETWORK)
    steps = []
    for name, weights, fidelity in (
        ("a", {"base": 1.0}, 1.0),
        ("b", {"base": 1.0, "c": 2.0}, 1.0),
        ("d", {"base": 1.0}, 0.5),
    ):
        job = training_job(tmp_path / name, *digits, hyperparameters={}, weights=weights, fidelity=fidelity)
        train(job, network="net.py:build", folder=tmp_path, steps=40)
        steps.append(int(torch.load(job.out / "model" / "weights.pt", weights_only=True)["steps"]))
    assert steps == [40, 40, 20]


def test_pretraining_takes_its_share_of_the_steps(tmp_path: Path, digits: Any) -> None:
    import torch

    (tmp_path / "net.py").write_text(NETWORK)
    job = training_job(
        tmp_path,
        *digits,
        hyperparameters={"pretrain_share": 0.25, "finetune_lr_factor": 0.3},
        weights={"base": 1.0, "old": 1.0},
        stages={"old": "pretrain"},
        recipe="pretrain_finetune",
    )
    train(job, network="net.py:build", folder=tmp_path, steps=40)
    saved = torch.load(job.out / "model" / "weights.pt", weights_only=True)
    assert int(saved["steps"]) == 40


@pytest.mark.slow
def test_a_share_of_pretraining_that_the_options_fix_is_that_of_a_trial(tmp_path: Path, digits: Any) -> None:
    values, found = {"pretrain_share": 0.8, "finetune_lr_factor": 0.1}, []
    for number, (given, fixed) in enumerate([(values, {}), ({}, values), ({}, {})]):
        job = training_job(
            tmp_path / str(number),
            *digits,
            hyperparameters=given,
            weights={"base": 1.0, "old": 1.0},
            stages={"old": "pretrain"},
            recipe="pretrain_finetune",
        )
        found.append(train(job, network="tiny_cnn", steps=20, **fixed).outputs["validation"])
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


@pytest.mark.slow
def test_continue_keeps_the_architecture_of_the_model_it_continues(tmp_path: Path, digits: Any) -> None:
    first = training_job(tmp_path / "a", *digits, hyperparameters={"width": 6})
    train(first)
    warm = first.out / "model"
    job = training_job(
        tmp_path / "b", *digits, hyperparameters={"width": 12}, recipe="continue", warm_start=warm, fidelity=0.02
    )
    assert accuracy(train(job), digits[1]) > 0.7
    assert json.loads((job.out / "model" / "model.json").read_text())["hyper"]["width"] == 6


def test_continue_without_a_model_is_told(tmp_path: Path, digits: Any) -> None:
    job = training_job(tmp_path, *digits, hyperparameters={}, recipe="continue")
    with pytest.raises(TrainerError, match="no model to start from"):
        train(job)


def test_settings_of_torch_are_left_as_they_were(tmp_path: Path, digits: Any) -> None:
    import torch

    torch.manual_seed(1)
    before = (torch.get_rng_state().tolist(), torch.are_deterministic_algorithms_enabled(), torch.get_num_threads())
    train(training_job(tmp_path, *digits, hyperparameters={"dropout": 0.3}), augment="shift_flip", steps=5)
    after = (torch.get_rng_state().tolist(), torch.are_deterministic_algorithms_enabled(), torch.get_num_threads())
    assert before == after


def test_rows_that_are_no_images_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    job = training_job(tmp_path, rng.normal(size=(900, 4)), rng.integers(0, 2, 900), hyperparameters={})
    with pytest.raises(TrainerError, match="not images"):
        train(job)
    assert len(job.train[0].x) == N_TRAIN


NETWORK = """
import torch
from torch import nn

class Counting(nn.Module):
    def __init__(self, shape, outputs):
        super().__init__()
        self.linear = nn.Linear(shape[0] * shape[1] * shape[2], outputs)
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def forward(self, x):
        if self.training:
            self.steps += 1
        return self.linear(x.flatten(1))

def build(shape, outputs, hyperparameters):
    return Counting(shape, outputs)
"""


NORMALISED = """
from torch import nn

def build(shape, outputs, hyper):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, outputs))
"""


@pytest.mark.slow
def test_a_batch_of_large_pictures_goes_through_in_parts_and_comes_to_the_same(
    tmp_path: Path, digits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.py").write_text(NORMALISED)
    ways = {"small_cnn": {}, "net.py:build": {}, "mlp": {"kind": "regression"}}
    found: dict[str, list[Any]] = {name: [] for name in ways}
    for at, most in enumerate((4 << 20, 64 * 4 * 5)):  # all of a batch; five rows of 8 × 8, of 16 the last part is one
        monkeypatch.setattr("autodc.adapters.trainers.torch_steps.PART_BYTES", most)
        for name, more in ways.items():
            y = digits[1].astype(float) if more else digits[1]
            job = training_job(tmp_path / f"{at} {name}", digits[0], y, hyperparameters={"batch_size": 16}, **more)
            found[name].append(train(job, network=name, folder=tmp_path, steps=12).outputs["validation"])
    for name in ("small_cnn", "mlp"):
        whole, parts = found[name]
        np.testing.assert_allclose(parts, whole, rtol=1e-3, atol=1e-4)
        assert not np.array_equal(parts, whole), "it went through in parts"
    whole, parts = found["net.py:build"]
    np.testing.assert_array_equal(parts, whole, "a network of one's own may look at the whole batch")
