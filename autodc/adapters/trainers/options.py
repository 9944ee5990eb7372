"""The trainers' options and hyperparameters as types; torch and scikit-learn stay out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final, get_args

from pydantic import Field, JsonValue, model_validator

from autodc.adapters.pictures.wish import Mode, Size
from autodc.studyfile.study import Recipe, TaskKind
from autodc.studyfile.values import Spec

ALL_RECIPES: tuple[Recipe, ...] = get_args(Recipe)
FIRST_RECIPES: tuple[Recipe, ...] = ("concat", "pretrain_finetune", "continue")
"""Those that a program is taken to know where its options do not say."""
STAGED_RECIPES: tuple[Recipe, ...] = (*FIRST_RECIPES, "curriculum")
"""Those that cut a training into legs, and ask nothing of the rows and of the loss."""
LOADED = ("batch_size", "gradient_clip_val")
"""Hyperparameters of the trainer `lightning` itself, beside those that its module takes."""
Encode = Literal["auto", "none", "onehot", "ordinal", "category"]
"""How the trainer `sklearn` makes numbers of a table."""
RECIPE_OF: Mapping[str, Recipe] = {
    "pretrain_share": "pretrain_finetune",
    "finetune_lr_factor": "pretrain_finetune",
    "frozen_layers": "pretrain_finetune",
    "replay": "continue",
    "adapt_strength": "adapt",
    "adapt_statistics": "adapt",
    "adapter_lr_factor": "label_adapt",
    "adapter_warmup": "label_adapt",
    "curriculum_order": "curriculum",
    "curriculum_pacing": "curriculum",
    "curriculum_start": "curriculum",
    "curriculum_growth": "curriculum",
}
"""Hyperparameters that mean something under one recipe alone → the recipe."""
CurriculumOrder = Literal["base_first", "synthetic_first", "easy_first", "hard_first"]
"""What a curriculum begins with: datasets, or rows by how hard they are."""
BY_ROWS: tuple[TaskKind, ...] = ("classification", "regression")
"""Kinds of task where it can be told how hard a row is."""
SUITS: Mapping[Recipe, tuple[TaskKind, ...]] = {
    "adapt": ("classification", "regression"),
    "label_adapt": ("classification",),
}
"""Kinds of task of the recipes that are not for all of them."""


class TorchHyperparameters(Spec):
    """What a search space may name for the torch trainers; the same keys among the options fix a value."""

    lr: float | None = Field(default=None, gt=0, description="peak learning rate; adam 0.005, sgd 0.05")
    weight_decay: float = Field(default=1e-4, ge=0, description="decoupled under adam")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="before the last layer")
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    width: int | None = Field(default=None, ge=1, le=4096, description="channels of the first layer, or hidden units")
    depth: int = Field(default=2, ge=1, le=16, description="hidden layers of the mlp")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="of sgd, and the first beta of adam")
    optimizer: Literal["adam", "sgd"] = "adam"
    batch_size: int = Field(default=64, ge=1, le=65536)
    warmup: float = Field(default=0.1, ge=0, lt=1, description="share of a phase's steps in which lr rises to its peak")
    pretrain_share: float = Field(default=0.4, gt=0, lt=1, description="share of the steps for stage pretrain")
    finetune_lr_factor: float = Field(default=1.0, gt=0, description="on lr in stage main after stage pretrain")
    frozen_layers: float = Field(
        default=0.0,
        ge=0,
        description="leading layers that do not learn in stage main after stage pretrain; below 1 a share of them",
    )
    replay: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="share of the rows drawn that are the base's under recipe continue; left out: as weighted",
    )
    adapt_strength: float = Field(
        default=0.5, ge=0, le=1, description="of the augmentation of datasets tagged synthetic under recipe adapt"
    )
    adapt_statistics: bool = Field(
        default=True,
        description="whether recipe adapt matches their mean and deviation to the base's, channel by channel",
    )
    adapter_lr_factor: float = Field(
        default=10.0, gt=0, description="on lr for the maps of classes of recipe label_adapt"
    )
    adapter_warmup: float = Field(
        default=0.3, ge=0, lt=1, description="share of the steps that recipe label_adapt gives to the base alone, first"
    )
    curriculum_order: CurriculumOrder = Field(
        default="base_first",
        description="what recipe curriculum begins with: datasets, or by easy_first and hard_first rows",
    )
    curriculum_pacing: float = Field(
        default=0.5, ge=0, lt=1, description="share of the steps before recipe curriculum has all datasets, or rows, in"
    )
    curriculum_start: float = Field(
        default=0.2,
        gt=0,
        le=1,
        description="share of the rows that recipe curriculum begins with where it goes by rows",
    )
    curriculum_growth: Literal["linear", "exponential"] = Field(
        default="linear", description="how that share grows to all rows"
    )


class TorchImageOptions(TorchHyperparameters):
    """Options of `torch_image`."""

    network: str = Field(
        default="small_cnn",
        min_length=1,
        description="small_cnn, tiny_cnn, mlp, unet_small or path/to/file.py:function",
    )
    steps: int = Field(default=300, ge=1, description="steps of a full training, whatever the mixture")
    augment: Literal["none", "shift", "flip", "shift_flip"] = "none"
    size: Size | None = Field(
        default=None, description="[height, width] that image files are resized to; left out: all are alike"
    )
    mode: Mode | None = Field(
        default=None,
        description="mode that image files are turned to: L, RGB, RGBA, I;16 or F; left out: all are alike",
    )
    layout: Literal["auto", "channels_first", "channels_last"] = Field(
        default="auto", description="of inputs with channels; auto: last where the last axis is at most 4"
    )
    loss: Literal["mse", "l1"] = Field(default="mse", description="of regression and image_to_image")


class TorchTabularOptions(TorchHyperparameters):
    """Options of `torch_tabular`."""

    steps: int = Field(default=300, ge=1, description="steps of a full training, whatever the mixture")
    loss: Literal["mse", "l1"] = Field(default="mse", description="of regression")


class SklearnOptions(Spec):
    """Options of `sklearn`."""

    estimator: str = Field(
        default="HistGradientBoostingClassifier",
        min_length=1,
        description="a class of scikit-learn by name, package.module:Class or path/to/file.py:Object",
    )
    params: dict[str, JsonValue] = Field(default={}, description="given to the estimator")
    scale: bool | None = Field(
        default=None,
        description="standardise inputs by the training draw; left out: true for a class of scikit-learn by name, "
        "false for package.module:Class and path/to/file.py:Object, which get the inputs as they are",
    )
    encode: Encode = Field(
        default="auto",
        description="how categories, dates, text and missing values of a table become numbers; auto: as suits the "
        "estimator, and not at all for path/to/file.py:Object, which gets frames, texts or paths as they are",
    )
    epochs: int = Field(default=20, ge=1, description="passes of estimators that learn by partial_fit")


class LightningOptions(Spec):
    """Options of `lightning`."""

    module: str = Field(min_length=1, description="path/to/file.py:LitModel, or a function that returns a module")
    params: dict[str, JsonValue] = Field(default={}, description="given to the module beside the hyperparameters")
    steps: int | None = Field(
        default=None, ge=1, description="steps of a full training, whatever the mixture; 300 where epochs is left out"
    )
    epochs: float | None = Field(default=None, gt=0, description="in place of steps: passes over the drawn rows")
    batch_size: int = Field(default=64, ge=1, le=65536)
    workers: int = Field(default=0, ge=0, le=256, description="processes that load rows; 0: the training's own")
    transform: str | None = Field(
        default=None, description="path/to/file.py:function of one example, and of `training` where it takes that"
    )
    collate: str | None = Field(default=None, description="path/to/file.py:function that makes a batch of examples")
    layout: Literal["auto", "as_it_is"] = Field(
        default="auto", description="auto: images of bytes become (channels, height, width) from 0 to 1"
    )
    size: Size | None = Field(
        default=None, description="[height, width] that image files are resized to; left out: the module gets paths"
    )
    mode: Mode = Field(default="RGB", description="mode that image files are turned to: L, RGB, RGBA, I;16 or F")
    outputs: Literal["auto", "scores", "probabilities"] = Field(
        default="auto", description="what the module predicts of classes; auto: seen on training rows"
    )
    frozen: tuple[str, ...] = Field(
        default=(),
        description="submodules of the module that do not learn in stage main after stage pretrain, by name: [encoder]",
    )
    gradient_clip_val: float | None = Field(default=None, gt=0, description="Lightning's")
    precision: Literal["32-true", "16-mixed", "bf16-mixed", "64-true"] = Field(
        default="32-true", description="Lightning's"
    )

    @model_validator(mode="after")
    def _one_budget(self) -> LightningOptions:
        if self.steps is not None and self.epochs is not None:
            raise ValueError("steps and epochs are two words for one budget: write one of them")
        return self


class CommandOptions(Spec):
    """Options of `command`."""

    argv: tuple[str, ...] = Field(
        min_length=1,
        description="the program and its arguments; {job} stands for the job file, {train}, {predict}, {out} and the "
        "like for parts of it, {lr} for the hyperparameter lr; python alone is autodc's own",
    )
    recipes: tuple[Recipe, ...] = Field(default=FIRST_RECIPES, description="the recipes the program knows")


@final
@dataclass(frozen=True, slots=True)
class BuiltIn:
    """What is known of a trainer of ours without importing it."""

    options: type[Spec]
    kinds: tuple[TaskKind, ...]
    inputs: tuple[str, ...] = ("arrays", "table", "text", "files")
    """Kinds of inputs it learns from."""
    forks: bool = False
    """Whether it has the capability of `trial.forking`."""
    recipes: tuple[Recipe, ...] = ALL_RECIPES
    """How it can train a mixture; of a program its options say."""


BUILT_IN: dict[str, BuiltIn] = {
    "torch_image": BuiltIn(
        TorchImageOptions,
        ("classification", "regression", "image_to_image"),
        inputs=("arrays", "files"),
        forks=True,
    ),
    "torch_tabular": BuiltIn(
        TorchTabularOptions,
        ("classification", "regression"),
        inputs=("arrays", "table"),
        forks=True,
    ),
    "lightning": BuiltIn(LightningOptions, get_args(TaskKind), recipes=(*STAGED_RECIPES, "adapt")),
    "sklearn": BuiltIn(SklearnOptions, ("classification", "regression"), recipes=STAGED_RECIPES),
    "command": BuiltIn(CommandOptions, ("classification", "regression", "image_to_image", "custom")),
}
"""By the names of the study file, which `autodc.studyfile` has a list of."""
NETWORKS: dict[str, tuple[TaskKind, ...]] = {
    "small_cnn": ("classification", "regression"),
    "tiny_cnn": ("classification", "regression"),
    "mlp": ("classification", "regression"),
    "unet_small": ("image_to_image",),
}


def torch_hyperparameters(options: TorchHyperparameters, values: dict[str, Any]) -> TorchHyperparameters:
    """Lay a trial's values over those the options fix; raises pydantic.ValidationError where one does not fit."""
    known = {name: value for name, value in values.items() if name in TorchHyperparameters.model_fields}
    fixed = {name: getattr(options, name) for name in TorchHyperparameters.model_fields}
    return TorchHyperparameters.model_validate({**fixed, **known})
