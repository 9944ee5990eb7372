"""Tasks for the flaky trainer, call and method on a small dataset: what the executors' contract submits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from autodc.plan.plan import Value
from autodc.trial.executor import CallTask, MethodRef, PredictTask, StoredPart, TrainerRef, TrainTask

ROWS, COLUMNS = 60, 4


@dataclass
class Jobs:
    """Makes jobs for the flaky trainer on a small dataset."""

    folder: Path
    made: int = 0

    def __call__(self, act: str = "learn", **extra: Any) -> TrainTask:
        """Return a job with a number of its own; `extra` goes to the job where it has such a field, else to the act."""
        self.made += 1
        fields = {name: extra.pop(name) for name in list(extra) if name in TrainTask.__dataclass_fields__}
        settings: dict[str, Value] = {"act": act, **extra}
        job = TrainTask(
            number=self.made,
            attempt=1,
            trainer=TrainerRef(name="autodc.testing.flaky:FlakyTrainer", options={}, folder=str(self.folder)),
            kind="regression",
            n_classes=0,
            train=(StoredPart(name="base", path=str(self.folder / "base")),),
            predict=(StoredPart(name="validation", path=str(self.folder / "validation")),),
            hyperparameters=settings,
            recipe="concat",
            seed=self.made,
            fidelity=1.0,
            warm_start=None,
            out=str(self.folder / f"out-{self.made}"),
        )
        return replace(job, **fields)

    def call(self, act: str = "learn", **wishes: Any) -> CallTask:
        """Return a call that acts as told; it has a number of its own, wishes go where `__call__` has them go."""
        self.made += 1
        fields = {name: wishes.pop(name) for name in list(wishes) if name in CallTask.__dataclass_fields__}
        task = CallTask(
            number=self.made,
            attempt=1,
            out=str(self.folder / f"out-{self.made}"),
            object="autodc.testing.flaky:flaky_call",
            folder=str(self.folder),
            arguments={"act": act, **wishes},
            parts=(StoredPart(name="validation", path=str(self.folder / "validation")),),
        )
        return replace(task, **fields)

    def prediction(self) -> PredictTask:
        """Return a prediction of the mean of the base."""
        self.made += 1
        base = StoredPart(name="base", path=str(self.folder / "base"))
        method = MethodRef(name="constant", folder=str(self.folder), kind="regression", row_shape=(), base=base)
        return PredictTask(
            number=self.made,
            attempt=1,
            out=str(self.folder / f"out-{self.made}"),
            method=method,
            parts=(StoredPart(name="validation", path=str(self.folder / "validation")),),
        )


def small_dataset(folder: Path) -> Path:
    """Store a small dataset to train on and another to predict, and return their folder."""
    rng = np.random.default_rng(0)
    for name in ("base", "validation"):
        (folder / name).mkdir()
        np.save(folder / name / "x.npy", rng.random((ROWS, COLUMNS)))
    np.save(folder / "base" / "y.npy", rng.random(ROWS))
    return folder


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return str(psutil.Process(pid).status()) != str(psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
