"""The trainer port: one training of one plan, seen from the program that learns.

A trainer runs in a process of its own, away from the study. It gets inputs to predict, never their targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from autodc.plan.plan import Stage, Value
from autodc.studyfile.study import TaskKind

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPart:
    """One dataset of the mixture.

    x: shape (n, ...), read-only, memory-mapped; y: shape (n,) or (n, ...), class indices 0 … C−1 in classification;
    folder: where the same rows lie on disk (`x.npy`, `y.npy`, `metadata.parquet`).
    """

    name: str
    x: Array
    y: Array
    metadata: pd.DataFrame
    weight: float
    stage: Stage
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """Everything a trainer may know about one trial.

    predict: name → inputs, shape (n, ...); n_classes: 0 outside classification; warm_start: the model folder to
    continue from, or None; out: an empty folder for this attempt; fidelity: share of the full training budget, (0, 1].
    """

    kind: TaskKind
    n_classes: int
    train: tuple[TrainPart, ...]
    predict: Mapping[str, Array]
    hyperparameters: Mapping[str, Value]
    recipe: str
    seed: int
    fidelity: float
    warm_start: Path | None
    out: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a training gives back.

    outputs: name → predictions in row order: class probabilities or scores (n, C), values (n,) or images (n, ...);
    train_seconds: time of fitting; predict_ms: milliseconds per predicted example; model_mb: size of the saved model.
    """

    outputs: Mapping[str, Array]
    train_seconds: float
    predict_ms: float
    model_mb: float


class Trainer(Protocol):
    """Trains one job. The same job gives bit-identical outputs on one machine, alone or beside others.

    Raises whatever it likes: any exception is a failed trial, told to the search and never left out.
    """

    def train(self, job: TrainingJob) -> Trained:
        """Fit on `job.train`, save the model under `job.out / "model"`, predict every part of `job.predict`."""
        ...
