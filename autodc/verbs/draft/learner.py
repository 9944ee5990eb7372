"""What learns it: trainer, options and search space for a kind of inputs, of what is installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, final

from autodc.errors import InputError
from autodc.studyfile.study import TaskKind

Form = Literal["table", "text", "images", "files", "vectors"]
"""What an input is: columns, one text, an image, any file, a row of numbers."""

MANY_CLASSES = 20
"""Boosting grows a tree for each class in every step; a forest does not."""
WIDE = 200
"""Of more columns every step of boosting looks at each."""
FEW_ROWS = 1000


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """A trainer as a study file names it."""

    trainer: str
    options: Mapping[str, Any]
    space: Mapping[str, Any]


def learner(form: Form, kind: TaskKind, *, rows: int, width: int, classes: int) -> Learner:
    """Choose a trainer. width: columns. Raises InputError ADC-INIT-006 where none that is installed can learn it."""
    if kind == "image_to_image":
        _needs_torch("images made of images")
        return Learner(
            trainer="torch_image",
            options={"network": "unet_small"},
            space={"lr": _log(5e-4, 2e-2)},
        )
    if form == "files":
        hint = "write a study for a program or an estimator of your own (autodc init DIR --example command)"
        raise InputError(
            "ADC-INIT-006", "the files are no images, and no trainer of ours reads others", "--from", "", hint
        )
    if form == "images" and find_spec("torch") is not None:
        space = {"lr": _log(1e-3, 2e-2), "weight_decay": _log(1e-5, 1e-2), "dropout": _range(0.0, 0.5)}
        return Learner(trainer="torch_image", options={"network": "small_cnn"}, space=space)
    if form == "text":
        return _text(kind)
    if form == "images" or classes > MANY_CLASSES or width > WIDE:
        return _forest(kind)
    return _boosting(kind, rows)


def _text(kind: TaskKind) -> Learner:
    if kind == "classification":
        options = {"estimator": "LogisticRegression", "params": {"max_iter": 1000}}
        return Learner(trainer="sklearn", options=options, space={"C": _log(0.1, 100)})
    return Learner(
        trainer="sklearn",
        options={"estimator": "Ridge"},
        space={"alpha": _log(0.01, 100)},
    )


def _forest(kind: TaskKind) -> Learner:
    name = "ExtraTreesClassifier" if kind == "classification" else "ExtraTreesRegressor"
    space = {
        "max_features": _log(0.05, 1.0),
        "min_samples_leaf": {"type": "int", "low": 1, "high": 8},
    }
    return Learner(trainer="sklearn", options={"estimator": name}, space=space)


def _boosting(kind: TaskKind, rows: int) -> Learner:
    name = "HistGradientBoostingClassifier" if kind == "classification" else "HistGradientBoostingRegressor"
    leaf = 20 if rows < FEW_ROWS else 100
    space = {
        "learning_rate": _log(0.03, 0.3),
        "max_leaf_nodes": {"type": "int", "low": 4, "high": 63, "log": True},
        "min_samples_leaf": {"type": "int", "low": 2, "high": leaf, "log": True},
    }
    return Learner(trainer="sklearn", options={"estimator": name}, space=space)


def _needs_torch(what: str) -> None:
    if find_spec("torch") is None:
        hint = "install the extra [torch]"
        raise InputError("ADC-INIT-006", f"{what} need PyTorch, which is not installed", "--from", "", hint)


def _log(low: float, high: float) -> dict[str, Any]:
    return {"type": "float", "low": low, "high": high, "log": True}


def _range(low: float, high: float) -> dict[str, Any]:
    return {"type": "float", "low": low, "high": high}
