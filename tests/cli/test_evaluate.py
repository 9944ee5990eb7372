"""The verb on the command line: what it prints, and how it ends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.trainers import make_trainer
from autodc.studyfile import load
from autodc.testing.trainer_contract import digits, training_job
from autodc.trial.executor import TrainerRef
from autodc.wire.inputs import read_inputs
from autodc.wire.study import open_study

SKLEARN = {"estimator": "GaussianNB"}


@pytest.fixture
def run(tmp_path: Path) -> tuple[Path, Path]:
    """A study file, and the folder of a run with a model of its incumbent."""
    x, y = digits()
    np.savez(tmp_path / "base.npz", x=x[:600], y=y[:600])
    np.savez(tmp_path / "validation.npz", x=x[600:1400], y=y[600:1400], odd=y[600:1400] % 2)
    written = {
        "schema_version": 1,
        "name": "night",
        "task": {"kind": "classification", "trainer": "sklearn", "options": SKLEARN},
        "data": {"base": {"source": "base.npz"}, "validation": {"source": "validation.npz"}},
        "metrics": {"primary": "balanced_accuracy"},
        "slices": [
            {"name": "overall", "role": "target"},
            {"name": "odd", "where": "odd = 1", "role": "target"},
            {"name": "even", "where": "odd = 0", "role": "guard", "margin": 0.01},
        ],
        "tracking": {"uri": "none"},
    }
    study, out = tmp_path / "study.yaml", tmp_path / "run"
    study.write_text(json.dumps(written))
    open_study(read_inputs(load(study)), out)[1].close()
    job = training_job(tmp_path / "job", x[:600], y[:600], hyperparameters={})
    make_trainer(TrainerRef(name="sklearn", options=SKLEARN, folder=".")).train(job)
    shutil.move(job.out / "model", out / "models" / "incumbent")
    return study, out


@pytest.mark.slow(seconds=5)
def test_a_run_is_evaluated_held_to_another_and_ends_with_4_where_it_is_worse(
    autodc: Callable[..., Any], run: tuple[Path, Path], tmp_path: Path
) -> None:
    study, folder = run
    common = (study, "--out", tmp_path / "out", "--threads", 1)
    plain = autodc("evaluate", *common, "--method", folder)
    assert plain.code == 0, plain.err
    *lines, page = plain.out.splitlines()
    assert page.split()[1] == str(tmp_path / "out/index.html")
    assert max(map(len, lines[2:])) <= 80
    better = autodc("evaluate", *common, "--method", folder, "--against", "constant", "--json")
    assert better.code == 0, better.err
    found = json.loads(better.out)
    assert set(found["against"]["improvements"]) == {"overall", "odd", "even", "objective"}
    assert found["tradeoffs"]["model_mb"] > 0
    worse = autodc("evaluate", *common, "--method", "constant", "--against", folder)
    assert worse.code == 4
    assert "ADC-EVAL-001" in worse.err
    lines = worse.out.splitlines()
    assert lines[0].startswith("A regression is shown on overall, odd, even and the objective")
    assert max(len(line) for line in lines if line.startswith(("│", "┃"))) <= 80


def test_a_name_that_is_none_is_refused_with_2(autodc: Callable[..., Any], tmp_path: Path) -> None:
    refused = autodc("evaluate", tmp_path / "study.yaml", "--method", "constant")
    assert refused.code == 2
    assert "study.yaml" in refused.err
