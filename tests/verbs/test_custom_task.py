"""A task of no kind that is known: boxes in pictures, with a trainer and a metric of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import autodc
from autodc import values
from autodc.adapters.artefacts import ArtefactStore
from autodc.adapters.methods import make_method
from autodc.adapters.trainers import make_trainer
from autodc.errors import AutodcError, SpecError
from autodc.report import write_report
from autodc.review import views
from autodc.review.status import status
from autodc.studyfile.study import MachineSpec
from autodc.trial.executor import MethodRef, StoredPart, TrainerRef
from autodc.trial.outputs import TrainerError, checked_outputs
from autodc.trial.trainer import TrainingJob, TrainPart
from autodc.verbs.check import preflight
from autodc.verbs.outputs import open_result
from autodc.wire.cut import Held
from autodc.wire.inputs import read_inputs

MINE = '''
import json
import numpy as np

SIDE = 12


def scenes(seed, rows, styles):
    """Pictures with none to two bright boxes; in style `inverse` they are dark on light."""
    rng = np.random.default_rng(seed)
    pictures, boxes, chosen = [], [], rng.choice(styles, rows)
    for style in chosen:
        picture, found = rng.normal(0.2, 0.05, (SIDE, SIDE)), []
        for corner in rng.permutation(4)[: rng.integers(0, 3)]:
            top, left = int(rng.integers(0, 3) + 6 * (corner // 2)), int(rng.integers(0, 3) + 6 * (corner % 2))
            found.append({"box": [top, left, top + 3, left + 3], "label": "square"})
            picture[top : top + 3, left : left + 3] += 0.6
        pictures.append(1 - picture if style == "inverse" else picture)
        boxes.append(found)
    return np.array(pictures, np.float32), boxes, {"style": chosen}


class Detector:
    """Learns for each pixel that it is in a box, by the pixels around it; a box is a blob of such pixels."""

    def train(self, job):
        import time
        from sklearn.ensemble import ExtraTreesClassifier
        from autodc.trial.trainer import Trained

        started = time.perf_counter()
        x, y = [], []
        for part in job.train:
            assert part.y.dtype == object and all("box" in one for row in part.y for one in row)
            rows = np.random.default_rng(job.seed).choice(len(part.x), min(60, len(part.x)), replace=False)
            for row in rows:
                inside = np.zeros((SIDE, SIDE), int)
                for one in part.y[row]:
                    top, left, bottom, right = one["box"]
                    inside[top:bottom, left:right] = 1
                x.append(around(part.x[row])), y.append(inside.ravel())
        trees, seed = int(job.hyperparameters["trees"]), job.seed % 2**32
        model = ExtraTreesClassifier(trees, min_samples_leaf=2, random_state=seed)
        model.fit(np.concatenate(x), np.concatenate(y))
        outputs = {name: [boxes_in(model, picture) for picture in rows] for name, rows in job.predict.items()}
        return Trained(outputs=outputs, train_seconds=time.perf_counter() - started, predict_ms=1.0, model_mb=0.1)


def around(picture):
    padded = np.pad(picture, 2, mode="edge")
    window = np.lib.stride_tricks.sliding_window_view(padded, (5, 5)).reshape(SIDE * SIDE, 25)
    return np.column_stack([window, np.full(SIDE * SIDE, np.median(picture))])


def boxes_in(model, picture):
    from scipy.ndimage import find_objects, label

    likely = model.predict_proba(around(picture))[:, -1].reshape(SIDE, SIDE)
    blobs, _ = label(likely > 0.5)
    return [{"box": [s[0].start, s[1].start, s[0].stop, s[1].stop], "score": float(likely[s].mean())}
            for s in find_objects(blobs) if likely[s].size > 3]


class Met:
    """Share of the boxes of a picture that are met, of those that truth or prediction has."""

    better = "higher"

    def rows(self, outputs, targets):
        assert isinstance(outputs, list) and isinstance(targets, list)
        return [self.of(o, t) for o, t in zip(outputs, targets)]

    def value(self, outputs, targets):
        return float(np.mean(self.rows(outputs, targets)))

    def of(self, output, target):
        met = 0
        for one in target:
            best = max(output, key=lambda other: overlap(one["box"], other["box"]), default=None)
            if best is not None and overlap(one["box"], best["box"]) > 0.5:
                output.remove(best)  # in place: what it gets is its own
                met += 1
        total = len(target) + len(output)
        return met / total if total else 1.0


class Whole(Met):
    rows = None

    def value(self, outputs, targets):
        return float(np.mean([self.of(o, t) for o, t in zip(outputs, targets)]))


def overlap(a, b):
    both = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
'''

STUDY = """
schema_version: 1
name: boxes
seed: 3
task: {kind: custom, trainer: "mine.py:Detector"}
data:
  base: {source: "mine.py:scenes", options: {seed: 1, rows: 60, styles: [plain]}}
  candidates:
    - {name: inverse, source: "mine.py:scenes", options: {seed: 2, rows: 60, styles: [inverse]}}
  validation: {source: "mine.py:scenes", options: {seed: 3, rows: 160, styles: [plain, inverse]}}
  test: {source: "mine.py:scenes", options: {seed: 4, rows: 80, styles: [plain, inverse]}}
metrics: {primary: "mine.py:Met"}
slices:
  - {name: plain, role: guard, where: "style = 'plain'", margin: 0.2}
  - {name: inverse_light, role: target, where: "style = 'inverse'"}
  - {name: crowded, role: guard, where: "length(target) > 60", margin: 0.3}
search_space: {trees: {type: int, low: 4, high: 12}}
loop: {rounds: 1}
search: {trials_per_round: 4}
budget: {trainings: 20}
tracking: {uri: none}
"""

INLINE = MachineSpec(runner="inline")


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write the study with some text of it changed, and load it."""

    def made(**changes: str) -> autodc.StudySpec:
        text = STUDY
        for old, new in changes.values():
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "mine.py").write_text(MINE)
        (tmp_path / "study.yaml").write_text(text)
        return autodc.load(tmp_path / "study.yaml")

    return made


def told(spec: Any) -> str:
    with pytest.raises(AutodcError) as caught:
        read_inputs(spec)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.slow
def test_targets_are_read_sliced_by_their_text_and_cut_without_classes(write: Any) -> None:
    inputs = read_inputs(write())
    y = inputs.catalogue.base.y
    assert y is not None
    assert y.dtype.kind == "S"
    crowded = inputs.table["crowded"]
    texts = inputs.table.targets["validation"]
    assert 0 < len(crowded.rows) < len(texts)
    assert all(text.count(b"box") == 2 for text in texts[crowded.rows])
    held = Held.of({"validation": inputs.catalogue.validation}, inputs.table, alike=False)
    assert held.counts.shape[1] == 2 * len(inputs.table.slices) + 1
    assert preflight(write())["night"]["outcome_mb"] < 0.01


def test_only_a_metric_of_ones_own_scores_it_and_nothing_is_soft(write: Any) -> None:
    for old, new, code in (
        ('"mine.py:Met"', "accuracy", "ADC-METRIC-070"),
        ("tracking:", "gate: {score: soft}\ntracking:", "ADC-METRIC-071"),
        ("trials_per_round: 4", "trials_per_round: 4, probes: fork", "ADC-METRIC-071"),
    ):
        with pytest.raises(SpecError, match=code):
            write(change=(old, new))


def test_a_target_that_is_no_json_is_told_with_its_row(write: Any) -> None:
    spec = write()
    mine = Path(spec.folder) / "mine.py"
    mine.write_text(MINE.replace('"label": "square"', '"label": float("nan")'))
    assert "ADC-DATA-011" in told(spec)
    assert "row " in told(spec)


@pytest.mark.parametrize(
    ("outputs", "code", "got"),
    [
        ([1, 2], "ADC-TRAIN-004", "2 of them"),
        (7, "ADC-TRAIN-004", "a int"),
        (np.ones((4, 2)), "ADC-TRAIN-004", "4 of them"),
        (np.array([1.0, np.nan, 1.0]), "ADC-TRAIN-005", "1 rows"),
        (["a", {1, 2}, "b"], "ADC-TRAIN-072", "row 1"),
        ([[1.0], [float("inf")], []], "ADC-TRAIN-072", "row 1"),
    ],
)
def test_outputs_that_are_none_are_a_failed_training(outputs: Any, code: str, got: str) -> None:
    with pytest.raises(TrainerError, match=code) as caught:
        checked_outputs({"validation": np.zeros((3, 2))}, {"validation": outputs}, None, "mine")
    assert got in caught.value.got


def test_numbers_of_any_shape_pass_and_so_does_a_list_a_row() -> None:
    parts = {"a": np.zeros((3, 1)), "b": np.zeros((3, 1))}
    found = checked_outputs(parts, {"a": np.arange(12).reshape(3, 2, 2), "b": [[], [1], None]}, None, "mine")
    assert found["a"].dtype.kind == "i"
    assert found["b"].tolist() == [b"[]", b"[1]", b"null"]


def test_the_constant_method_says_what_is_commonest(tmp_path: Path, write: Any) -> None:
    base = read_inputs(write()).catalogue.base
    part = StoredPart(name="base", path=str(ArtefactStore(tmp_path / "store").put_dataset(base)))
    method = make_method(MethodRef(name="constant", folder=str(tmp_path), kind="custom", row_shape=None, base=part))
    assert set(method.predict({"rows": base.x[:3]})["rows"].tolist()) == {b"[]"}


def test_a_metric_that_fails_on_what_stands_for_outputs_is_doubted_not_refused(write: Any) -> None:
    spec = write()
    mine = Path(spec.folder) / "mine.py"
    mine.write_text(MINE.replace("key=lambda other: overlap", "key=lambda other: other['score'] * overlap"))
    (doubt,) = [w for w in read_inputs(spec).warnings if "where other targets stand for outputs" in w]
    assert "KeyError: 'score'" in doubt


PROGRAM = """
from autodc.program import Job

job = Job.open()
rows = job.rows()
known = dict(zip([float(x[0]) for x in rows.x], rows.y))
for part in job.predict:
    job.write(part, [known.get(float(x[0]), "nothing") for x in part.x])
"""


def test_a_program_is_given_json_targets_and_answers_with_them(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(PROGRAM)
    says = [[1, 2], "two", None, {"box": [0.5]}]
    part = TrainPart(
        name="base",
        x=np.arange(4.0)[:, None],
        y=values.objects(values.encoded(says)),
        metadata=pd.DataFrame(index=range(4)),
        weight=1.0,
        stage="main",
        folder=tmp_path / "gone",
    )
    job = TrainingJob(
        kind="custom",
        n_classes=0,
        train=(part,),
        predict={"validation": np.array([[3.0], [0.0], [9.0]])},
        hyperparameters={},
        recipe="concat",
        seed=1,
        fidelity=1.0,
        warm_start=None,
        out=tmp_path / "out",
    )
    ref = TrainerRef(name="command", options={"argv": ["python", "train.py", "{job}"]}, folder=str(tmp_path))
    outputs = make_trainer(ref).train(job).outputs["validation"]
    assert values.decoded(outputs) == [{"box": [0.5]}, [1, 2], "nothing"]


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["Met", "Whole"])
def test_a_study_of_boxes_keeps_what_helps(write: Any, tmp_path: Path, metric: str) -> None:
    spec = write(metric=("mine.py:Met", f"mine.py:{metric}"))
    autodc.run(spec, INLINE, tmp_path / "out")
    state, content = open_result(tmp_path / "out")
    assert content["kept"] == ["inverse"]
    assert content["test"]["after"]["inverse_light"] > content["test"]["before"]["inverse_light"] + 0.3
    assert views.why(state, "inverse")["verdict"] == "keep"
    assert status(state)["study"] == "boxes"
    assert "inverse_light" in write_report(state, content, tmp_path / "out").read_text()
    assert all(one.outcome.soft == {} for one in state.trials if one.outcome is not None)
    inputs = read_inputs(spec)
    with autodc.Study.open(spec, tmp_path / "out") as study:
        seen, outputs = study.diagnosis(), study.outputs()
    assert isinstance(seen.targets[0], list)
    assert isinstance(seen.outputs[0], list)
    assert outputs["validation"][seen.ids].tolist() == seen.outputs.tolist()
    assert seen.scores.shape == (len(inputs.separation.explore),)
