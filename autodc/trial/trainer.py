"""The trainer port: one training of one plan, seen from the program that learns.

A trainer runs in a process of its own, away from the study. It gets inputs to predict, never their targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from autodc.plan.plan import Stage, Value
from autodc.table import Inputs

if TYPE_CHECKING:
    from autodc.studyfile.study import TaskKind

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPart:
    """One dataset of the mixture."""

    name: str
    x: Inputs
    """Shape (n, ...), read-only, memory-mapped: an array, or the columns of a table, text, or paths of files."""
    y: Array
    """Shape (n,) or (n, ...), class indices 0 … C−1 in classification; JSON values as Python objects, shape (n,)."""
    metadata: pd.DataFrame
    """Columns that are no inputs."""
    weight: float
    stage: Stage
    folder: Path
    """Where the same rows lie on disk (`x.npy` or `x.arrow`, `y.npy`, `metadata.parquet`)."""
    tags: tuple[str, ...] = ()
    """Of the dataset; recipes look for `synthetic`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """Everything a trainer may know about one trial."""

    kind: TaskKind
    n_classes: int
    """0 outside classification."""
    train: tuple[TrainPart, ...]
    predict: Mapping[str, Inputs]
    """Name → inputs, shape (n, ...), in an order that tells nothing of them (`trial.order`)."""
    hyperparameters: Mapping[str, Value]
    recipe: str
    seed: int
    fidelity: float
    """Share of the full training budget, (0, 1]."""
    warm_start: Path | None
    """The model folder to continue from, or None."""
    out: Path
    """An empty folder for this attempt."""
    classes: tuple[Any, ...] = ()
    """The names of the classes in the order of their codes; empty outside classification."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a training gives back."""

    outputs: Mapping[str, Any]
    """Name → predictions in row order: class probabilities or scores (n, C), values (n, ...) or images (n, ...); in a
    custom task numbers of any shape, or a list of n JSON values."""
    train_seconds: float
    """Time of fitting."""
    predict_ms: float
    """Milliseconds per predicted example."""
    model_mb: float
    """Size of the saved model."""


class Trainer(Protocol):
    """Trains one job. The same job gives bit-identical outputs on one machine, alone or beside others.

    Raises whatever it likes: any exception is a failed trial, told to the search and never left out.
    """

    def train(self, job: TrainingJob) -> Trained:
        """Fit on `job.train`, save the model under `job.out / "model"`, predict every part of `job.predict`."""
        ...
