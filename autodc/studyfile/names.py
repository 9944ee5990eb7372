"""What ships with autodc, by the names that a study file uses: the one table of them, read without what is named.

A metric has its row here and its formula in `evaluation/metrics.py`; tests hold both tables against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, final

TaskKind = Literal["classification", "regression", "image_to_image"]
Better = Literal["higher", "lower"]

TRAINERS: Final = ("torch_image", "torch_tabular", "sklearn", "command")
SAMPLERS: Final = ("mixture", "random")


@final
@dataclass(frozen=True, slots=True)
class BuiltInMetric:
    """What is known of a metric without computing it."""

    better: Better
    kinds: tuple[TaskKind, ...]
    share: bool = False
    """Whether it lies between 0 and 1, so that its noise can be assumed before it is measured."""


_CLASSES: Final[tuple[TaskKind, ...]] = ("classification",)
_VALUES: Final[tuple[TaskKind, ...]] = ("regression", "image_to_image")

METRICS: Final = {
    "accuracy": BuiltInMetric("higher", _CLASSES, share=True),
    "balanced_accuracy": BuiltInMetric("higher", _CLASSES, share=True),
    "log_loss": BuiltInMetric("lower", _CLASSES),
    "macro_f1": BuiltInMetric("higher", _CLASSES, share=True),
    "mae": BuiltInMetric("lower", _VALUES),
    "rmse": BuiltInMetric("lower", _VALUES),
    "psnr": BuiltInMetric("higher", ("image_to_image",)),
}

SYNONYMS: Final = {
    "acc": "accuracy",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "ap": "average_precision",
    "balanced_acc": "balanced_accuracy",
    "cross_entropy": "log_loss",
    "f1": "macro_f1",
    "f1_score": "macro_f1",
    "jaccard": "iou",
    "l1": "mae",
    "l2": "rmse",
    "logloss": "log_loss",
    "map": "average_precision",
    "mean_absolute_error": "mae",
    "mean_iou": "iou",
    "mean_squared_error": "rmse",
    "mse": "rmse",
    "neg_log_loss": "log_loss",
    "nll": "log_loss",
    "pr_auc": "average_precision",
    "r2_score": "r2",
    "r_squared": "r2",
    "structural_similarity": "ssim",
    "lightgbm": "sklearn",
    "pytorch": "torch_image",
    "pytorch_lightning": "lightning",
    "scikit_learn": "sklearn",
    "scikitlearn": "sklearn",
    "script": "command",
    "program": "command",
    "subprocess": "command",
    "xgboost": "sklearn",
    "bayesian": "mixture",
    "cmaes": "CmaEsSampler",
    "tpe": "TPESampler",
    "binary": "classification",
    "classifier": "classification",
    "multiclass": "classification",
    "regressor": "regression",
    "image2image": "image_to_image",
    "segmentation": "image_to_image",
    "bool": "categorical",
    "boolean": "categorical",
    "choice": "categorical",
    "double": "float",
    "loguniform": "float",
    "number": "float",
    "real": "float",
    "uniform": "float",
    "finetune": "pretrain_finetune",
    "latency": "predict_ms",
    "model_size": "model_mb",
}
"""What others call a metric, a trainer or another choice → its name here; asked back where that name may stand."""
