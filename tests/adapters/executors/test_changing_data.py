"""Stored data that is harmed, and put in place again, while a task reads it: no plan is charged with it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.artefacts import ArtefactStore, open_part
from autodc.adapters.executors import LocalExecutor, run_task
from autodc.data.dataset import Dataset
from autodc.errors import SurroundingsError
from autodc.files import stamps
from autodc.trial.executor import Completion, StoredPart, TrainerRef, TrainTask
from autodc.trial.trainer import Trained, TrainingJob


def rows() -> Dataset:
    x = np.arange(60, dtype=np.float32).reshape(20, 3)
    return Dataset(name="base", x=x, y=np.arange(20.0), metadata=pd.DataFrame({"light": np.linspace(0, 1, 20)}))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(content)


class Reading:
    """Does to the data it trains on what it is told."""

    def __init__(self, act: str) -> None:
        self.act = act.split()

    def train(self, job: TrainingJob) -> Trained:
        folder = job.train[0].folder
        if "flip" in self.act:
            flip(folder / "y.npy")
        if "restore" in self.act:
            assert ArtefactStore(folder.parent).restore(rows())
        if "raise" in self.act:
            raise ValueError("what was read makes no sense")
        if "die" in self.act:
            os._exit(1)
        outputs = {name: np.zeros(len(x)) for name, x in job.predict.items()}
        return Trained(outputs=outputs, train_seconds=0.0, predict_ms=0.0, model_mb=0.0)


def task(folder: Path, act: str) -> TrainTask:
    store = ArtefactStore(folder / "data")
    return TrainTask(
        number=1,
        attempt=0,
        trainer=TrainerRef(name=f"{__file__}:Reading", options={"act": act}, folder=str(folder)),
        kind="regression",
        n_classes=0,
        train=(StoredPart(name="base", path=str(store.put_dataset(rows()))),),
        predict=(StoredPart(name="validation", path=str(store.put_dataset(rows(), inputs_only=True))),),
        hyperparameters={},
        recipe="concat",
        seed=1,
        fidelity=1.0,
        warm_start=None,
        out=str(folder / "out"),
    )


def supervised(task: TrainTask) -> Completion:
    executor = LocalExecutor(1)
    try:
        executor.submit(task)
        found: list[Completion] = []
        while not found:
            found = executor.wait()
        return found[0]
    finally:
        executor.close()


@pytest.mark.parametrize("act", ["", "raise"])
def test_data_that_lie_as_they_lay_tell_of_the_plan(tmp_path: Path, act: str) -> None:
    found = run_task(task(tmp_path, act))
    assert (found.status, found.missing) == ("failed" if act else "done", False)


@pytest.mark.parametrize("act", ["flip raise", "flip restore raise"])
def test_a_training_that_failed_on_data_that_changed_is_no_fault_of_its_plan(tmp_path: Path, act: str) -> None:
    """Also where they are whole again by the time anybody looks."""
    found = run_task(task(tmp_path, act))
    assert (found.status, found.missing) == ("surroundings", True)


def test_what_was_read_while_it_was_written_to_is_no_result(tmp_path: Path) -> None:
    found = run_task(task(tmp_path, "flip"))
    assert (found.status, found.missing, dict(found.outputs)) == ("surroundings", True, {})
    assert "y.npy changed while it was in use" in found.error


def test_a_training_that_only_lost_its_names_is_done(tmp_path: Path) -> None:
    """What it had mapped was whole to its end."""
    asked = task(tmp_path, "flip restore")
    assert run_task(asked).status == "done"


@pytest.mark.slow
def test_a_crash_on_data_that_changed_and_are_whole_again(tmp_path: Path) -> None:
    found = supervised(task(tmp_path, "flip restore die"))
    assert (found.status, found.missing) == ("surroundings", True)
    assert supervised(task(tmp_path, "die")).status == "crashed"


@pytest.mark.slow
def test_who_opens_data_meanwhile_gets_all_of_them_or_is_told(tmp_path: Path) -> None:
    store, data = ArtefactStore(tmp_path), rows()
    folder = store.put_dataset(data)
    told: list[str] = []

    def harm() -> None:
        for k in range(40):
            flip(folder / ("metadata.parquet", "y.npy", "x.npy")[k % 3])
            told.append("restored" if store.restore(data) else "whole")

    other = threading.Thread(target=harm)
    other.start()
    while other.is_alive():
        try:
            x, y, metadata = open_part(folder)
        except SurroundingsError:
            continue
        assert y is not None
        assert list(metadata.columns) == ["light"]
        assert len(x) == len(y) == len(metadata)
    other.join()
    assert told == ["restored"] * 40
    np.testing.assert_array_equal(np.asarray(open_part(folder)[1]), data.y)


def test_what_trainings_leave_beside_the_rows_is_no_harm(tmp_path: Path) -> None:
    folder = ArtefactStore(tmp_path / "data").put_dataset(rows())
    seen = stamps(Path(folder))
    (Path(folder) / "part.parquet").write_bytes(b"a training's own form of the rows")
    assert stamps(Path(folder)) == seen
    assert len(open_part(folder)[0]) == 20
    flip(Path(folder) / "y.npy")
    assert stamps(Path(folder)) != seen
