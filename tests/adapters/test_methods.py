"""Everything that a METHOD may name keeps the contract of methods."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.methods import make_method
from autodc.adapters.trainers import make_trainer
from autodc.data.dataset import Dataset
from autodc.errors import AutodcError
from autodc.studyfile import load
from autodc.table import Table
from autodc.testing.method_contract import MethodContract
from autodc.testing.trainer_contract import digits, training_job
from autodc.testing.world import write_world
from autodc.trial.executor import MethodRef, StoredPart, TrainerRef
from autodc.trial.trainer import Trained
from autodc.wire.inputs import read_inputs
from autodc.wire.study import open_study

PROGRAMS = Path(__file__).parent / "trainers" / "programs"
PROGRAM = [sys.executable, "foreign.py", "{job}"]
IMAGE = {"network": "tiny_cnn", "steps": 5, "dropout": 0.5}
SKLEARN = {"estimator": "SGDClassifier", "params": {"loss": "log_loss"}, "epochs": 2}
TRAINERS = {
    "torch_image": TrainerRef(name="torch_image", options=IMAGE, folder="."),
    "torch_tabular": TrainerRef(name="torch_tabular", options={"steps": 5, "width": 8, "dropout": 0.5}, folder="."),
    "sklearn": TrainerRef(name="sklearn", options=SKLEARN, folder="."),
    "command": TrainerRef(name="command", options={"argv": PROGRAM}, folder=str(PROGRAMS)),
}


Trainings = Callable[[str, Path], tuple[Trained, Path]]


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    """A short training of a trainer, made once, and a copy of its model in a folder of the test's own."""
    known: dict[str, tuple[Trained, Path]] = {}

    def copied(name: str, folder: Path) -> tuple[Trained, Path]:
        if name not in known:
            known[name] = _trained(name, tmp_path_factory.mktemp(name))
        trained, model = known[name]
        return trained, Path(shutil.copytree(model, folder / "model"))

    return copied


def _trained(name: str, folder: Path, kind: str = "classification") -> tuple[Trained, Path]:
    """A short training on the digits, and its model folder."""
    x, y = digits()
    if kind == "regression":
        y = y.astype(float)
    job = training_job(folder, x, y, hyperparameters={"lr": 0.1} if name != "sklearn" else {}, fidelity=0.05, kind=kind)
    return make_trainer(TRAINERS[name]).train(job), job.out / "model"


def _named(name: str, folder: Path | str = ".", trainer: TrainerRef | None = None) -> MethodRef:
    return MethodRef(name=name, folder=str(folder), kind="classification", row_shape=(10,), trainer=trainer)


class OfATrainer(MethodContract):
    """A model folder, read by the trainer that saved it."""

    trainer: str

    @pytest.fixture
    def ref(self, trainings: Trainings, tmp_path: Path) -> MethodRef:
        self.trained, model = trainings(self.trainer, tmp_path)
        return _named(str(model), trainer=TRAINERS["command"], folder=PROGRAMS)

    @pytest.fixture
    def model(self, ref: MethodRef) -> Path | None:
        return Path(ref.name)

    def test_it_predicts_as_its_training_did(self, ref: MethodRef) -> None:
        found = make_method(ref).predict({"validation": digits()[0][-300:]})
        assert found["validation"].tobytes() == self.trained.outputs["validation"].tobytes()


class TestTorchImage(OfATrainer):
    trainer = "torch_image"


class TestTorchTabular(OfATrainer):
    trainer = "torch_tabular"


class TestSklearn(OfATrainer):
    trainer = "sklearn"


class TestCommand(OfATrainer):
    trainer = "command"


class TestRun(MethodContract):
    @pytest.fixture
    def ref(self, trainings: Trainings, tmp_path: Path) -> MethodRef:
        study = write_world(
            tmp_path / "study",
            task={"kind": "classification", "trainer": "sklearn", "options": SKLEARN},
            search_space={"alpha": {"type": "float", "low": 1e-5, "high": 1e-2, "log": True}},
        )
        out = tmp_path / "run"
        open_study(read_inputs(load(study)), out)[1].close()
        shutil.move(trainings("sklearn", tmp_path)[1], out / "models" / "incumbent")
        return _named(str(out))

    @pytest.fixture
    def model(self, ref: MethodRef) -> Path | None:
        return Path(ref.name) / "models" / "incumbent"


class TestObject(MethodContract):
    @pytest.fixture
    def ref(self, tmp_path: Path) -> MethodRef:
        (tmp_path / "mine.py").write_text(
            "class Sums:\n"
            "    def predict(self, x):\n"
            "        assert x.shape[1:] == (8, 8), x.shape\n"
            "        x *= 1.0  # in place: its batch is its own\n"
            "        return x.reshape(len(x), -1)[:, :10]\n"
        )
        return _named("mine.py:Sums", tmp_path)


class TestProgram(MethodContract):
    @pytest.fixture
    def ref(self, tmp_path: Path) -> MethodRef:
        (tmp_path / "predict.py").write_text(
            "import json, sys\nimport numpy as np\n"
            "job = json.load(open(sys.argv[1]))\n"
            "assert job['train'] == [] and job['warm_start'] is None\n"
            "for part in job['predict']:\n"
            "    arrays = np.load(part['path'])\n"
            "    assert arrays.files == ['x'] and arrays['x'].shape[1:] == (8, 8)\n"
            "    outputs = arrays['x'].reshape(len(arrays['x']), -1)[:, :10]\n"
            "    np.savez(f\"{job['out']}/predictions-{part['name']}.npz\", outputs=outputs)\n"
        )
        return _named("predict.py", tmp_path)


class TestConstant(MethodContract):
    reads_inputs = False

    @pytest.fixture
    def ref(self, tmp_path: Path) -> MethodRef:
        np.save(tmp_path / "x.npy", np.zeros((5, 8, 8)))
        np.save(tmp_path / "y.npy", np.array([3, 3, 1, 3, 0]))
        base = StoredPart(name="base", path=str(tmp_path))
        return MethodRef(name="constant", folder=".", kind="classification", row_shape=(10,), base=base)

    def test_it_gives_the_majority_class(self, ref: MethodRef, rows: np.ndarray) -> None:
        outputs = make_method(ref).predict({"rows": rows})["rows"]
        assert set(outputs.argmax(axis=1).tolist()) == {3}
        np.testing.assert_allclose(outputs.sum(axis=1), 1)


def test_the_constant_of_values_is_their_mean(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 1)))
    np.save(tmp_path / "y.npy", np.array([1.0, 2.0, 3.0, 6.0]))
    base = StoredPart(name="base", path=str(tmp_path))
    ref = MethodRef(name="constant", folder=".", kind="regression", row_shape=(), base=base)
    assert make_method(ref).predict({"rows": np.zeros((2, 1))})["rows"].tolist() == [3.0, 3.0]


def _stored(folder: Path, kind: str, x: Any, y: np.ndarray) -> MethodRef:
    """`linear` on these rows of a base."""
    data = Dataset(name="base", x=x, y=y, metadata=pd.DataFrame(index=range(len(y))), fingerprint="base")
    base = StoredPart(name="base", path=str(ArtefactStore(folder).put_dataset(data)))
    classes = tuple(range(int(y.max()) + 1)) if kind == "classification" else ()
    shape = (len(classes),) if classes else y.shape[1:]
    return MethodRef(name="linear", folder=".", kind=kind, row_shape=shape, base=base, classes=classes)


def test_a_linear_model_reads_small_images(tmp_path: Path) -> None:
    x, y = digits()
    found = make_method(_stored(tmp_path, "classification", x[:600], y[:600])).predict({"rows": x[600:]})["rows"]
    assert (found.argmax(axis=1) == y[600:]).mean() > 0.85


def test_a_linear_model_reads_tables_with_gaps_and_words(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    age, plan = rng.uniform(20, 60, 400), rng.choice(["basic", "pro"], 400)
    table = Table.of("table", {"age": pd.Series(age).where(age < 55), "plan": plan}, ("number", "category"))
    worth = np.where(plan == "pro", 5.0, 1.0) + 0.02 * age
    found = make_method(_stored(tmp_path / "table", "regression", table, worth)).predict({"rows": table})["rows"]
    assert np.abs(found - worth).mean() < 0.2
    texts = Table.of_texts(["a fine day" if k % 2 else "a sad night" for k in range(60)])
    of_words = make_method(_stored(tmp_path / "text", "classification", texts, np.arange(60) % 2))
    assert of_words.predict({"rows": texts})["rows"].argmax(axis=1).tolist() == [0, 1] * 30


@pytest.mark.parametrize("shape", [(4, 9, 9), (4, 9, 9, 3), (4, 3, 9, 9)])
def test_the_median_filter_is_of_the_pixels_around_each_and_of_no_other_row_or_channel(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).random(shape)
    ref = MethodRef(name="median", folder=".", kind="image_to_image", row_shape=shape[1:])
    found = np.asarray(make_method(ref).predict({"rows": x})["rows"])
    one, middle = (np.moveaxis(a[2], 0, -1) if shape[1] == 3 else a[2] for a in (x, found))
    assert middle[4, 4].tolist() == np.median(one[3:6, 3:6], axis=(0, 1)).tolist()


@pytest.mark.parametrize(
    ("name", "kind"), [("linear", "image_to_image"), ("linear", "custom"), ("median", "regression")]
)
def test_a_simple_method_that_does_not_fit_the_task_says_so(tmp_path: Path, name: str, kind: str) -> None:
    base = _stored(tmp_path, "regression", np.zeros((4, 2)), np.zeros(4)).base
    with pytest.raises(AutodcError, match="does not fit a task of kind") as told:
        make_method(MethodRef(name=name, folder=".", kind=kind, row_shape=None, base=base))
    assert told.value.code == "ADC-METHOD-021"


@pytest.mark.slow
def test_a_program_may_be_named_with_its_arguments(tmp_path: Path) -> None:
    model = _trained("command", tmp_path)[1]
    argv = f"{sys.executable} {PROGRAMS / 'foreign.py'} {{job}}"
    with pytest.raises(AutodcError, match="ADC-TRAIN-040"):  # it is given no model to predict with
        make_method(_named(argv, tmp_path)).predict({"rows": digits()[0][:3]})
    assert make_method(_named(str(model), PROGRAMS, TRAINERS["command"])).predict({"rows": digits()[0][:3]})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nowhere", "ADC-METHOD-003"),
        ("constant", "ADC-METHOD-004"),
        ("linear", "ADC-METHOD-004"),
        (".", "ADC-METHOD-006"),
        ("mine.py:nothing", "ADC-TRAIN-021"),
        ("mine.py:number", "ADC-METHOD-008"),
        ("mine.py:Fails", "ADC-METHOD-007"),
    ],
)
def test_a_name_that_leads_nowhere_says_so(tmp_path: Path, name: str, code: str) -> None:
    (tmp_path / "mine.py").write_text("number = 3\nclass Fails:\n    def __init__(self): raise ValueError('no')\n")
    with pytest.raises(AutodcError) as told:
        make_method(_named(name, tmp_path))
    assert told.value.code == code
    assert told.value.exit_code == 2
