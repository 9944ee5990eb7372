"""What ships with autodc, by the names that a study file uses: the one table of them, read without what is named.

A metric has its row here and its formula in `evaluation/metrics.py`; tests hold both tables against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, final

TaskKind = Literal["classification", "regression", "image_to_image", "custom"]
Better = Literal["higher", "lower"]
Needs = Literal["classes", "spread", "masks"]

TRAINERS: Final = ("torch_image", "torch_tabular", "lightning", "sklearn", "command")
SAMPLERS: Final = ("mixture", "random")
ENRICHERS: Final = ("image", "table", "text", "embedding")


@final
@dataclass(frozen=True, slots=True)
class BuiltInMetric:
    """What is known of a metric without computing it."""

    better: Better
    kinds: tuple[TaskKind, ...]
    says: str
    """What it is, for the guide."""
    share: bool = False
    """Whether it lies between 0 and 1, so that its noise can be assumed before it is measured."""
    jackknife: str = ""
    """How a row has a value where the metric is no mean over rows, for the guide; empty where it is one."""
    needs: Needs | None = None
    """What the targets of a slice must have for it: two classes, two different values, or whole numbers."""


_CLASSES: Final[tuple[TaskKind, ...]] = ("classification",)
_VALUES: Final[tuple[TaskKind, ...]] = ("regression", "image_to_image")
_IMAGES: Final[tuple[TaskKind, ...]] = ("image_to_image",)
_LEFT_OUT: Final = "every row left out in turn, in closed form"

METRICS: Final = {
    "accuracy": BuiltInMetric("higher", _CLASSES, "share of the rows whose class is right", share=True),
    "balanced_accuracy": BuiltInMetric(
        "higher", _CLASSES, "mean recall over the classes present", share=True, jackknife=_LEFT_OUT
    ),
    "log_loss": BuiltInMetric("lower", _CLASSES, "minus the logarithm of the probability given to the truth"),
    "macro_f1": BuiltInMetric("higher", _CLASSES, "mean F1 over the classes present", share=True, jackknife=_LEFT_OUT),
    "roc_auc": BuiltInMetric(
        "higher",
        _CLASSES,
        "area under the ROC curve, of two classes by the score of the second; of more, the mean over the classes "
        "present, each against the rest",
        share=True,
        jackknife=f"{_LEFT_OUT}: DeLong's placement values",
        needs="classes",
    ),
    "average_precision": BuiltInMetric(
        "higher",
        _CLASSES,
        "mean precision at the rows of a class, as scikit-learn has it; classes as for roc_auc",
        share=True,
        jackknife=_LEFT_OUT,
        needs="classes",
    ),
    "mae": BuiltInMetric("lower", _VALUES, "absolute error, mean over the outputs of a row"),
    "rmse": BuiltInMetric(
        "lower",
        _VALUES,
        "root of the mean squared error; of several outputs the mean of theirs",
        jackknife=_LEFT_OUT,
    ),
    "r2": BuiltInMetric(
        "higher",
        ("regression",),
        "share of the variance explained; of several outputs the mean of theirs",
        jackknife=_LEFT_OUT,
        needs="spread",
    ),
    "psnr": BuiltInMetric("higher", _IMAGES, "peak signal to noise in decibels, of 1 or, above that, of 255"),
    "ssim": BuiltInMetric("higher", _IMAGES, "structural similarity in windows of 7 × 7, mean over an image"),
    "iou": BuiltInMetric(
        "higher",
        _IMAGES,
        "intersection over union of masks: of a row, the mean over the classes but 0 that truth or prediction has; "
        "1 where neither has one",
        share=True,
        needs="masks",
    ),
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
    "images": "image",
    "vision": "image",
    "tabular": "table",
    "texts": "text",
    "embeddings": "embedding",
    "bayesian": "mixture",
    "cmaes": "CmaEsSampler",
    "tpe": "TPESampler",
    "binary": "classification",
    "classifier": "classification",
    "multiclass": "classification",
    "regressor": "regression",
    "image2image": "image_to_image",
    "segmentation": "image_to_image",
    "detection": "custom",
    "generation": "custom",
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
