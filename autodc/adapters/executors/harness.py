"""One training, start to end, in the process that calls it: every executor trains through `train_job`."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import threadpoolctl

from autodc.data.store import open_part
from autodc.errors import DISK_ERRORS, AutodcError, InputError, SurroundingsError
from autodc.plugins import told
from autodc.trial.executor import Completion, Job, StoredPart, TrainerRef, model_folder
from autodc.trial.trainer import Trainer, TrainingJob, TrainPart

TRACEBACK_LINES = 12
"""How many of the last lines of a traceback travel with a failed training."""

_trainers: dict[str, Trainer] = {}


def train_job(job: Job) -> Completion:
    """Train one job here and now; a trainer that raises or answers badly is a completion of status `failed`.

    A disk without room is no fault of the plan: `surroundings`, which ends the run and is trained again on resume.

    `job.out` is made empty first and removed afterwards; `out/model` stays where the job asks to keep it.
    Deadline and memory limit are not watched here: that takes a second process (`supervisor.Supervisor`).
    """
    started = time.time()
    try:
        empty_scratch(job)
        trainer = trainer_for(job.trainer)
        with thread_share(job.threads):
            trained = trainer.train(training_job(job))
        outputs = {part.name: np.ascontiguousarray(trained.outputs[part.name]) for part in job.predict}
        completion = Completion(
            number=job.number,
            attempt=job.attempt,
            status="done",
            outputs=outputs,
            train_seconds=float(trained.train_seconds),
            predict_ms=float(trained.predict_ms),
            model_mb=float(trained.model_mb),
            started=started,
            ended=time.time(),
        )
    except Exception as error:  # a trainer may raise whatever it likes: that is a failed trial, never ours
        completion = Completion(
            number=job.number,
            attempt=job.attempt,
            status="surroundings" if _is_surroundings(error) else "failed",
            started=started,
            ended=time.time(),
            error=_sentence(error, job.trainer.folder),
        )
    leave_scratch(job, keep_model=job.keep_model and completion.status == "done")
    return completion


def _is_surroundings(error: Exception) -> bool:
    """Whether a disk without room or the like ended a training: nothing the plan could be blamed for."""
    full = isinstance(error, OSError) and error.errno in DISK_ERRORS
    return full or isinstance(error, SurroundingsError)


def trainer_for(ref: TrainerRef) -> Trainer:
    """Return the trainer of a reference, made once in this process. Raises what making it raises."""
    key = json.dumps([ref.name, dict(ref.options), ref.folder], sort_keys=True, default=repr)
    if key not in _trainers:
        from autodc.adapters.trainers import make_trainer

        _trainers[key] = make_trainer(ref)
    return _trainers[key]


def training_job(job: Job) -> TrainingJob:
    """Open the job's datasets, memory-mapped, as the trainer sees them."""
    return TrainingJob(
        kind=job.kind,
        n_classes=job.n_classes,
        train=tuple(_open(part) for part in job.train),
        predict={part.name: open_part(part.path)[0] for part in job.predict},
        hyperparameters=job.hyperparameters,
        recipe=job.recipe,
        seed=job.seed,
        fidelity=job.fidelity,
        warm_start=Path(job.warm_start) if job.warm_start else None,
        out=Path(job.out),
    )


def empty_scratch(job: Job) -> None:
    """Make `job.out` an empty folder."""
    shutil.rmtree(job.out, ignore_errors=True)
    Path(job.out).mkdir(parents=True, exist_ok=True)


def leave_scratch(job: Job, *, keep_model: bool) -> None:
    """Remove `job.out`, or all of it but the model."""
    if not keep_model:
        shutil.rmtree(job.out, ignore_errors=True)
        return
    kept = model_folder(job)
    for entry in Path(job.out).iterdir():
        if entry == kept:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


@contextlib.contextmanager
def thread_share(threads: int) -> Iterator[None]:
    """Give BLAS, OpenMP and torch (where it is loaded) exactly `threads` threads inside the block."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else threads
    with threadpoolctl.threadpool_limits(limits=threads):
        if torch:
            torch.set_num_threads(threads)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)


def _open(part: StoredPart) -> TrainPart:
    x, y, metadata = open_part(part.path)
    if y is None:
        raise InputError("ADC-EXEC-011", "a dataset to train on has no targets", part.path, part.name)
    return TrainPart(
        name=part.name, x=x, y=y, metadata=metadata, weight=part.weight, stage=part.stage, folder=Path(part.path)
    )


def _sentence(error: Exception, folder: str) -> str:
    """One sentence with the trainer's own line; our own errors explain themselves."""
    if isinstance(error, AutodcError):
        return str(error)
    lines = "".join(traceback.format_exception(error)).rstrip().splitlines()[-TRACEBACK_LINES:]
    return f"the trainer raised {told(error, folder)} [ADC-EXEC-001]\n" + "\n".join(lines)
