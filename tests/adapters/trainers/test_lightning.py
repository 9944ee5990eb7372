"""A LightningModule of the user's, on rows of every kind, drawn by weight, quiet, and the same bits again."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from autodc.adapters.trainers import make_trainer
from autodc.adapters.trainers.options import LightningOptions
from autodc.plan.mixture import batches
from autodc.seeds import generator
from autodc.table import Table
from autodc.testing.trainer_contract import TrainerContract, digits, training_job
from autodc.trial.executor import TrainerRef
from autodc.trial.trainer import TrainingJob, TrainPart
from autodc.values import decoded

# Lightning takes six seconds to be imported: nothing here imports it before a test runs.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("pytorch_lightning") is None, reason="Lightning is not installed"),
]

FOLDER = Path(__file__).parent / "programs"


def trainer(module: str, **options: Any) -> Any:
    from autodc.adapters.trainers.lightning_trainer import Lightning

    return Lightning(LightningOptions(module=f"lit.py:{module}", **options), str(FOLDER))


class TestLightning(TrainerContract):
    recipes = ("concat", "pretrain_finetune", "continue")
    hyperparameters: ClassVar = {"lr": 0.02}

    @pytest.fixture
    def ref(self) -> Any:
        return TrainerRef(name="lightning", options={"module": "lit.py:LitDigits", "steps": 150}, folder=str(FOLDER))


def job_on(folder: Path, x: Any, y: Any, kind: Any = "regression", **more: Any) -> TrainingJob:
    fields = {"weight": 1.0, "stage": "main", **more}
    part = TrainPart(name="base", x=x, y=y, metadata=pd.DataFrame(index=range(len(y))), folder=folder, **fields)
    out = folder / "out"
    out.mkdir(parents=True)
    return TrainingJob(
        kind=kind,
        n_classes=int(y.max()) + 1 if kind == "classification" else 0,
        train=(part,),
        predict={"validation": x},
        hyperparameters={},
        recipe="concat",
        seed=3,
        fidelity=1.0,
        warm_start=None,
        out=out,
    )


def recorded(folder: Path, x: Any, y: Any, kind: Any = "regression", **options: Any) -> Any:
    """The module that was given these rows in one batch."""
    model = trainer("Recorder", steps=1, batch_size=len(y), **options).fit(job_on(folder, x, y, kind))
    return model.module


def test_rows_are_drawn_as_by_every_trainer(tmp_path: Path) -> None:
    import torch

    x = np.arange(50, dtype=np.float32)[:, None]
    job = job_on(tmp_path, x, x[:, 0], weight=1.5)
    module = trainer("Recorder", steps=9, batch_size=16).fit(job).module
    drawn = torch.stack([xb[:, 0] for xb, _ in module.batches]).numpy()
    expected = batches([50], [1.5], 16, 9, generator(3, "batches", 0))
    np.testing.assert_array_equal(drawn, expected)
    assert all(torch.equal(xb[:, 0], yb) for xb, yb in module.batches)


def test_fidelity_scales_the_steps_and_epochs_are_passes(tmp_path: Path) -> None:
    x = np.zeros((50, 2), np.float32)
    for at, (options, fidelity, steps) in enumerate(
        [({"steps": 10}, 0.5, 5), ({"epochs": 3}, 1.0, 12), ({"epochs": 0.5}, 1.0, 2), ({}, 1.0, 300)]
    ):
        job = job_on(tmp_path / str(at), x, x[:, 0])
        object.__setattr__(job, "fidelity", fidelity)
        assert len(trainer("Recorder", batch_size=16, **options).fit(job).module.batches) == steps


def test_a_module_that_steps_by_hand_has_the_same_budget(tmp_path: Path) -> None:
    job = training_job(tmp_path, *digits(), hyperparameters={})
    model = trainer("LitByHand", steps=23).fit(job)
    assert model.module.steps == 23
    assert model.probabilities
    assert np.allclose(trainer("LitByHand").predict(model, job.predict["validation"]).sum(axis=1), 1, atol=1e-5)


def test_scores_become_probabilities(tmp_path: Path) -> None:
    import torch

    job = training_job(tmp_path, *digits(), hyperparameters={"hidden": 8})
    made = trainer("make", steps=5)
    model = made.fit(job)
    assert not model.probabilities
    raw = model.module(torch.from_numpy(np.array(job.predict["validation"]))).softmax(1).detach().numpy()
    np.testing.assert_allclose(made.predict(model, job.predict["validation"]), raw, rtol=1e-5)


def test_a_table_of_numbers_is_one_tensor(tmp_path: Path) -> None:
    table = Table.of("table", {"a": [1, None, 3], "b": [True, False, True]}, ("integer", "boolean"))
    module = recorded(tmp_path, table, np.zeros(3))
    (xb, _), *_ = module.batches
    assert module.told == (1, 2, [], (2,))
    assert sorted(map(str, xb.tolist())) == ["[1.0, 1.0]", "[3.0, 1.0]", "[nan, 0.0]"]


def test_a_mixed_table_is_a_dict_of_columns(tmp_path: Path) -> None:
    columns = {
        "age": [1.5, None, 3.0],
        "plan": ["b", None, "a"],
        "since": np.array(["1970-01-02", "NaT", "1970-01-11"], "datetime64[us]"),
        "note": ["x", None, "z"],
    }
    table = Table.of("table", columns, ("number", "category", "date", "text"))
    module = recorded(tmp_path, table, np.array([0.0, 1.0, 2.0]))
    (xb, yb), *_ = module.batches
    order = yb.argsort()
    assert module.told[1:3] == (2, [3])
    np.testing.assert_array_equal(xb["numeric"][order].numpy(), np.array([[1.5, 1], [np.nan, np.nan], [3, 10]]))
    assert xb["categorical"][order].tolist() == [[2], [0], [1]]
    assert [xb["text"]["note"][at] for at in order] == ["x", "", "z"]


def test_a_category_that_was_not_trained_on_is_0(tmp_path: Path) -> None:
    made = trainer("Recorder", steps=1)
    model = made.fit(job_on(tmp_path, Table.of("table", {"c": ["a", "b"]}, ("category",)), np.zeros(2)))
    made.predict(model, Table.of("table", {"c": ["b", "z"]}, ("category",)))
    assert model.module.batches[-1]["categorical"].tolist() == [[2], [0]]


def test_a_custom_task_has_targets_and_outputs_of_any_kind(tmp_path: Path) -> None:
    x, boxes = np.zeros((3, 2), np.float32), np.empty(3, object)
    boxes[:] = [[[1, 2]], [], [[3, 4], [5, 6]]]
    ref = TrainerRef(
        name="lightning", options={"module": "lit.py:Boxes", "steps": 1, "batch_size": 2}, folder=str(FOLDER)
    )
    trained = make_trainer(ref).train(job_on(tmp_path, x, boxes, "custom"))
    assert decoded(trained.outputs["validation"]) == [{"boxes": [[0.0]]}] * 3
    whole = recorded(tmp_path / "whole", x, np.array([4, 5, 6]), "custom")
    assert not whole.batches[0][1].is_floating_point()
    assert whole.batches[0][1].element_size() == 8


def test_text_and_paths_are_lists(tmp_path: Path) -> None:
    module = recorded(tmp_path, Table.of_texts(["one", "two"]), np.zeros(2))
    assert sorted(module.batches[0][0]) == ["one", "two"]


def test_images_of_bytes_have_their_channels_first(tmp_path: Path) -> None:
    x = np.full((4, 6, 5, 3), 255, np.uint8)
    module = recorded(tmp_path, x, np.zeros(4))
    assert module.told[3] == (3, 6, 5)
    assert module.batches[0][0].shape == (4, 3, 6, 5)
    assert module.batches[0][0].max() == 1.0
    plain = recorded(tmp_path / "plain", x, np.zeros(4), layout="as_it_is")
    assert plain.batches[0][0].shape == (4, 6, 5, 3)


def test_image_files_are_decoded_where_a_size_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for at in range(3):
        Image.new("P" if at else "L", (5 + at, 9), 0).save(tmp_path / f"{at}.png")
    paths = [tmp_path / f"{at}.png" for at in range(3)]
    table = Table.of_files([str(p) for p in paths], [hashlib.sha256(p.read_bytes()).hexdigest() for p in paths])
    plain = recorded(tmp_path / "plain", table, np.zeros(3))
    assert sorted(plain.batches[0][0]) == [str(path) for path in paths]
    made = trainer("Recorder", steps=1, size=[4, 6], mode="RGB")
    job = job_on(tmp_path / "sized", table, np.zeros(3))
    trained = made.train(job)
    assert trained.outputs["validation"].shape == (3, 1)
    model = made.fit(job)
    assert model.module.told[3] == (3, 4, 6)
    made.predict(model, table)
    assert [batch.shape for batch in (model.module.batches[0][0], model.module.batches[-1])] == [
        (64, 3, 4, 6),
        (3, 3, 4, 6),
    ]


def test_what_a_transform_draws_does_not_depend_on_the_workers(tmp_path: Path) -> None:
    outputs = []
    for workers in (0, 2):
        job = training_job(tmp_path / str(workers), *digits(), hyperparameters={})
        made = trainer("LitDigits", steps=12, workers=workers, transform="lit.py:noisy")
        outputs.append(made.predict(made.fit(job), job.predict["validation"]))
    assert np.array_equal(*outputs)
    plain = trainer("LitDigits", steps=12)
    job = training_job(tmp_path / "plain", *digits(), hyperparameters={})
    assert not np.array_equal(outputs[0], plain.predict(plain.fit(job), job.predict["validation"]))


def test_a_model_is_read_back(tmp_path: Path) -> None:
    job = training_job(tmp_path, *digits(), hyperparameters={"hidden": 12})
    made = trainer("LitDigits", steps=20)
    trained = made.train(job)
    method = trainer("LitDigits", steps=20).method(job.out / "model")
    assert np.array_equal(method.predict(job.predict)["validation"], trained.outputs["validation"])


def test_weights_that_do_not_fit_go_on_with_the_arguments_they_were_saved_with(tmp_path: Path) -> None:
    made = trainer("LitDigits", steps=20)
    warm = training_job(tmp_path / "warm", *digits(), hyperparameters={"hidden": 12})
    made.train(warm)
    job = training_job(
        tmp_path, *digits(), hyperparameters={"hidden": 30}, recipe="continue", warm_start=warm.out / "model"
    )
    assert made.fit(job).arguments["hidden"] == 12


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"params": {"hiden": 3}}, "did you mean hidden?"),
        ({"params": {"hidden": "wide"}}, "lit.py:"),
        ({"module": "lit.py:noisy"}, "x, training"),
    ],
)
def test_a_module_that_cannot_be_made_is_told(tmp_path: Path, options: Any, says: str) -> None:
    job = training_job(tmp_path, *digits(), hyperparameters={})
    ref = TrainerRef(name="lightning", options={"module": "lit.py:LitDigits", **options}, folder=str(FOLDER))
    with pytest.raises(Exception, match="ADC-TRAIN-09") as caught:
        make_trainer(ref).train(job)
    assert says in str(caught.value)


def test_it_is_quiet_and_leaves_nothing_in_the_folder(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from autodc.testing.trainer_contract import digits, training_job\n"
        "from autodc.adapters.trainers import make_trainer\n"
        "from autodc.trial.executor import TrainerRef\n"
        "job = training_job(Path(sys.argv[1]) / 'data', *digits(), hyperparameters={})\n"
        "ref = TrainerRef(name='lightning', options={'module': 'lit.py:LitDigits', 'steps': 5}, folder=sys.argv[2])\n"
        "make_trainer(ref).train(job)\n"
    )
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(FOLDER)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONWARNINGS": "default::UserWarning", "PYTHONPATH": str(FOLDER.parents[3])},
    )
    assert done.stdout + done.stderr == ""
    assert list(cwd.iterdir()) == []
    assert sorted(file.name for file in (tmp_path / "data" / "out").rglob("*") if file.is_file()) == [
        "lightning.json",
        "lightning.pt",
    ]
