"""The path of a file tells its class to no trainer, and still leads to what the file holds."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.executors.harness import run_task
from autodc.adapters.executors.opening import training_job
from autodc.adapters.links import FOLDER, TRAINING, linked, suffix_of
from autodc.adapters.sources import read_source
from autodc.data.dataset import Dataset
from autodc.errors import DataError
from autodc.studyfile.study import SourceSpec
from autodc.table import Table
from autodc.trial.executor import Completion, MethodRef, PredictTask, StoredPart, TrainerRef, TrainTask

CLASSES = ("cat", "dog")
SPY = """
import os

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


def told(paths):
    # 1 where the path says dog, 0 where it says cat, -1 where it says nothing
    places = [os.path.realpath(path) + path for path in paths]
    return np.array([1 if "dog" in place else 0 if "cat" in place else -1 for place in places])


class Reads(ClassifierMixin, BaseEstimator):
    def fit(self, paths, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, paths):
        assert all(open(path, "rb").read() for path in paths)
        return np.eye(2)[np.maximum(told(paths), 0)]

    def predict(self, paths):
        return self.predict_proba(paths).argmax(axis=1)


def make_pipeline():
    return Reads()


class Spy:
    def predict(self, x):
        return np.eye(2)[np.maximum(told(x.texts()), 0)]


if __name__ == "__main__":
    from autodc.program import Job

    job = Job.open()
    assert (told(job.rows().paths()) == -1).all()
    job.predict_with(Reads().predict_proba)
"""


def class_folder(folder: Path, rows: int) -> Path:
    for label in CLASSES:
        (folder / label).mkdir(parents=True)
        for row in range(rows):
            pixels = np.random.default_rng([rows, row, len(label), label == "dog"]).integers(0, 255, (4, 4), np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{label}-{row}.PNG")
    return folder


def read(folder: Path, name: str = "base") -> Dataset:
    spec = SourceSpec(source=folder.name)
    found = read_source(spec, folder=str(folder.parent), name=name, place="study.yaml", kind="classification")
    assert found.y is not None
    object.__setattr__(found, "y", np.unique(found.y, return_inverse=True)[1])
    return found


@pytest.fixture
def task(tmp_path: Path) -> Any:
    """A training on two folders of classes, by a trainer of the file mine.py."""
    (tmp_path / "mine.py").write_text(SPY)
    store = ArtefactStore(tmp_path / "store")
    base, held = read(class_folder(tmp_path / "base", 3)), read(class_folder(tmp_path / "held", 5), "validation")

    def made(name: str, **options: Any) -> TrainTask:
        return TrainTask(
            number=0,
            attempt=0,
            trainer=TrainerRef(name=name, options=options, folder=str(tmp_path)),
            kind="classification",
            n_classes=2,
            train=(StoredPart(name="base", path=str(store.put_dataset(base))),),
            predict=(StoredPart(name="validation", path=str(store.put_dataset(held, inputs_only=True))),),
            hyperparameters={},
            recipe="concat",
            seed=0,
            fidelity=1.0,
            warm_start=None,
            out=str(tmp_path / "out"),
        )

    return made


def right(done: Completion) -> float:
    """The share of the ten rows, five of each class in order, that are predicted right."""
    assert done.status == "done", done.error
    return float((done.outputs["validation"].argmax(axis=1) == np.repeat([0, 1], 5)).mean())


def test_a_pipeline_gains_nothing_by_the_path(kind: str, task: Any) -> None:
    assert right(run_task(task("sklearn", estimator="mine.py:make_pipeline"))) == 0.5


@pytest.mark.slow
def test_a_program_gains_nothing_by_the_path(task: Any) -> None:
    assert right(run_task(task("command", argv=["python", "mine.py"]))) == 0.5


def test_a_method_gains_nothing_by_the_path(task: Any, tmp_path: Path) -> None:
    asked = PredictTask(
        number=0,
        attempt=0,
        method=MethodRef(name="mine.py:Spy", folder=str(tmp_path), kind="classification", row_shape=(2,)),
        parts=task("mine.py:Spy").predict,
        out=str(tmp_path / "out"),
    )
    assert right(run_task(asked)) == 0.5


def test_rows_to_predict_carry_their_links_and_contents_alone(task: Any, tmp_path: Path) -> None:
    (name, x), *more = training_job(task("mine.py:Spy")).predict.items()
    assert (name, more) == ("validation", [])
    assert isinstance(x, Table)
    assert x.arrow.column_names == ["path", "content"]
    assert [Path(path).parent for path in x.texts()] == [tmp_path / "store" / FOLDER] * 10
    assert [Path(path).name for path in x.texts()] == [f"{one}.png" for one in x.column("content").to_pylist()]


def test_what_decodes_images_itself_tells_of_files_by_their_own_names(task: Any, tmp_path: Path) -> None:
    (x,) = training_job(task("torch_image")).predict.values()
    assert isinstance(x, Table)
    assert x.texts()[0] == str(tmp_path / "held/cat/cat-0.PNG")


def table(*paths: Path, content: str = "00") -> Table:
    return Table.of_files([str(path) for path in paths], [content] * len(paths))


@pytest.fixture(params=["hard", "none"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Hard links, and a disk that has none, as for files on another disk."""
    if request.param == "none":
        monkeypatch.setattr(os, "link", _crosses)
    return request.param


def _crosses(*_: Any, **__: Any) -> None:
    raise OSError(18, "Invalid cross-device link")


@pytest.mark.parametrize("training", [False, True])
def test_one_content_is_one_link_that_leads_to_it(kind: str, tmp_path: Path, training: bool) -> None:
    for name in ("a.PNG", "b.png"):
        (tmp_path / name).write_text("same")
    x = linked(table(tmp_path / "a.PNG", tmp_path / "b.png"), tmp_path, training=training)
    folder = tmp_path / (TRAINING if training else FOLDER)
    assert isinstance(x, Table)
    assert x.texts() == [str(folder / "00.png")] * 2
    (tmp_path / "a.PNG").unlink()
    linked(table(tmp_path / "a.PNG", tmp_path / "b.png"), tmp_path, training=training)
    assert [path.name for path in folder.iterdir()] == ["00.png"]
    assert Path(x.texts()[0]).read_text() == "same"


def test_only_a_file_to_train_on_may_be_a_symbolic_link(kind: str, tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat/a.png").write_text("same")
    rows = table(tmp_path / "cat/a.png")
    learned, asked = linked(rows, tmp_path, training=True), linked(rows, tmp_path)
    assert isinstance(learned, Table)
    assert isinstance(asked, Table)
    assert Path(learned.texts()[0]).is_symlink() == (kind == "none")
    assert "cat" not in os.path.realpath(asked.texts()[0])


def test_a_symbolic_link_that_was_left_to_a_file_to_predict_is_one_no_more(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("here")
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "00.txt").symlink_to(tmp_path / "a.txt")
    linked(table(tmp_path / "a.txt"), tmp_path)
    assert not (tmp_path / FOLDER / "00.txt").is_symlink()


def test_a_copy_is_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "link", _crosses)
    (tmp_path / "a.txt").write_text("here")
    linked(table(tmp_path / "a.txt"), tmp_path)
    first = (tmp_path / FOLDER / "00.txt").stat().st_ino
    linked(table(tmp_path / "a.txt"), tmp_path)
    assert (tmp_path / FOLDER / "00.txt").stat().st_ino == first


@pytest.mark.parametrize("training", [False, True])
def test_a_link_follows_a_file_that_moved_or_was_written_anew(kind: str, tmp_path: Path, training: bool) -> None:
    link = tmp_path / (TRAINING if training else FOLDER) / "00.txt"
    (tmp_path / "a.txt").write_text("old")
    linked(table(tmp_path / "a.txt"), tmp_path, training=training)
    shutil.move(tmp_path / "a.txt", tmp_path / "b.txt")
    linked(table(tmp_path / "b.txt"), tmp_path, training=training)
    assert link.read_text() == "old"
    (tmp_path / "c.txt").write_text("other")
    linked(table(tmp_path / "c.txt"), tmp_path, training=training)
    assert link.read_text() == "other"


def test_a_file_that_is_gone_lives_on_in_its_hard_link_or_copy(kind: str, tmp_path: Path) -> None:
    content = hashlib.sha256(b"here").hexdigest()
    (tmp_path / "a.txt").write_bytes(b"here")
    rows = table(tmp_path / "a.txt", content=content)
    linked(rows, tmp_path)
    (tmp_path / "a.txt").unlink()
    linked(rows, tmp_path)
    (tmp_path / FOLDER / f"{content}.txt").write_bytes(b"else")
    with pytest.raises(DataError, match=r"a\.txt"):
        linked(rows, tmp_path)


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.txt") as caught:
        linked(table(tmp_path / "gone.txt"), tmp_path)
    assert caught.value.code == "ADC-DATA-002"


@pytest.mark.parametrize(
    ("path", "suffix"),
    [("a/b.JPG", ".jpg"), ("scan.nii.gz", ".nii.gz"), ("1.cat.png", ".png"), ("Mr. Cat 1", ""), ("cat", "")],
)
def test_a_suffix_is_kept_where_it_says_what_a_file_is(path: str, suffix: str) -> None:
    assert suffix_of(path) == suffix
