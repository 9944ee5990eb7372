"""The arguments of a program as a template, and what a person is told where one stands for nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodc.adapters.trainers import make_trainer
from autodc.adapters.trainers.checking import check_trainer
from autodc.adapters.trainers.templates import TemplateError, filled, names_in
from autodc.errors import AutodcError
from autodc.studyfile.study import ParameterSpec
from autodc.testing.trainer_contract import training_job
from autodc.trial.executor import TrainerRef

FILES = ["--train", "{train}", "--predict", "{predict}", "--out", "{out}"]
LR = {"type": "float", "low": 0.01, "high": 0.1}


@pytest.mark.parametrize(
    ("template", "values", "told"),
    [
        (["--lr", "{lr}"], {"lr": 1e-05}, ["--lr", "1e-05"]),
        (["--lr={lr}"], {"lr": 0.1 + 0.2}, ["--lr=0.30000000000000004"]),
        (["{a}-{b}"], {"a": 1, "b": "é x"}, ["1-é x"]),
        (["{flag}", "{off}"], {"flag": True, "off": False}, ["true", "false"]),
        (["--layers", "{layers}"], {"layers": [64, 32]}, ["--layers", "[64, 32]"]),
        (["{{{lr}}}", "{{lr}}"], {"lr": 2}, ["{2}", "{lr}"]),
        (["--momentum", "{momentum}", "last"], {}, ["last"]),
        (["--momentum", "{momentum}", "last"], {"momentum": None}, ["last"]),
        (["--momentum={momentum}", "last"], {}, ["last"]),
        (["--clip", "{clip}", "--momentum", "{momentum}"], {"clip": 1}, ["--clip", "1"]),
        (["first", "{momentum}", "-m", "{momentum}"], {}, ["first"]),
        (["--a=1", "{momentum}"], {}, ["--a=1"]),
        (["--lr", "{lr}", "{momentum}"], {"lr": 1}, ["--lr", "1"]),
        (["-1", "{momentum}"], {}, ["-1"]),
        (["--a", "{gone}", "{gone}"], {}, []),
    ],
)
def test_a_template_is_filled(template: list[str], values: dict[str, Any], told: list[str]) -> None:
    assert filled(["./{program}", *template], values) == ["./{program}", *told]


@pytest.mark.parametrize("element", ["{", "}", "{lr", "lr}", "{{lr}", "a } b", "{a{b}"])
def test_a_brace_that_stands_alone_is_refused(element: str) -> None:
    with pytest.raises(TemplateError):
        names_in(element)


def problems(argv: list[str], space: dict[str, Any] | None = None, **more: Any) -> list[AutodcError]:
    parameters = {name: ParameterSpec.model_validate(spec) for name, spec in (space or {}).items()}
    options = {"argv": argv, **more.pop("options", {})}
    return list(check_trainer("command", options, "classification", parameters, more.get("recipes", ["concat"]), "."))


@pytest.mark.parametrize(
    ("argv", "space", "code", "says"),
    [
        (["--lr", "{lrr}", "{job}"], {"lr": LR}, "ADC-TRAIN-080", ["argv[2]", "{lrr}", "did you mean lr?"]),
        (["{jop}", *FILES], {}, "ADC-TRAIN-080", ["argv[1]", "did you mean job?"]),
        (["{}", "{job}"], {}, "ADC-TRAIN-080", ["argv[1]", "written twice"]),
        (["{job}", "--as", '{"a": 1}'], {}, "ADC-TRAIN-080", ["argv[3]", "written twice"]),
        (["{job}", "{"], {}, "ADC-TRAIN-081", ["argv[2]", "written twice"]),
        (["--lr", "{lr}"], {"lr": LR}, "ADC-TRAIN-045", ["{train}, {predict}, {out}", "{job}"]),
        (["{train}", "{out}"], {}, "ADC-TRAIN-045", ["nor {predict}", "--predict, '{predict}'"]),
        (FILES, {"lr": LR}, "ADC-TRAIN-082", ["search_space.lr", "without effect", "--lr, '{lr}'"]),
        ([*FILES, "{seed}"], {"seed": LR}, "ADC-TRAIN-083", ["search_space.seed"]),
    ],
)
def test_what_stands_for_nothing_is_told(argv: list[str], space: Any, code: str, says: list[str]) -> None:
    (problem,) = problems(["python", *argv], space)
    assert problem.code == code
    assert problem.exit_code == 2
    assert all(word in str(problem) for word in says), str(problem)


def test_who_goes_on_from_a_model_must_be_told_of_one() -> None:
    (problem,) = problems(["python", *FILES], recipes=["concat", "continue"])
    assert (problem.code, "{warm_start}" in str(problem)) == ("ADC-TRAIN-047", True)
    assert not problems(["python", *FILES, "--from", "{warm_start}"], recipes=["concat", "continue"])


@pytest.mark.parametrize("argv", [["{job}"], FILES, [*FILES, "--lr", "{lr}", "--model={model}"], ["{job}", "{{x}}"]])
def test_a_program_that_is_told_enough_is_let_in(argv: list[str]) -> None:
    assert not problems(["python", *argv], {"lr": LR} if "{lr}" in argv or "{job}" in argv else {})


def test_paths_of_any_length_are_no_crash() -> None:
    assert [p.code for p in problems(["a/" * 5000, "b" * 5000 + ".py", "{job}"])] == ["ADC-TRAIN-046"] * 2
    assert "ADC-TRAIN-046" in [p.code for p in problems(["a\0b", "{job}"])]


PROGRAM = """
import argparse, json, os
import numpy as np
p = argparse.ArgumentParser()
for flag in ("lr", "momentum", "seed", "fidelity", "recipe", "warm", "model", "train", "predict", "out"):
    p.add_argument(f"--{flag}")
a = p.parse_args()
train, predict = json.load(open(a.train)), json.load(open(a.predict))
assert os.path.isdir(a.model) and os.path.dirname(a.model) == a.out
json.dump(vars(a), open("told.json", "w"))
open(os.path.join(a.model, "weights"), "w").write(a.lr)
for part in predict:
    x = np.load(part["path"])["x"]
    np.savez(os.path.join(a.out, f"predictions-{part['name']}.npz"), outputs=np.full((len(x), 3), float(a.lr)))
"""
ALL = ["--lr", "{lr}", "--momentum", "{momentum}", "--seed", "{seed}", "--fidelity", "{fidelity}", "--recipe"]
ALL += ["{recipe}", "--warm", "{warm_start}", "--model", "{model}", *FILES]


@pytest.mark.slow
def test_a_program_that_knows_flags_alone_is_trained_and_predicts(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(900, 2)).astype(np.float32), rng.integers(0, 3, 900)
    ref = TrainerRef(name="command", options={"argv": [sys.executable, "program.py", *ALL]}, folder=str(tmp_path))
    job = training_job(tmp_path / "job", x, y, hyperparameters={"lr": 0.1 + 0.2}, seed=7, fidelity=0.5)
    trainer = make_trainer(ref)
    outputs = trainer.train(job).outputs["validation"]
    assert outputs.shape == (300, 3)
    assert (outputs == 0.1 + 0.2).all()
    told = json_of(tmp_path / "told.json")
    assert {k: told[k] for k in ("momentum", "seed", "fidelity", "recipe", "warm")} == {
        "momentum": None,
        "seed": "7",
        "fidelity": "0.5",
        "recipe": "concat",
        "warm": None,
    }
    train = json_of(Path(told["train"]))
    assert [set(part) for part in train] == [{"name", "path", "format", "weight", "stage"}]
    model = job.out / "model"
    again = trainer.method(model).predict({"rows": x[:5]})["rows"]
    assert (again == 0.1 + 0.2).all(), "the model's hyperparameters are told again"
    told = json_of(tmp_path / "told.json")
    assert (told["warm"], told["recipe"]) == (str(model.resolve()), "continue")
    assert json_of(model / "autodc.json")["hyperparameters"] == {"lr": 0.1 + 0.2}


def json_of(path: Path) -> Any:
    return json.loads(path.read_text())
