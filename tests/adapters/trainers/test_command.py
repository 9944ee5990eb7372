"""The command trainer: what the program is told, and every way in which it can fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from autodc.adapters.trainers import make_trainer
from autodc.testing.trainer_contract import training_job
from autodc.testing.waiting import PATIENCE, until
from autodc.trial.executor import TrainerRef
from autodc.trial.outputs import TrainerError

PREDICT = """
import json, sys, numpy as np
from pathlib import Path
job = json.loads(Path(sys.argv[1]).read_text()); out = Path(job["out"])
def write(change=lambda a: a, key="outputs", rows=None):
    for part in job["predict"]:
        n = len(np.load(part["path"])["x"])
        more = {} if rows is None else {"rows": rows(n)}
        np.savez(out / f"predictions-{part['name']}.npz", **{key: change(np.full((n, 3), 0.5))}, **more)
"""


@pytest.fixture
def world(tmp_path: Path) -> Any:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(900, 2)).astype(np.float32), rng.integers(0, 3, 900)

    def job(**wishes: Any) -> Any:
        folder = tmp_path / f"job{len(list(tmp_path.iterdir()))}"
        return training_job(folder, x, y, hyperparameters={"lr": 0.5, "name": "é"}, **wishes)

    return job


def trainer(tmp_path: Path, code: Any, **options: Any) -> Any:
    (tmp_path / "program.py").write_text(PREDICT + code)
    argv = (sys.executable, "program.py", "{job}")
    return make_trainer(TrainerRef(name="command", options={"argv": argv, **options}, folder=str(tmp_path)))


def failure(tmp_path: Path, job: Any, code: Any) -> Any:
    with pytest.raises(TrainerError) as caught:
        trainer(tmp_path, code).train(job)
    return str(caught.value)


@pytest.mark.slow
def test_the_job_file_holds_what_the_contract_says(tmp_path: Path, world: Any) -> None:
    job = world(
        weights={"base": 1.0, "dark": 0.5}, stages={"dark": "pretrain"}, recipe="pretrain_finetune", fidelity=0.5
    )
    trainer(tmp_path, "write()").train(job)
    told = json.loads((job.out / "job.json").read_text())
    keys = {"hyperparameters", "recipe", "seed", "fidelity", "warm_start", "out", "train", "predict"}
    assert set(told) == {*keys, "kind", "classes", "legs"}
    assert told["hyperparameters"] == {"lr": 0.5, "name": "é"}
    assert (told["fidelity"], told["warm_start"], told["recipe"]) == (0.5, None, "pretrain_finetune")
    base, dark = told["train"]
    assert {k: v for k, v in dark.items() if k != "path"} == {
        "name": "dark",
        "format": "npz",
        "weight": 0.5,
        "stage": "pretrain",
    }
    arrays = np.load(base["path"], allow_pickle=False)
    assert set(arrays.files) == {"x", "y", "site", "place"}
    assert arrays["site"].tolist()[:3] == ["a", "b", "a"]
    assert np.load(told["predict"][0]["path"]).files == ["x"]
    assert set(told["predict"][0]) == {"name", "path", "format"}


@pytest.mark.slow
def test_npz_files_are_written_once_for_many_trials(tmp_path: Path, world: Any) -> None:
    first = world()
    train = trainer(tmp_path, "write()").train
    train(first)
    written = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.npz") if "out" not in file.parts}
    assert len(written) == 2
    train(first)
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.npz") if "out" not in file.parts} == written


def test_inputs_that_are_no_file_of_their_own_are_written_for_the_job(tmp_path: Path, world: Any) -> None:
    job = world(extra={"other": np.ones((7, 2), np.float32)})
    view = {name: x[2:] for name, x in job.predict.items()}
    moved = type(job)(**{**{name: getattr(job, name) for name in job.__slots__}, "predict": view})
    outputs = trainer(tmp_path, "write()").train(moved).outputs
    assert {name: len(rows) for name, rows in outputs.items()} == {"validation": 298, "other": 5}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("print('no such width', file=sys.stderr); sys.exit(3)", ["exit 3", "no such width"]),
        ("raise RuntimeError('broken')", ["exit 1", "RuntimeError: broken"]),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", ["SIGSEGV"]),
        ("print('forgot', file=sys.stderr)", ["predictions-validation.npz", "forgot"]),
        ("write(lambda a: np.where(a > 0, np.nan, a))", ["not finite", "300 rows"]),
        ("write(lambda a: a[:-1])", ["wrong shape", "(300, 3)", "(299, 3)"]),
        ("write(lambda a: a[:, :2])", ["wrong shape", "(300, 2)"]),
        ("write(key='scores')", ["`outputs`", "scores"]),
        ("write(lambda a: np.array([{}] * len(a), dtype=object))", ["cannot be read"]),
        ("write(lambda a: a.astype(str))", ["not numbers"]),
        ("(out / 'predictions-validation.npz').write_bytes(b'PK half')", ["cannot be read"]),
        ("write(rows=lambda n: np.arange(n)[::-1])", ["out of order", "position 0 holds row 299", "ADC-TRAIN-048"]),
        ("write(rows=lambda n: np.arange(n - 1))", ["299 predictions for 300 rows"]),
        ("write(rows=lambda n: np.linspace(0, 1, n))", ["`rows` is not a list of whole numbers"]),
    ],
)
def test_a_program_that_fails_or_answers_badly_is_a_failed_trial(
    tmp_path: Path, world: Any, code: Any, says: Any
) -> None:
    message = failure(tmp_path, world(), code)
    assert all(word in message for word in says), message


@pytest.mark.slow
def test_only_the_last_lines_of_stderr_are_told(tmp_path: Path, world: Any) -> None:
    code = "for i in range(5000): print('line', i, file=sys.stderr)\nsys.exit(1)"
    message = failure(tmp_path, world(), code)
    assert "line 4999" in message
    assert "line 4000\n" not in message


@pytest.mark.slow
def test_talk_on_stdout_and_left_behind_processes_hold_nothing_up(tmp_path: Path, world: Any) -> None:
    code = """
import subprocess
print('hello' * 100000)
print(subprocess.Popen(['sleep', '30']).pid, file=sys.stderr)
write()
"""
    job = world()
    trainer(tmp_path, code).train(job)
    os.kill(int((job.out / "stderr.txt").read_text()), signal.SIGKILL)


@pytest.mark.slow
def test_model_files_are_measured_and_handed_on(tmp_path: Path, world: Any) -> None:
    train = trainer(tmp_path, "write(); (out / 'model' / 'w.bin').write_bytes(bytes(2_000_000))").train
    first = world()
    trained = train(first)
    assert trained.model_mb == pytest.approx(2.0)
    assert trained.train_seconds > 0
    second = world(recipe="continue", warm_start=first.out / "model")
    train(second)
    assert json.loads((second.out / "job.json").read_text())["warm_start"] == str(first.out / "model")


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel ends it on Linux alone")
def test_the_program_ends_when_the_training_process_is_killed(tmp_path: Path, world: Any) -> None:
    job = world()
    (tmp_path / "program.py").write_text("import time; print('up', flush=True); time.sleep(600)")
    code = f"""
import subprocess, sys
from pathlib import Path
from autodc.adapters.trainers.command import run_program
run_program([sys.executable, "program.py"], {str(tmp_path)!r}, Path({str(job.out)!r}))
"""
    parent = subprocess.Popen([sys.executable, "-c", code])
    program = until(
        lambda: (job.out / "stdout.txt").exists() and psutil.Process(parent.pid).children(), "a program runs", PATIENCE
    )
    until((job.out / "stdout.txt").read_text, "it says something", PATIENCE)
    parent.kill()
    parent.wait()
    until(lambda: not program[0].is_running() or program[0].status() == psutil.STATUS_ZOMBIE, "it is gone", PATIENCE)


def test_a_missing_program_is_told(tmp_path: Path, world: Any) -> None:
    ref = TrainerRef(name="command", options={"argv": ("./nothing", "{job}")}, folder=str(tmp_path))
    with pytest.raises(TrainerError, match="cannot be started"):
        make_trainer(ref).train(world())


@pytest.mark.slow
def test_python_alone_is_the_interpreter_of_autodc(tmp_path: Path, world: Any) -> None:
    (tmp_path / "program.py").write_text(PREDICT + "write(); print(sys.executable)")
    ref = TrainerRef(name="command", options={"argv": ("python", "program.py", "{job}")}, folder=str(tmp_path))
    job = world()
    make_trainer(ref).train(job)
    assert Path((job.out / "stdout.txt").read_text().strip()) == Path(sys.executable)
