"""The executor port: runs jobs in parallel, in supervised child processes, and reports every end of every attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from autodc.plan.plan import Stage, Value
from autodc.studyfile.study import TaskKind

Array = np.ndarray[Any, Any]

Status = Literal["done", "failed", "crashed", "timeout", "memory", "lost", "surroundings"]
"""done: outputs are there; failed: the trainer raised or answered badly (not run again); crashed: its process died;
timeout: over the deadline; memory: over the limit; lost: the worker or node went away;
surroundings: the disk refused or the like, which no other plan would have escaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPart:
    """A dataset on disk: `path` holds `x.npy`, and for training `y.npy` and `metadata.parquet` beside it."""

    name: str
    path: str
    weight: float = 1.0
    stage: Stage = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerRef:
    """Which trainer, to be made in the child process: name or `file.py:Object`, its options, the study's folder."""

    name: str
    options: Mapping[str, Any]
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One attempt at one trial, as plain data that travels between processes.

    out: folder this attempt may write to; `out/model` is kept only when keep_model is set;
    predict: parts whose folder holds inputs alone (`x.npy`); timeout: seconds, set by the driver from the pace of the
    study where the machine file sets none; memory: bytes; threads: cores to use.
    """

    number: int
    attempt: int
    trainer: TrainerRef
    kind: TaskKind
    n_classes: int
    train: tuple[StoredPart, ...]
    predict: tuple[StoredPart, ...]
    hyperparameters: Mapping[str, Value]
    recipe: str
    seed: int
    fidelity: float
    warm_start: str | None
    out: str
    keep_model: bool = False
    timeout: float | None = None
    memory: float | None = None
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """How one attempt ended. outputs is empty unless `done`; error: one sentence and the last lines of stderr.

    started, ended: Unix time of the training itself (in the child, without waiting for a slot); seconds: how long it
    took by a clock that stands still while the machine sleeps; missing: with status `surroundings`, that a stored
    dataset was not there where it was to be trained. The driver puts what is missing in place again and trains once
    more; where nothing is missing on its side, that is another file system and the run ends.
    """

    number: int
    attempt: int
    status: Status
    outputs: Mapping[str, Array] = field(default_factory=dict)
    train_seconds: float = 0.0
    predict_ms: float = 0.0
    model_mb: float = 0.0
    started: float = 0.0
    ended: float = 0.0
    seconds: float = 0.0
    missing: bool = False
    error: str = ""


class Executor(Protocol):
    """Runs jobs on a fixed number of slots. Every job comes back exactly once from `wait`, unless cancelled."""

    @property
    def slots(self) -> int:
        """How many jobs train at once."""
        ...

    def submit(self, job: Job) -> None:
        """Queue a job; returns at once (the inline executor may train it in `wait`)."""
        ...

    def wait(self, timeout: float | None = None) -> list[Completion]:
        """Return completions as soon as there is one; empty after `timeout` seconds or when nothing is under way."""
        ...

    def cancel(self) -> None:
        """Drop what is queued and end what runs, at once; nothing submitted before comes back.

        It is called in the midst of a study too: at its deadline, after which the last measurement is submitted.
        """
        ...

    def close(self) -> None:
        """Cancel and give every process back. Safe to call twice."""
        ...


def model_folder(job: Job) -> Path:
    """Where the attempt's model is saved."""
    return Path(job.out) / "model"
