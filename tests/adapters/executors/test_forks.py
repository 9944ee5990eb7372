"""A training that is forked goes through an executor like any: stored data in, outputs of every fork out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.executors.harness import run_task
from autodc.adapters.executors.inline import LocalExecutor
from autodc.studyfile import load
from autodc.testing.waiting import PATIENCE
from autodc.testing.worlds.cells import CANDIDATES, write_world
from autodc.trial.executor import StoredForks, StoredPart, TrainerRef, TrainTask, reads
from autodc.wire.inputs import read_inputs


def task(folder: Path, trainer: str = "autodc.testing.worlds.cells:CellTrainer", **options: Any) -> TrainTask:
    catalogue, store = read_inputs(load(write_world(folder))).catalogue, ArtefactStore(folder / "store")
    base, validation = store.put_dataset(catalogue.base), store.put_dataset(catalogue.validation, inputs_only=True)
    forks = tuple(StoredPart(name=n, path=str(store.put_dataset(catalogue[n]))) for n in CANDIDATES)
    return TrainTask(
        number=0,
        attempt=0,
        trainer=TrainerRef(name=trainer, options=options, folder=str(folder)),
        kind="classification",
        n_classes=len(catalogue.classes),
        train=(StoredPart(name="base", path=str(base)),),
        predict=(StoredPart(name="validation", path=str(validation)),),
        hyperparameters={"smooth": 1.0, "width": 12},
        recipe="concat",
        seed=4,
        fidelity=1.0,
        warm_start=None,
        out=str(folder / "out"),
        forks=StoredForks(datasets=forks, after=0.6, steps=0.1, batch=0.125),
    )


@pytest.mark.slow
def test_a_supervised_child_gives_what_a_call_gives(tmp_path: Path) -> None:
    one = task(tmp_path)
    here = run_task(one)
    assert here.status == "done", here.error
    assert here.outputs["validation"].shape[0] == 1 + len(CANDIDATES)
    executor = LocalExecutor(1)
    try:
        executor.submit(one)
        (there,) = executor.wait(PATIENCE)
    finally:
        executor.close()
    assert there.status == "done", there.error
    assert np.array_equal(there.outputs["validation"], here.outputs["validation"])
    assert not Path(one.out).exists()


def test_a_trainer_without_the_capability_is_a_failed_task(tmp_path: Path) -> None:
    found = run_task(task(tmp_path, "sklearn", estimator="GaussianNB"))
    assert found.status == "failed"
    assert "ADC-TRAIN-070" in found.error


def test_data_of_a_fork_that_is_gone_is_no_fault_of_the_plan(tmp_path: Path) -> None:
    one = task(tmp_path)
    path = Path(one.forks.datasets[0].path)
    assert str(path) in reads(one)
    (path / "y.npy").unlink()
    found = run_task(one)
    assert (found.status, found.missing) == ("surroundings", True)
