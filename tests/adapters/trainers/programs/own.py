"""A trainer as a user would write it: nearest neighbours with weighted votes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from autodc.trial.trainer import Trained, TrainingJob


class Nearest:
    def __init__(self, neighbours: int = 1) -> None:
        self.neighbours = neighbours

    def train(self, job: TrainingJob) -> Trained:
        started = time.perf_counter()
        x = np.concatenate([part.x.reshape(len(part.x), -1) for part in job.train])
        y = np.concatenate([part.y for part in job.train])
        weight = np.concatenate([np.full(len(part.y), part.weight) for part in job.train])
        outputs = {name: self.vote(x, y, weight, rows, job.n_classes) for name, rows in job.predict.items()}
        seconds = time.perf_counter() - started
        return Trained(outputs=outputs, train_seconds=seconds, predict_ms=0.0, model_mb=x.nbytes / 1e6)

    def vote(self, x: Any, y: Any, weight: Any, rows: Any, n_classes: Any) -> Any:
        rows = rows.reshape(len(rows), -1)
        far = (rows**2).sum(1)[:, None] + (x**2).sum(1)[None] - 2 * rows @ x.T
        votes = np.zeros((len(rows), n_classes))
        closeness = weight[None] / (1e-3 + np.maximum(far, 0))
        for c in range(n_classes):
            votes[:, c] = closeness[:, y == c].max(axis=1)
        return votes
