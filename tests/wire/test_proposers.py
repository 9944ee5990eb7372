"""What proposers are shown of a pool: rows of a group that is held out are never drawn, and much is measured ahead."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from autodc.adapters.executors import InlineExecutor
from autodc.data.descent import refuse_descent
from autodc.studyfile import load
from autodc.trial.executor import Executor
from autodc.verbs.ahead import to_be_made
from autodc.wire import measuring
from autodc.wire.explored import measure_ahead
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.proposers import never_drawn
from autodc.wire.workers import Workers

PARTS = {"base": slice(0, 400), "validation": slice(400, 700), "test": slice(700, 900), "pool": slice(900, 1797)}


def study(folder: Path, **patients: int) -> Inputs:
    """Digits of patients. patients: part → the first of its own, of whom it has 100."""
    x, y = load_digits(return_X_y=True)
    for name, rows in PARTS.items():
        own = np.arange(len(x[rows])) % 100 + patients.get(name, 0)
        np.savez(folder / f"{name}.npz", x=x[rows].reshape(-1, 8, 8).astype(np.float32), y=y[rows], patient=own)
    content = {
        "schema_version": 1,
        "name": "digits",
        "task": {"kind": "classification", "trainer": "sklearn", "options": {"estimator": "GaussianNB"}},
        "data": {name: {"source": f"{name}.npz", "options": {"group": "patient"}} for name in PARTS},
        "metrics": {"primary": "accuracy"},
        "slices": [{"name": "overall", "role": "target"}],
        "loop": {"rounds": 2, "propose": ["pool"], "proposals": 3},
        "tracking": {"uri": "none"},
    }
    (folder / "study.yaml").write_text(json.dumps(content))
    return read_inputs(load(folder / "study.yaml"))


def test_rows_of_a_group_that_is_held_out_are_not_drawn_and_none_that_is_drawn_is_refused_later(tmp_path: Path) -> None:
    inputs = study(tmp_path, validation=130, test=270, pool=200)  # 30 patients with validation, 30 with the test set
    pool = inputs.catalogue.pool
    assert pool is not None
    assert pool.groups is not None
    barred = never_drawn(inputs)
    shared = pool.groups.astype(int)
    assert barred.tolist() == ((shared < 230) | (shared >= 270)).tolist()
    rows = np.flatnonzero(~barred)
    assert refuse_descent("made", ("pool",), np.zeros(len(rows), int), rows, inputs.catalogue).left_out == 0
    told = to_be_made(inputs)
    assert (told["pool"]["free"], told["pool"]["related"]) == (len(rows), int(barred.sum()))
    assert f"{barred.sum()} are of what is held out" in told["proposers"][0]["has"]


@pytest.mark.parametrize("few", [600, 6000])
def test_a_pool_of_many_rows_is_measured_on_workers_before_the_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(measuring, "FEW_ROWS", few)
    inputs = study(tmp_path, validation=1000, test=2000, pool=3000)
    started: list[int] = []

    def executor(calls: int) -> Executor:
        started.append(calls)
        return InlineExecutor()

    workers = Workers(executor, tmp_path / "measured")
    measure_ahead(inputs, workers)
    workers.close()
    assert bool(started) == (few == 600)
