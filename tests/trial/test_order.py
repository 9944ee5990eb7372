"""Where a held-out row stands in its file tells nobody its class: whoever predicts gets the rows in another order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

import autodc
from autodc.adapters.artefacts import ArtefactStore, open_part
from autodc.adapters.executors.harness import run_task
from autodc.studyfile.study import MachineSpec
from autodc.trial.executor import MethodRef, PredictTask, StoredPart
from autodc.trial.order import put_back
from autodc.wire.inputs import Inputs, read_inputs
from autodc.wire.study import job_maker, open_study

CODE = """
import numpy as np
from autodc.trial.trainer import Trained

def by_place(x):
    return np.eye(3)[np.arange(len(x)) * 3 // len(x)]

def by_width(x):
    values = np.asarray(x)
    return np.stack([values[:, 0], values[:, 1], values[:, 2]], 1)

class Trains:
    def __init__(self, look):
        self.look = globals()[look]
    def train(self, job):
        outputs = {name: self.look(x) for name, x in job.predict.items()}
        return Trained(outputs=outputs, train_seconds=0.0, predict_ms=0.0, model_mb=0.0)

class ByPlace:
    def predict(self, x):
        return by_place(x)
"""


@pytest.fixture
def study(tmp_path: Path) -> Any:
    """A function that writes a study whose validation lies class by class, and reads it."""
    x, y = load_iris(return_X_y=True)
    base = np.random.default_rng(0).permutation(150)[:90]
    held = np.setdiff1d(np.arange(150), base)  # classes 0, 1, 2, one after the other
    (tmp_path / "code.py").write_text(CODE)
    for name, rows in (("base", base), ("validation", held)):
        np.savez(tmp_path / f"{name}.npz", x=x[rows], y=y[rows])
        lines = [",".join(map(str, [*x[row], f"class {y[row]}"])) for row in rows]
        (tmp_path / f"{name}.csv").write_text("\n".join(["a,b,c,d,kind", *lines]) + "\n")

    def read(suffix: str, look: str) -> Inputs:
        options = {"target": "kind"} if suffix == "csv" else {}
        sources = {n: {"source": f"{n}.{suffix}", "options": options} for n in ("base", "validation")}
        more = {"source": f"base.{suffix}", "options": options, "name": "more"}
        path = tmp_path / f"{suffix}.yaml"
        path.write_text(
            f"""
schema_version: 1
name: sorted
seed: 5
task: {{kind: classification, trainer: "code.py:Trains", options: {{look: {look}}}}}
data: {{base: {sources["base"]}, validation: {sources["validation"]}, candidates: [{more}], overlap: allow}}
metrics: {{primary: accuracy}}
slices: [{{name: overall, role: target}}]
budget: {{trainings: 40}}
tracking: {{uri: none}}
""".replace("'", '"')
        )
        return read_inputs(autodc.load(path))

    return read


def trained(inputs: Inputs, out: Path, **more: Any) -> Any:
    """What the first training of a study predicts of validation."""
    core, journal = open_study(inputs, out)
    try:
        (trial,) = core.ask(1)
        done = run_task(job_maker(inputs, core.state, MachineSpec(runner="inline"), out, **more).job(trial, 0))
    finally:
        journal.close()
    assert done.status == "done", done.error
    return done.outputs["validation"]


def right(outputs: Any, inputs: Inputs) -> float:
    return float(np.mean(outputs.argmax(1) == inputs.catalogue.validation.y))


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_a_trainer_that_goes_by_the_place_of_a_row_guesses(study: Any, suffix: str, tmp_path: Path) -> None:
    inputs = study(suffix, "by_place")
    guessed = trained(inputs, tmp_path / "out")
    assert 0.1 < right(guessed, inputs) < 0.6, "a third by chance, of 60 rows"
    assert right(trained(inputs, tmp_path / "own", own_loop=True), inputs) > 0.8, "the file tells it"


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_what_is_predicted_of_a_row_comes_back_to_it(study: Any, suffix: str, tmp_path: Path) -> None:
    inputs = study(suffix, "by_width")
    outputs = trained(inputs, tmp_path / "out")
    np.testing.assert_array_equal(outputs, np.asarray(inputs.catalogue.validation.x)[:, :3])


def test_a_method_is_handed_rows_in_the_other_order_too(study: Any, tmp_path: Path) -> None:
    inputs = study("npz", "by_place")
    path = ArtefactStore(tmp_path / "store").put_dataset(inputs.catalogue.validation, inputs_only=True, mixed=9)
    method = MethodRef(name="code.py:ByPlace", folder=str(tmp_path), kind="classification", row_shape=(3,))
    parts = (StoredPart(name="validation", path=str(path), mixed=9),)
    done = run_task(PredictTask(number=0, attempt=0, out=str(tmp_path / "scratch"), method=method, parts=parts))
    assert done.status == "done", done.error
    assert 0.1 < right(done.outputs["validation"], inputs) < 0.6


def test_rows_that_are_put_back_are_the_rows(tmp_path: Path) -> None:
    from autodc.trial.order import mixed

    rows = np.arange(50)
    parts = (StoredPart(name="a", path="", mixed=3), StoredPart(name="b", path=""))
    handed = rows[mixed(50, 3)]
    assert not np.array_equal(handed, rows)
    assert not np.array_equal(handed, rows[mixed(50, 4)])
    back = put_back({"a": handed, "b": rows, "c": rows}, parts)
    assert list(back) == ["a", "b"]
    for one in back.values():
        np.testing.assert_array_equal(one, rows)
    forks = put_back({"a": np.stack([handed, handed + 100]), "b": np.stack([rows, rows])}, parts, axis=1)
    np.testing.assert_array_equal(forks["a"], np.stack([rows, rows + 100]))


def test_orders_lie_beside_each_other_and_are_restored(study: Any, tmp_path: Path) -> None:
    data, store = study("npz", "by_place").catalogue.validation, ArtefactStore(tmp_path / "store")
    own, other = store.put_dataset(data, inputs_only=True), store.put_dataset(data, inputs_only=True, mixed=1)
    assert own != other
    assert not np.array_equal(open_part(own)[0], open_part(other)[0])
    wanted = np.array(open_part(other)[0])
    (other / "x.npy").unlink()
    assert store.restore(data, inputs_only=True, mixed=1)
    assert not store.restore(data, inputs_only=True, mixed=1)
    np.testing.assert_array_equal(open_part(other)[0], wanted)
