"""One training, start to end, in the process that calls it: every executor trains through `train_job`."""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import threadpoolctl

from autodc.adapters.artefacts import open_part
from autodc.errors import DISK_ERRORS, AutodcError, SurroundingsError
from autodc.files import damage, seal
from autodc.plugins import told
from autodc.trial.executor import Completion, Job, StoredPart, TrainerRef, model_folder
from autodc.trial.trainer import Trainer, TrainingJob, TrainPart

LONGEST = 1000
"""Characters of one line of what a trainer raised."""
TRACEBACK_LINES = 12
"""How many of the last lines of a traceback travel with a failed training."""

ROOM_BYTES = 2**20
"""A disk that takes so much is not full: what wanted more was the plan's own wish."""

_trainers: dict[str, Trainer] = {}


def train_job(job: Job) -> Completion:
    """Train one job here and now; a trainer that raises or answers badly is a completion of status `failed`.

    A trainer that leaves by `sys.exit` has failed too. A disk that is full in truth is no fault of the plan, nor is
    stored data that is gone: `surroundings`.

    `job.out` is made empty first and removed afterwards; `out/model` stays where the job asks to keep it.
    Deadline and memory limit are not watched here: that takes a second process (`supervisor.Supervisor`).
    """
    started, begun = time.time(), time.monotonic()
    try:
        empty_scratch(job)
        data = training_job(job)
    except Exception as error:
        missing = isinstance(error, SurroundingsError) or (isinstance(error, OSError) and not _of_disk(error))
        return _failed(job, error, started, begun, missing=missing)
    try:
        trainer = trainer_for(job.trainer)
        with thread_share(job.threads):
            trained = trainer.train(data)
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
            seconds=time.monotonic() - begun,
        )
        leave_scratch(job, keep_model=job.keep_model)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a trainer may raise whatever it likes: that is a failed trial, never ours
        completion = _failed(job, error, started, begun, missing=bool(_gone(job)))
        leave_scratch(job, keep_model=False)
    return completion


def ended_by_lost_data(job: Job, completion: Completion) -> Completion:
    """A crash of a training whose stored data was cut short or taken away meanwhile is no fault of its plan."""
    gone = _gone(job, sizes_only=True) if completion.status == "crashed" else ""
    if not gone:
        return completion
    return replace(completion, status="surroundings", missing=True, error=f"{gone}; {completion.error}")


def _failed(job: Job, error: BaseException, started: float, begun: float, missing: bool = False) -> Completion:
    return Completion(
        number=job.number,
        attempt=job.attempt,
        status="surroundings" if missing or _is_surroundings(error, job) else "failed",
        started=started,
        ended=time.time(),
        seconds=time.monotonic() - begun,
        missing=missing,
        error=_sentence(error, job.trainer.folder),
    )


def _gone(job: Job, sizes_only: bool = False) -> str:
    """What is gone or damaged of the data that a job trains on, goes on from and predicts; empty where all is there."""
    folders = [Path(part.path) for part in (*job.train, *job.predict)]
    folders += [] if job.warm_start is None else [Path(job.warm_start).parent]
    return next((f"{folder}: {found}" for folder in folders if (found := damage(folder, sizes_only))), "")


def _is_surroundings(error: BaseException, job: Job) -> bool:
    """Whether a disk that takes nothing more ended a training. One that takes a little did not: the plan wanted too
    much of it, or has a quota of its own."""
    causes = [cause for cause in _causes(error) if _of_disk(cause)]
    if any(isinstance(cause, OSError) and cause.errno == errno.EIO for cause in causes):
        return True
    return bool(causes) and any(_refuses(folder) for folder in (Path(job.out).parent, Path(tempfile.gettempdir())))


def _of_disk(error: BaseException) -> bool:
    return isinstance(error, SurroundingsError) or (isinstance(error, OSError) and error.errno in DISK_ERRORS)


def _causes(error: BaseException) -> list[BaseException]:
    """An error and what it was raised from."""
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in found:
        found.append(cause)
        cause = cause.__cause__ or cause.__context__
    return found


def _refuses(folder: Path) -> bool:
    """Whether a folder takes no more than a crumb."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(ROOM_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in DISK_ERRORS
    return False


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
        warm_start=_warm_start(job),
        out=Path(job.out),
    )


def empty_scratch(job: Job) -> None:
    """Make `job.out` an empty folder."""
    shutil.rmtree(job.out, ignore_errors=True)
    Path(job.out).mkdir(parents=True, exist_ok=True)


def leave_scratch(job: Job, *, keep_model: bool) -> None:
    """Remove `job.out`, or all of it but the model, which is sealed."""
    if not keep_model:
        shutil.rmtree(job.out, ignore_errors=True)
        return
    kept = model_folder(job)
    for entry in Path(job.out).iterdir() if Path(job.out).is_dir() else ():
        if entry == kept:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    seal(Path(job.out))


@contextlib.contextmanager
def thread_share(threads: int) -> Iterator[None]:
    """Give BLAS, OpenMP and torch (where it is loaded) exactly `threads` threads inside the block."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else threads
    with _libraries(len(sys.modules)).limit(limits=threads):
        if torch:
            torch.set_num_threads(threads)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)


@functools.lru_cache(maxsize=1)
def _libraries(modules: int) -> threadpoolctl.ThreadpoolController:
    """The libraries that have threads, looked up again once modules were imported: they come with them."""
    return threadpoolctl.ThreadpoolController()


def _warm_start(job: Job) -> Path | None:
    if job.warm_start is None:
        return None
    folder = Path(job.warm_start)
    if found := damage(folder.parent):
        hint = "give the same command again: the model is trained again"
        raise SurroundingsError("ADC-DISK-014", "the model to go on from cannot be read", str(folder), found, hint)
    return folder


def _open(part: StoredPart) -> TrainPart:
    x, y, metadata = open_part(part.path)
    if y is None:
        raise SurroundingsError("ADC-EXEC-011", "a dataset to train on has no targets", part.path, part.name)
    return TrainPart(
        name=part.name, x=x, y=y, metadata=metadata, weight=part.weight, stage=part.stage, folder=Path(part.path)
    )


def _sentence(error: BaseException, folder: str) -> str:
    """One sentence with the trainer's own line; our own errors explain themselves."""
    if isinstance(error, AutodcError):
        return str(error)
    lines = "".join(traceback.format_exception(error)).rstrip().splitlines()[-TRACEBACK_LINES:]
    text = "\n".join([f"the trainer raised {told(error, folder)} [ADC-EXEC-001]", *lines])
    short = "\n".join(line if len(line) <= LONGEST else f"{line[:LONGEST]}…" for line in text.splitlines())
    return short.encode("utf-8", "backslashreplace").decode()
