"""One task, start to end, in the process that calls it: every executor works through `run_task`."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from autodc.adapters.artefacts import open_part
from autodc.adapters.executors.ends import changed, ended, gone, leave_scratch, lie, options
from autodc.adapters.executors.opening import forking_job, open_inputs, training_job
from autodc.adapters.executors.prints import Printed
from autodc.adapters.executors.threads import thread_share
from autodc.errors import DISK_ERRORS, AutodcError, SurroundingsError
from autodc.files import digests, sync
from autodc.masking import masked_said, secret_options
from autodc.plugins import load_object, told
from autodc.trial.call import Call, Callee, CallError, CallPart, as_json
from autodc.trial.executor import (
    CallTask,
    Completion,
    PredictTask,
    Status,
    StoredPart,
    Task,
    TrainerRef,
    TrainTask,
)
from autodc.trial.forking import ForkingJob
from autodc.trial.order import put_back
from autodc.trial.outputs import CheckedMethod, CheckedTrainer
from autodc.trial.trainer import TrainingJob

Array = np.ndarray[Any, Any]
LONGEST = 1000
"""Characters of one line of what a trainer raised."""
TRACEBACK_LINES = 12
"""How many of the last lines of a traceback travel with a failed training."""

ROOM_BYTES = 2**20
"""A disk that takes so much is not full: what wanted more was the plan's own wish."""

_trainers: dict[str, CheckedTrainer] = {}


def run_task(task: Task, prints: AbstractContextManager[Printed] | None = None) -> Completion:
    """Run one task here and now; one that raises or answers badly is a completion of status `failed`.

    prints: takes what it prints, of which the last lines are told of a task that failed; left out: as ever.

    What leaves by `sys.exit` has failed too. A disk that is full in truth is no fault of the plan, nor is stored data
    that is gone: `surroundings`.

    `task.out` is made empty first and removed afterwards; what a call wrote there stays, and of a training `out/model`
    where the task asks to keep it. The process stands afterwards where it stood. Deadline and memory limit are not
    watched here: that takes a second process (`supervisor.Supervisor`).
    """
    started, begun, seen = time.time(), time.monotonic(), lie(task)
    try:
        empty_scratch(task)
        opened = _opened(task)
    except Exception as error:
        missing = isinstance(error, SurroundingsError) or (isinstance(error, OSError) and not _of_disk(error))
        return _failed(task, error, started, begun, missing=missing)
    with _standing(), prints or contextlib.nullcontext() as printed:
        try:
            run = _made(task, opened)
            with thread_share(task.threads):
                answer = run()
            seconds = time.monotonic() - begun
            completion = ended(task, "done", started, seconds=seconds, **answer)
            if found := changed(seen, in_place=True):
                completion = ended(task, "surroundings", started, seconds=seconds, missing=True, error=found)
            leave_scratch(task, done=completion.status == "done")
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a user's code may raise whatever it likes: that is a failed task, never ours
            leave_scratch(task, done=False)  # before it is asked whether the disk refuses: the task may have filled it
            completion = _failed(task, error, started, begun, missing=bool(gone(task) or changed(seen)))
            if printed is not None:
                words = masked_said(printed.told(), *secret_options(options(task)))
                completion = replace(completion, error=completion.error + _short(words))
    return completion


@contextlib.contextmanager
def _standing() -> Iterator[None]:
    """Stand afterwards in the working directory of now, wherever a task went: the next one may name paths from here."""
    here = os.open(os.curdir, getattr(os, "O_PATH", os.O_RDONLY))
    try:
        yield
    finally:
        os.fchdir(here)
        os.close(here)


def prepare(task: Task) -> None:
    """Import what a task needs, before its clock starts. Raises what that raises; `run_task` would tell it."""
    if isinstance(task, TrainTask):
        trainer_for(task.trainer)
    elif isinstance(task, CallTask):
        _callee(task)


def _opened(task: Task) -> Any:
    """The stored data of a task, memory-mapped."""
    if isinstance(task, TrainTask):
        return forking_job(task) or training_job(task)
    if isinstance(task, PredictTask):
        return {part.name: open_inputs(part) for part in task.parts}
    return {part.name: _call_part(part) for part in task.parts}


def _made(task: Task, opened: Any) -> Callable[[], dict[str, Any]]:
    """What does the work, once trainer, method or object are there."""
    if isinstance(task, TrainTask):
        return partial(_train, task, trainer_for(task.trainer), opened)
    if isinstance(task, PredictTask):
        from autodc.adapters.methods import make_method

        if task.measured:
            from autodc.adapters.executors.costs import predict_measured

            return partial(predict_measured, task, partial(make_method, task.method), opened)
        return partial(_predict, task, make_method(task.method), opened)
    return partial(_call, task, _callee(task), opened)


def _train(task: TrainTask, trainer: CheckedTrainer, job: TrainingJob | ForkingJob) -> dict[str, Any]:
    if isinstance(job, ForkingJob):
        forked = trainer.fork(job)
        outputs = put_back(forked.outputs, task.predict, axis=1)
        return {"outputs": outputs, "train_seconds": float(forked.train_seconds)}
    trained = trainer.train(job)
    return {
        "outputs": put_back(trained.outputs, task.predict),
        "train_seconds": float(trained.train_seconds),
        "predict_ms": float(trained.predict_ms),
        "model_mb": float(trained.model_mb),
    }


def _predict(task: PredictTask, method: CheckedMethod, parts: Mapping[str, Array]) -> dict[str, Any]:
    outputs = put_back(method.predict(parts), task.parts)
    sample = next((x for x in parts.values() if len(x)), None)
    return {"outputs": outputs, "predict_ms": 0.0 if sample is None else method.predict_ms(sample)}


def _call(task: CallTask, callee: Callee, parts: Mapping[str, CallPart]) -> dict[str, Any]:
    out = Path(task.out)
    value = as_json(callee(Call(arguments=task.arguments, parts=parts, out=out, seconds=task.timeout)), task.object)
    files = digests(out)
    for path in files:
        sync(out / path)
    return {"value": value, "files": files}


def _failed(task: Task, error: BaseException, started: float, begun: float, missing: bool) -> Completion:
    status: Status = "surroundings" if missing or _is_surroundings(error, task) else "failed"
    sentence = _sentence(error, task)
    seconds, code = time.monotonic() - begun, error.code if isinstance(error, CallError) else ""
    return ended(task, status, started, seconds=seconds, missing=missing, code=code, error=sentence)


def _is_surroundings(error: BaseException, task: Task) -> bool:
    """Whether a disk that takes nothing more ended a training.

    One that takes a little did not: the plan wanted too much of it, or has a quota of its own.
    """
    causes = [cause for cause in _causes(error) if _of_disk(cause)]
    if any(isinstance(cause, OSError) and cause.errno == errno.EIO for cause in causes):
        return True
    return bool(causes) and any(_refuses(folder) for folder in (Path(task.out).parent, Path(tempfile.gettempdir())))


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


def trainer_for(ref: TrainerRef) -> CheckedTrainer:
    """Return the trainer of a reference, made once in this process. Raises what making it raises."""
    key = json.dumps([ref.name, dict(ref.options), ref.folder], sort_keys=True, default=repr)
    if key not in _trainers:
        from autodc.adapters.trainers import make_trainer

        _trainers[key] = make_trainer(ref)
    return _trainers[key]


def empty_scratch(task: Task) -> None:
    """Make `task.out` an empty folder."""
    shutil.rmtree(task.out, ignore_errors=True)
    Path(task.out).mkdir(parents=True, exist_ok=True)


def _call_part(part: StoredPart) -> CallPart:
    x, y, metadata = open_part(part.path)
    return CallPart(name=part.name, x=x, y=y, metadata=metadata, folder=Path(part.path))


def _callee(task: CallTask) -> Callee:
    found = load_object(task.object, task.folder, "object")
    if not callable(found):
        hint = "name a function that takes an autodc.trial.call.Call"
        raise CallError("ADC-TASK-002", "the object cannot be called", task.object, type(found).__name__, hint)
    return cast(Callee, found)


def _whose(task: Task) -> tuple[str, str]:
    """Who works on a task, as its errors call it, and the folder of the study file."""
    if isinstance(task, TrainTask):
        return "the trainer", task.trainer.folder
    if isinstance(task, PredictTask):
        return "the method", task.method.folder
    return task.object, task.folder


def _sentence(error: BaseException, task: Task) -> str:
    """One sentence with the user's own line; our own errors explain themselves."""
    if isinstance(error, AutodcError):
        return str(error)
    lines = "".join(traceback.format_exception(error)).rstrip().splitlines()[-TRACEBACK_LINES:]
    who, folder = _whose(task)
    return _short("\n".join([f"{who} raised {told(error, folder)} [ADC-EXEC-001]", *lines]))


def _short(text: str) -> str:
    short = "\n".join(line if len(line) <= LONGEST else f"{line[:LONGEST]}…" for line in text.splitlines())
    return short.encode("utf-8", "backslashreplace").decode()
