"""`torch_image` on image files: the same as on the arrays they are decoded to, and decoded once."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from autodc.adapters.pictures.kept import decoded_files
from autodc.adapters.pictures.wish import Wish
from autodc.adapters.trainers.checking import input_problems
from autodc.adapters.trainers.options import TorchImageOptions
from autodc.errors import DataError
from autodc.table import Table
from autodc.trial.forking import ForkingJob
from autodc.trial.outputs import TrainerError
from autodc.trial.trainer import TrainingJob, TrainPart

OPTIONS = {"network": "tiny_cnn", "steps": 20, "size": [8, 10], "mode": "RGB"}


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/autodc/decoded"


@pytest.fixture
def files(tmp_path: Path) -> Table:
    rng, paths = np.random.default_rng(0), []
    for i in range(40):
        paths.append(tmp_path / f"{i}.png")
        pixels = rng.integers(0, 100, (int(rng.integers(8, 20)), 12, 3), dtype=np.uint8) + np.uint8(100 * (i % 2))
        Image.fromarray(pixels).convert(["RGB", "L", "P"][i % 3]).save(paths[-1])
    return Table.of_files([str(p) for p in paths], [hashlib.sha256(p.read_bytes()).hexdigest() for p in paths])


def trainer_of(options: Any) -> Any:
    from autodc.adapters.trainers.torch_image import TorchImage

    return TorchImage(TorchImageOptions.model_validate(options), "")


def job(x: Any, out: Path) -> TrainingJob:
    part = TrainPart(
        name="base",
        x=x,
        y=np.arange(len(x)) % 2,
        metadata=pd.DataFrame(index=range(len(x))),
        weight=1.0,
        stage="main",
        folder=out,
    )
    return TrainingJob(
        kind="classification",
        n_classes=2,
        train=(part,),
        predict={"validation": x},
        hyperparameters={},
        recipe="concat",
        seed=1,
        fidelity=1.0,
        warm_start=None,
        out=out,
    )


@pytest.mark.slow
def test_files_train_as_the_arrays_they_are_decoded_to(files: Table, tmp_path: Path, caches: Path) -> None:
    trainer = trainer_of(OPTIONS)
    of_files = trainer.train(job(files, tmp_path / "a"))
    kept = list(caches.glob("*.npy"))
    array = decoded_files(files, Wish(size=(8, 10), mode="RGB"))
    plain = trainer_of({"network": "tiny_cnn", "steps": 20})
    of_arrays = plain.train(job(array, tmp_path / "b"))
    np.testing.assert_array_equal(of_files.outputs["validation"], of_arrays.outputs["validation"])
    trainer.train(job(files, tmp_path / "c"))
    assert list(caches.glob("*.npy")) == kept
    assert len(kept) == 1


def test_a_saved_model_reads_files_as_it_was_trained(files: Table, tmp_path: Path) -> None:
    trainer = trainer_of(OPTIONS)
    trained = trainer.train(job(files, tmp_path / "a"))
    other = trainer_of({"network": "tiny_cnn"})
    outputs = other.method(tmp_path / "a/model").predict({"validation": files})
    np.testing.assert_allclose(outputs["validation"], trained.outputs["validation"], atol=1e-6)


def test_a_fork_learns_from_files_too(files: Table, tmp_path: Path) -> None:
    trainer = trainer_of(OPTIONS)
    training = job(files, tmp_path / "a")
    forked = trainer.fork(
        ForkingJob(
            training=training, datasets=(replace(training.train[0], name="more"),), after=0.5, steps=0.2, batch=0.5
        )
    )
    assert forked.outputs["validation"].shape == (2, 40, 2)


def test_files_that_are_unlike_need_a_size(files: Table, tmp_path: Path) -> None:
    trainer = trainer_of({"network": "tiny_cnn"})
    with pytest.raises(DataError) as caught:
        trainer.train(job(files, tmp_path / "a"))
    assert "options: {size: [" in caught.value.hint


def test_what_is_no_file_of_an_image(tmp_path: Path) -> None:
    sized = trainer_of(OPTIONS)
    with pytest.raises(TrainerError, match="give size and mode to the source"):
        sized.train(job(np.zeros((4, 8, 10), np.uint8), tmp_path / "a"))
    with pytest.raises(TrainerError, match="rows of kind text"):
        sized.train(job(Table.of_texts(["a", "b"]), tmp_path / "b"))


@pytest.mark.slow
def test_sixteen_bits_are_scaled(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 2, (40, 8, 8)).astype(np.uint16)
    deep[::2] *= 30000
    trainer = trainer_of({"network": "tiny_cnn", "steps": 60})
    outputs = trainer.train(job(deep, tmp_path / "a")).outputs["validation"]
    assert (outputs.argmax(1) == np.arange(40) % 2).all()


def test_files_that_are_unlike_are_told_before_the_first_training(files: Table) -> None:
    (problem,) = input_problems("torch_image", {"network": "tiny_cnn"}, files)
    assert problem.code == "ADC-TRAIN-033"
    assert files.texts()[0] in problem.got
    assert "size: [64, 64], mode: RGB" in problem.hint
    (problem,) = input_problems("torch_image", {"size": [8, 8]}, files)
    assert " RGB and " in problem.got
    assert "size: [8, 8], mode: RGB" in problem.hint
    assert input_problems("torch_image", OPTIONS, files) == []
    alike = files[[at for at in range(40) if at % 3 == 0]]
    assert input_problems("torch_image", {"size": [8, 8]}, alike) == []
