"""The page about programs is true: its scripts train and predict in its studies."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.studyfile import load
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
def test_the_scripts_of_the_page_learn(way: int, tmp_path: Path, train_once: Callable[..., Any]) -> None:
    inputs = inputs_of(way, tmp_path)
    answered = train_once(inputs, {"base": 0.5, "may": 0.5}, {"trees": 10}, seed=2**63)
    assert (answered.argmax(axis=1) == inputs.catalogue.validation.y).mean() > 0.75
