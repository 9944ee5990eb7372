"""What ships with autodc, by the names that a study file uses: the one table of them, read without what is named.

A metric has its row here and its formula in `evaluation/metrics.py`; tests hold both tables against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, final

TaskKind = Literal["classification", "regression", "image_to_image"]
Better = Literal["higher", "lower"]

TRAINERS: Final = ("torch_image", "torch_tabular", "lightning", "sklearn", "command")
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
