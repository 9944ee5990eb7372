"""What is wrong with a task section is told before anything is trained, and told without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autodc.adapters.trainers import make_trainer
from autodc.adapters.trainers.checking import check_trainer
from autodc.errors import SpecError
from autodc.studyfile.study import ParameterSpec
from autodc.trial.executor import TrainerRef

PROGRAMS = Path(__file__).parent / "programs"
WIDTH = ParameterSpec(type="int", low=4, high=64)
LR = {"lr": ParameterSpec(type="float", low=1e-3, high=1e-1, log=True)}


def problems(
    name: Any,
    options: Any = None,
    *,
    kind: Any = "classification",
    space: Any = None,
    recipes: Any = ("concat",),
    folder: Any = ".",
) -> Any:
    return [(e.place, str(e)) for e in check_trainer(name, options or {}, kind, space or {}, recipes, str(folder))]


@pytest.mark.parametrize(
    ("name", "options", "kind", "space", "recipes"),
    [
        ("torch_image", {"network": "small_cnn", "lr": 0.01}, "classification", LR, ("concat", "continue")),
        ("torch_image", {"network": "unet_small"}, "image_to_image", LR, ("concat",)),
        ("torch_tabular", {"steps": 50}, "regression", LR, ("concat", "pretrain_finetune")),
        ("sklearn", {}, "classification", {"max_leaf_nodes": ParameterSpec(type="int", low=4, high=64)}, ("concat",)),
        ("sklearn", {"estimator": "sklearn.linear_model:Ridge"}, "regression", {}, ("concat",)),
        ("sklearn", {"estimator": "SGDClassifier"}, "classification", {}, ("concat", "continue")),
        ("lightning", {"module": "lit.py:LitDigits", "epochs": 3}, "classification", LR, ("concat", "continue")),
        ("lightning", {"module": "lit.py:make", "params": {"any": 1}}, "image_to_image", LR, ("concat",)),
        ("lightning", {"module": "lit.py:Recorder"}, "regression", {"batch_size": WIDTH}, ("concat",)),
        ("command", {"argv": ["python", "-m", "train", "{job}"]}, "regression", LR, ("concat",)),
    ],
)
def test_what_fits_is_accepted(name: Any, options: Any, kind: Any, space: Any, recipes: Any) -> None:
    assert problems(name, options, kind=kind, space=space, recipes=recipes, folder=PROGRAMS) == []


@pytest.mark.parametrize(
    ("name", "options", "place", "says"),
    [
        ("torch_imag", {}, "task.trainer", "did you mean torch_image?"),
        ("torch_image", {"netwrok": "small_cnn"}, "task.options.netwrok", "did you mean network?"),
        ("torch_image", {"network": "smal_cnn"}, "task.options.network", "did you mean small_cnn?"),
        ("torch_image", {"network": "unet_small"}, "task.options.network", "does not learn classification"),
        ("torch_image", {"network": "net.py:build"}, "task.options.network", "there is no file net.py"),
        ("torch_image", {"steps": 0}, "task.options.steps", "greater than or equal to 1"),
        ("torch_image", {"augment": "rotate"}, "task.options.augment", "shift_flip"),
        ("torch_tabular", {"network": "mlp"}, "task.options.network", "unknown option"),
        ("sklearn", {"estimator": "RandomForestClasifier"}, "task.options.estimator", "mean RandomForestClassifier?"),
        ("sklearn", {"estimator": "RandomForestRegressor"}, "task.options.estimator", "is no classifier"),
        ("sklearn", {"params": {"max_itr": 3}}, "task.options.params", "max_itr"),
        ("lightning", {}, "task.options.module", "required"),
        ("lightning", {"module": "absent.py:Lit"}, "task.options.module", "there is no file absent.py"),
        ("lightning", {"module": "LitDigits"}, "task.options.module", "path/to/file.py:Object"),
        ("lightning", {"module": "autodc.seeds:child", "transfrom": "x"}, "task.options.transfrom", "mean transform?"),
        ("lightning", {"module": "autodc.seeds:Label", "collate": "no.py:f"}, "task.options.collate", "no file no.py"),
        ("lightning", {"module": "autodc.seeds:integer"}, "task.options.module", "needs what nothing gives it"),
        ("lightning", {"module": "a.py:M", "steps": 3, "epochs": 2}, "task.options", "two words for one budget"),
        ("command", {}, "task.options.argv", "required"),
        ("command", {"argv": ["python", "{job}"], "shell": True}, "task.options.shell", "unknown option"),
        ("command", {"argv": ["no-such-program", "{job}"]}, "task.options.argv[0]", "no such program"),
        ("command", {"argv": ["./absent.sh", "{job}"]}, "task.options.argv[0]", "no such program"),
        ("command", {"argv": ["python", "absent.py", "{job}"]}, "task.options.argv[1]", "no such script"),
        ("command", {"argv": ["python", "-m", "train"]}, "task.options.argv", "no argument holds {job}"),
        ("absent.py:Trainer", {}, "task.trainer", "there is no file absent.py"),
        ("autodc.absent:Trainer", {}, "task.trainer", "there is no module autodc.absent"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(name: Any, options: Any, place: Any, says: Any) -> None:
    found = problems(name, options)
    assert [where for where, _ in found] == [place]
    assert says in found[0][1]


@pytest.mark.parametrize(
    ("name", "space", "says"),
    [
        ("torch_image", {"learning_rate": LR["lr"]}, "hyperparameters of this trainer: lr"),
        ("torch_image", {"widht": ParameterSpec(type="int", low=4, high=8)}, "did you mean width?"),
        ("torch_image", {"width": ParameterSpec(type="float", low=4, high=8)}, "whole number"),
        ("torch_image", {"dropout": ParameterSpec(type="float", low=0, high=1)}, "cannot be 1.0"),
        ("torch_image", {"optimizer": ParameterSpec(type="categorical", choices=("adam", "lion"))}, "'lion'"),
        ("torch_image", {"pretrain_share": ParameterSpec(type="float", low=0.1, high=0.9)}, "recipe pretrain_finetune"),
        ("sklearn", {"max_leaves": ParameterSpec(type="int", low=4, high=64)}, "did you mean max_leaf_nodes?"),
    ],
)
def test_a_hyperparameter_that_does_not_fit_is_told(name: Any, space: Any, says: Any) -> None:
    found = problems(name, space=space)
    assert [place for place, _ in found] == [f"search_space.{next(iter(space))}"]
    assert says in found[0][1]


def test_recipes_that_a_trainer_cannot_follow_are_told() -> None:
    assert problems("sklearn", recipes=("concat", "continue"))[0][0] == "recipes"
    argv = {"argv": ["python", "-m", "train", "{job}"], "recipes": ["concat"]}
    assert problems("command", argv, recipes=("concat", "pretrain_finetune"))[0][0] == "recipes"


def test_kinds_and_several_problems_are_told_together() -> None:
    found = problems("torch_tabular", {"step": 3, "lr": -1}, kind="image_to_image")
    assert [place for place, _ in found] == ["task.kind", "task.options.lr", "task.options.step"]


def test_objects_of_a_file_are_looked_up_without_running_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise SystemExit('it ran')\nclass Trainer: ...\n")
    assert problems("mine.py:Trainer", folder=tmp_path) == []
    assert "mine.py has no Trainr" in problems("mine.py:Trainr", folder=tmp_path)[0][1]
    (tmp_path / "mine.py").write_text("class Trainer(:\n")
    assert "not valid Python" in problems("mine.py:Trainer", folder=tmp_path)[0][1]


def test_an_own_network_may_have_hyperparameters_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("def build(shape, outputs, hyperparameters): ...\n")
    space = {"heads": ParameterSpec(type="int", low=1, high=4)}
    assert problems("torch_image", {"network": "net.py:build"}, space=space, folder=tmp_path) == []


@pytest.mark.slow
def test_neither_importing_nor_checking_imports_torch() -> None:
    code = """
import sys
from autodc.adapters.trainers.checking import check_trainer
assert not {"torch", "sklearn"} & set(sys.modules), "imported by the package"
assert check_trainer("torch_image", {"steps": 5}, "classification", {}, ("concat",), ".") == []
assert "torch" not in sys.modules, "imported by the check"
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


@pytest.mark.parametrize(
    ("code", "options", "says"),
    [
        ("Trainer = 3", {}, "a trainer has a method `train`"),
        ("class Trainer:\n  train = None", {}, "a trainer has a method `train`"),
        ("class T:\n  def train(self, job): ...\nTrainer = T()", {"steps": 3}, "takes no options"),
    ],
)
def test_objects_that_are_no_trainers_are_refused(tmp_path: Path, code: Any, options: Any, says: Any) -> None:
    (tmp_path / "mine.py").write_text(code)
    with pytest.raises(SpecError, match=says):
        make_trainer(TrainerRef(name="mine.py:Trainer", options=options, folder=str(tmp_path)))


def test_trainers_of_other_packages_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs.py").write_text(
        "class Theirs:\n  def __init__(self, steps): ...\n  def train(self, job): ...\n"
    )
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[autodc.trainers]\ntheirs = theirs:Theirs\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert problems("theirs") == []
    assert callable(make_trainer(TrainerRef(name="theirs", options={"steps": 3}, folder=".")).train)


def test_unknown_names_and_options_are_refused_when_made() -> None:
    with pytest.raises(SpecError, match="no such trainer"):
        make_trainer(TrainerRef(name="nothing", options={}, folder="."))
    with pytest.raises(SpecError, match="do not fit"):
        make_trainer(TrainerRef(name="command", options={"argv": []}, folder="."))


@pytest.mark.parametrize(
    ("module", "space", "recipes", "place", "says"),
    [
        ("LitDigits", {"hiden": WIDTH}, ("concat",), "search_space.hiden", "did you mean hidden?"),
        ("LitByHand", {"hidden": WIDTH}, ("concat",), "search_space.hidden", "parameters of the module: lr"),
        ("Recorder", {"lr": WIDTH}, ("concat",), "search_space.lr", "takes no such hyperparameter"),
        ("LitDigits", {"pretrain_share": WIDTH}, ("concat",), "search_space.pretrain_share", "pretrain_finetune"),
    ],
)
def test_hyperparameters_that_a_module_does_not_take_are_told_without_importing_it(
    module: Any, space: Any, recipes: Any, place: Any, says: Any
) -> None:
    found = problems("lightning", {"module": f"lit.py:{module}"}, space=space, recipes=recipes, folder=PROGRAMS)
    assert [where for where, _ in found] == [place]
    assert says in found[0][1]


def test_a_script_that_is_not_there_is_told_by_the_name_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "train.py").write_text("")
    ((place, told),) = problems("command", {"argv": ["python", "deep/tran.py", "{job}"]}, folder=tmp_path)
    assert place == "task.options.argv[1]"
    assert "did you mean deep/train.py?" in told


@pytest.mark.parametrize(
    ("name", "options", "kind", "recipe", "code", "says"),
    [
        ("lightning", {"module": "lit.py:LitDigits"}, "classification", "label_adapt", "110", "torch_image"),
        ("sklearn", {"estimator": "SGDClassifier"}, "classification", "adapt", "110", "torch_tabular"),
        ("torch_image", {}, "regression", "label_adapt", "111", "classification"),
        ("torch_image", {"network": "unet_small"}, "image_to_image", "adapt", "111", "regression"),
        ("command", {"argv": ["python", "-m", "train", "{job}"]}, "classification", "adapt", "047", "options.recipes"),
    ],
)
def test_a_recipe_that_is_not_known_or_not_for_the_task_is_told(
    name: Any, options: Any, kind: Any, recipe: Any, code: Any, says: Any
) -> None:
    found = check_trainer(name, options, kind, {}, ("concat", recipe), str(PROGRAMS))
    assert [(one.code, one.place) for one in found] == [(f"ADC-TRAIN-{code}", "recipes")]
    assert says in str(found[0])


def test_parameters_of_recipes_are_searched_where_their_recipe_is_there() -> None:
    share, when = ParameterSpec(type="float", low=0.1, high=0.9), ("concat", "continue", "adapt", "pretrain_finetune")
    names = {"replay": share, "adapt_strength": share, "frozen_layers": ParameterSpec(type="int", low=0, high=2)}
    assert problems("torch_image", space=names, recipes=when) == []
    told = problems("torch_image", space=names, recipes=("concat",))
    assert [place for place, _ in told] == [f"search_space.{name}" for name in names]
    (alone,) = problems(
        "sklearn", {"estimator": "SGDClassifier"}, space={**names, "adapt_strength": share}, recipes=when
    )[:1]
    assert "adapt" in alone[1]
