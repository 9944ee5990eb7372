"""One training outside any study: rows in, predictions out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autodc.adapters.trainers import make_trainer
from autodc.trial.executor import TrainerRef
from autodc.trial.trainer import TrainingJob, TrainPart

Array = np.ndarray[Any, Any]


def part(name: str, x: Array, y: Array, **more: Any) -> TrainPart:
    """Rows of arrays to train on, at weight 1 where nothing else is said."""
    fields = {"weight": 1.0, "stage": "main", "metadata": pd.DataFrame(index=range(len(y))), "folder": Path(), **more}
    return TrainPart(name=name, x=x.astype(np.float32), y=y.astype(np.int64), **fields)


def outputs(
    trainer: TrainerRef,
    parts: Sequence[TrainPart],
    predict: Mapping[str, Any],
    settings: Mapping[str, Any],
    seed: int,
    *,
    classes: int,
    recipe: str = "concat",
) -> Mapping[str, Array]:
    """Train on the parts; the scores of each class for the rows of each name in `predict`, shape (n, classes)."""
    with tempfile.TemporaryDirectory() as out:
        job = TrainingJob(
            kind="classification",
            n_classes=classes,
            train=tuple(parts),
            predict=predict,
            hyperparameters=dict(settings),
            recipe=recipe,
            seed=seed,
            fidelity=1.0,
            warm_start=None,
            out=Path(out),
        )
        return make_trainer(trainer).train(job).outputs
