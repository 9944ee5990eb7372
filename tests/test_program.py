"""What a program in Python is handed by `autodc.program`, through the trainer that starts it, and how it answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc import program
from autodc.adapters.trainers import make_trainer
from autodc.adapters.trainers.command import job_content
from autodc.program import Job, JobError, epoch_rows
from autodc.table import Table
from autodc.trial.executor import TrainerRef
from autodc.trial.outputs import TrainerError
from autodc.trial.trainer import TrainingJob, TrainPart
from autodc.values import decoded, encoded, objects

ROWS = 40
CLASSES = ("leaves", "stays")


def customers(n: int = ROWS) -> Table:
    return Table.of(
        "table",
        {
            "age": [None if i % 7 == 0 else 20 + i for i in range(n)],
            "plan": [("basic", "pro", None)[i % 3] for i in range(n)],
            "since": pd.to_datetime("2024-01-01") + pd.to_timedelta(range(n), unit="D"),
        },
        ("integer", "category", "date"),
    )


def part(folder: Path, name: str, x: Any, y: Any, weight: float = 1.0, stage: Any = "main") -> TrainPart:
    (folder / name).mkdir(parents=True)
    site = [("a", "b")[i % 2] for i in range(len(x))]
    metadata = pd.DataFrame({"site": site, "y": 0, "seen": pd.array([None] * len(x), dtype="Int64")})
    return TrainPart(
        name=name, x=x, y=np.asarray(y), metadata=metadata, weight=weight, stage=stage, folder=folder / name
    )


def training(folder: Path, train: list[TrainPart], predict: dict[str, Any], **more: Any) -> TrainingJob:
    (folder / "out").mkdir(parents=True, exist_ok=True)
    about = {"kind": "classification", "classes": CLASSES, "n_classes": 2, "hyperparameters": {"lr": 0.5}, **more}
    return TrainingJob(
        **about,
        train=tuple(train),
        predict=predict,
        recipe="concat",
        seed=3,
        fidelity=1.0,
        warm_start=None,
        out=folder / "out",
    )


def opened(job: TrainingJob) -> Job:
    file = job.out / "job.json"
    file.write_text(json.dumps(job_content(job, job.out)))
    return Job.open(file)


@pytest.fixture
def labels() -> Any:
    return np.arange(ROWS) % 2


def test_a_table_comes_as_columns_with_its_gaps_and_types(tmp_path: Path, labels: Any) -> None:
    job = opened(training(tmp_path, [part(tmp_path, "base", customers(), labels)], {"validation": customers()}))
    frame = job.train[0].frame()
    assert list(frame) == ["age", "plan", "since", "y", "site", "seen"]
    pd.testing.assert_frame_equal(job.train[0].x, customers().frame(), check_column_type=False)
    assert frame["y"].tolist() == labels.tolist()
    assert job.train[0].labels().tolist() == [CLASSES[code] for code in labels]
    assert list(job.predict[0].frame()) == list(pd.read_parquet(job.predict[0].path)) == ["age", "plan", "since"]
    with pytest.raises(JobError, match="plan, since are no numbers"):
        job.train[0].arrays()
    with pytest.raises(JobError, match="no targets"):
        job.predict[0].y  # noqa: B018
    assert job.classes == CLASSES


def test_texts_and_paths_come_as_lists(tmp_path: Path, labels: Any) -> None:
    texts = Table.of_texts([f"good {i}" for i in range(ROWS)])
    paths = [str(tmp_path / f"{i}.png") for i in range(ROWS)]
    files = Table.of_files(paths, ["00"] * ROWS)
    read = opened(training(tmp_path / "t", [part(tmp_path / "t", "base", texts, labels)], {"v": texts[:3]}))
    assert read.train[0].texts() == texts.texts() == read.train[0].x
    assert read.predict[0].texts() == ["good 0", "good 1", "good 2"]
    read = opened(training(tmp_path / "f", [part(tmp_path / "f", "base", files, labels)], {"v": files}))
    assert read.train[0].paths() == paths
    assert list(read.train[0].frame()) == ["path", "y", "site", "seen"]
    with pytest.raises(JobError, match="the inputs are files, not text"):
        read.train[0].texts()


def test_many_rows_are_written_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: Any) -> None:
    monkeypatch.setattr("autodc.adapters.trainers.command_files.PIECE_ROWS", 7)
    points = np.arange(ROWS * 6, dtype=np.float32).reshape(ROWS, 3, 2)
    job = opened(training(tmp_path, [part(tmp_path, "base", customers(), points)], {"v": customers()}, classes=()))
    pd.testing.assert_frame_equal(job.train[0].x, customers().frame(), check_column_type=False)
    np.testing.assert_array_equal(job.train[0].y, points)
    assert job.train[0].frame()["site"].tolist() == ["a", "b"] * (ROWS // 2)
    assert len(job.predict[0]) == ROWS


def test_files_lie_beside_what_is_stored_and_are_written_once(tmp_path: Path, labels: Any) -> None:
    stored = tmp_path / "held"
    stored.mkdir()
    customers().write(stored / "x.arrow")
    x = Table.open(stored / "x.arrow")
    job = training(tmp_path, [part(tmp_path, "base", customers(), labels)], {"whole": x, "some": x[:5]})
    told = job_content(job, job.out)
    assert [Path(one["path"]) for one in told["predict"]] == [
        stored / "inputs.parquet",
        job.out / "predict-some.parquet",
    ]
    assert Path(told["train"][0]["path"]) == tmp_path / "base" / "part.parquet"
    before = (stored / "inputs.parquet").stat().st_mtime_ns
    job_content(job, job.out)
    assert (stored / "inputs.parquet").stat().st_mtime_ns == before
    (stored / "inputs.parquet").write_bytes(b"PAR1 half")
    job_content(job, job.out)
    assert len(pd.read_parquet(stored / "inputs.parquet")) == ROWS


def test_an_input_called_as_the_targets_is_told(tmp_path: Path, labels: Any) -> None:
    x = Table.of("table", {"y": list(range(ROWS))}, ("integer",))
    with pytest.raises(TrainerError, match="ADC-TRAIN-084"):
        job_content(training(tmp_path, [part(tmp_path, "base", x, labels)], {}), tmp_path)


def test_a_draw_honours_the_weights(tmp_path: Path, labels: Any) -> None:
    x = np.arange(ROWS, dtype=float)
    parts = [part(tmp_path, "base", x, labels), part(tmp_path, "half", x + 1000, labels, weight=0.5)]
    parts += [part(tmp_path, "twice", x + 2000, labels, weight=2.25, stage="pretrain")]
    job = opened(training(tmp_path, parts, {"v": x}))
    drawn = job.draw()
    counts = np.bincount((drawn.x // 1000).astype(int))
    assert counts.tolist() == [ROWS, ROWS / 2, ROWS * 2.25]
    assert len(drawn) == len(drawn.x) == len(drawn.y) == ROWS * 3.75
    np.testing.assert_array_equal(drawn.y, labels[(drawn.x % 1000).astype(int)])
    np.testing.assert_array_equal(job.draw().x, drawn.x)
    assert job.draw(epoch=1).x.tolist() != drawn.x.tolist()
    assert set(job.draw(stage="pretrain").x // 1000) == {2}
    assert job.rows().weights().tolist() == [1.0] * ROWS + [0.5] * ROWS + [2.25] * ROWS
    with pytest.raises(JobError, match="stage other"):
        job.draw(stage="other")


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        (np.zeros((ROWS - 1, 2)), r"one output a row is needed, 40 of them, not shape \(39, 2\)"),
        (np.zeros((ROWS, 3)), r"a score a class is needed, shape \(40, 2\), not \(40, 3\)"),
        (np.full((ROWS, 2), np.nan), "row 0 holds NaN or infinity, 40 rows in all"),
        (np.full((ROWS, 2), "a"), "outputs are numbers"),
        (0.5, "one output a row"),
    ],
)
def test_an_answer_that_does_not_fit_is_told_before_it_is_written(
    tmp_path: Path, labels: Any, outputs: Any, says: str
) -> None:
    job = opened(training(tmp_path, [part(tmp_path, "base", customers(), labels)], {"v": customers()}))
    with pytest.raises(JobError, match=says):
        job.write("v", outputs)
    with pytest.raises(JobError, match="nothing called w to predict, only v"):
        job.write("w", outputs)
    with pytest.raises(JobError, match="no outputs for v, only for w"):
        job.answer({"w": outputs})
    assert not list(job.out.glob("*predictions*"))


PROGRAM = """
import numpy as np
from autodc.program import Job
job = Job.open()
rows = job.draw()
share = (rows.y == 1).mean()
job.predict_with(lambda x: np.tile([1 - share, share], (len(x), 1)))
(job.model / "share").write_text(str(share))
"""


@pytest.mark.slow
def test_a_program_joins_with_a_few_lines_and_needs_no_argument(tmp_path: Path, labels: Any) -> None:
    (tmp_path / "mine.py").write_text(PROGRAM)
    job = training(tmp_path, [part(tmp_path, "base", customers(), labels)], {"v": customers(5)})
    ref = TrainerRef(name="command", options={"argv": [sys.executable, "mine.py", "{job}"]}, folder=str(tmp_path))
    trained = make_trainer(ref).train(job)
    np.testing.assert_allclose(trained.outputs["v"], np.full((5, 2), 0.5))
    assert (job.out / "model" / "share").read_text() == "0.5"


def test_without_a_job_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PROGRAM)
    (tmp_path / "job.json").write_text("{}")
    for arguments, says in (([], "AUTODC_JOB is not set"), (["job.json"], "job.json is no job file: KeyError")):
        command = [sys.executable, "mine.py", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert says in done.stderr.splitlines()[-1]


def test_the_file_stands_alone(tmp_path: Path) -> None:
    """Copied beside a program it is imported with numpy and nothing of ours, and it imports nothing heavy."""
    (tmp_path / "program.py").write_text(Path(program.__file__).read_text())
    code = "import sys, program; print([m for m in sys.modules if m in {'pandas', 'pyarrow', 'torch', 'autodc'}])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0, 2.7])
def test_an_epoch_has_each_row_as_often_as_its_weight_says(weight: float) -> None:
    rows = epoch_rows(weight, 50, np.random.default_rng(0))
    counts = np.bincount(rows, minlength=50)
    assert len(rows) == round(50 * weight)
    assert set(counts) <= {int(weight), int(weight) + 1}


@pytest.mark.parametrize("x", [np.zeros((3, 2)), customers(3)], ids=["arrays", "table"])
def test_values_of_a_custom_task_go_out_and_come_back(tmp_path: Path, x: Any) -> None:
    boxes = [[[1, 2, 3, 4]], [], {"text": "é", "score": 0.5}]
    (tmp_path / "mine.py").write_text(
        "from autodc.program import Job\n"
        "job = Job.open()\n"
        "known = job.train[0].y\n"
        "job.predict_with(lambda x: [known[row] for row in range(len(x))])\n"
    )
    ref = TrainerRef(name="command", options={"argv": [sys.executable, "mine.py", "{job}"]}, folder=str(tmp_path))
    targets = objects(encoded(boxes))
    job = training(tmp_path, [part(tmp_path, "base", x, targets)], {"v": x}, kind="custom", classes=(), n_classes=0)
    trained = make_trainer(ref).train(job)
    assert decoded(trained.outputs["v"]) == boxes
    if not isinstance(x, np.ndarray):
        assert opened(job).train[0].frame()["y"].tolist() == boxes


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        ([1, 2], "one output a row is needed, 3 of them, not 2"),
        ([1, float("nan"), 2], "row 1: no JSON value"),
        ([1, 2, {3}], "row 2: no JSON value"),
    ],
)
def test_values_that_do_not_fit_are_told(tmp_path: Path, outputs: Any, says: str) -> None:
    x = np.zeros((3, 2))
    job = opened(training(tmp_path, [part(tmp_path, "base", x, [0, 1, 0])], {"v": x}, kind="custom", classes=()))
    with pytest.raises(JobError, match=says):
        job.write("v", outputs)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("[1, 0]\n" * 3, []),
        ("[1, 0]\n" * 2, ["ADC-TRAIN-085", "2 lines for 3 rows"]),
        ("[1, 0]\n[1,\n[0, 1]\n", ["ADC-TRAIN-085", "predictions-v.jsonl:2"]),
        ("[1, 0]\nNaN\n[0, 1]\n", ["ADC-TRAIN-085", "NaN is no JSON"]),
        ("[1, 0]\n[1]\n[0, 1]\n", ["ADC-TRAIN-003", "outputs of v"]),
    ],
)
def test_any_language_may_answer_with_json_lines(tmp_path: Path, lines: str, says: list[str]) -> None:
    (tmp_path / "answer.jsonl").write_text(lines)
    argv = ["/bin/sh", "-c", 'cp answer.jsonl "$1/predictions-v.jsonl"', "sh", "{out}", "{train}", "{predict}"]
    x = np.zeros((3, 2))
    job = training(tmp_path, [part(tmp_path, "base", x, [0, 1, 0])], {"v": x})
    trainer = make_trainer(TrainerRef(name="command", options={"argv": argv}, folder=str(tmp_path)))
    if not says:
        assert trainer.train(job).outputs["v"].tolist() == [[1, 0]] * 3
        return
    with pytest.raises(TrainerError) as told:
        trainer.train(job)
    assert all(word in str(told.value) for word in says), str(told.value)
