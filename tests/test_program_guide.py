"""The page about programs is true: its scripts train and predict in its studies."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.executors.harness import run_task
from autodc.studyfile import load
from autodc.trial.executor import StoredPart, TrainerRef, TrainTask
from autodc.wire.inputs import Inputs, read_inputs

PAGE = Path(__file__).resolve().parents[1] / "docs/guide/my-train-py.md"
NAMES = ("customers", "may", "validation")


def blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def inputs_of(way: int, folder: Path) -> Inputs:
    """The study of the page for a script that reads the job (0), or for one with flags (1)."""
    study, task = blocks("yaml")
    if way:
        study = study.replace(study[study.index("task:") : study.index("data:")], f"{task}\n")
    (folder / "study.yaml").write_text(study)
    (folder / "train.py").write_text(blocks("python")[way])
    for seed, name in enumerate(NAMES):
        rng = np.random.default_rng(seed)
        age, spend = rng.integers(18, 80, 300), rng.gamma(2, 50, 300).round(2)
        label = np.where(age + rng.normal(0, 5, 300) > 45, "stays", "leaves")
        table = pd.DataFrame({"age": age, "spend": spend, "label": label})
        table.to_csv(folder / f"{name}.csv", index=False)
    return read_inputs(load(str(folder / "study.yaml")))


@pytest.mark.parametrize("way", [0, 1], ids=["job", "flags"])
def test_the_studies_of_the_page_are_let_in(way: int, tmp_path: Path) -> None:
    assert inputs_of(way, tmp_path).catalogue.classes == ("leaves", "stays")


@pytest.mark.slow
@pytest.mark.parametrize("way", [0, 1], ids=["job", "flags"])
def test_the_scripts_of_the_page_learn(way: int, tmp_path: Path) -> None:
    inputs = inputs_of(way, tmp_path)
    catalogue, store = inputs.catalogue, ArtefactStore(tmp_path / "store")
    names = {"base": catalogue.base, "may": catalogue["may"]}
    train = tuple(StoredPart(name=n, path=str(store.put_dataset(data)), weight=0.5) for n, data in names.items())
    held = str(store.put_dataset(catalogue.validation, inputs_only=True))
    task = inputs.spec.task
    done = run_task(
        TrainTask(
            number=0,
            attempt=0,
            trainer=TrainerRef(name=task.trainer, options=task.options, folder=str(tmp_path)),
            kind=task.kind,
            n_classes=2,
            train=train,
            predict=(StoredPart(name="validation", path=held),),
            hyperparameters={"trees": 10},
            recipe="concat",
            seed=2**63,
            fidelity=1.0,
            warm_start=None,
            out=str(tmp_path / "out"),
        )
    )
    assert done.status == "done", done.error
    assert (done.outputs["validation"].argmax(axis=1) == catalogue.validation.y).mean() > 0.75
