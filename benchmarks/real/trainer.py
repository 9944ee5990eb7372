"""The trainer of the cases' studies: the product hands it a job, as it would any trainer's."""

from __future__ import annotations

import time
from typing import final

import numpy as np

from autodc.trial.trainer import Trained, TrainingJob
from benchmarks.real import learners
from benchmarks.real.case import fitted


@final
class RealTrainer:
    """Trains by a function of `benchmarks.real.learners`, named in the options."""

    def __init__(self, learner: str) -> None:
        self._learner = getattr(learners, learner)

    def train(self, job: TrainingJob) -> Trained:
        """Fit, predict; no model is saved."""
        began = time.perf_counter()
        parts = [(part.name, np.asarray(part.x), np.asarray(part.y), part.weight) for part in job.train]
        predict = fitted(self._learner, parts, job.hyperparameters, job.seed)
        seconds = time.perf_counter() - began
        outputs = {name: predict(np.asarray(x)) for name, x in job.predict.items()}
        return Trained(outputs=outputs, train_seconds=seconds, predict_ms=0.0, model_mb=0.0)
