"""How an attempt at a task ends and what it leaves, as the process that works tells it and the one that supervises.

No library of tables or models comes with it: there is one supervising process for every slot.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from autodc.files import damage, seal, stamps
from autodc.masking import masked_said, secret_options
from autodc.trial.executor import (
    CallTask,
    Completion,
    PredictTask,
    Status,
    Task,
    TrainTask,
    model_folder,
    reads,
)

Lying = Mapping[Path, Mapping[str, tuple[int, int, int]]]
"""Folder → its files, as `files.stamps` tells them."""


def ended(task: Task, status: Status, started: float, **more: Any) -> Completion:
    """The completion of an attempt that ends now.

    more: its other fields; in its error the secrets of the task's options are masked.
    """
    if error := more.get("error"):
        more["error"] = masked_said(error, *secret_options(options(task)))
    return Completion(
        number=task.number,
        attempt=task.attempt,
        work=task.work,
        status=status,
        started=started,
        ended=time.time(),
        **more,
    )


def lie(task: Task) -> Lying:
    """How the stored data of a task lies on the disk now."""
    return {folder: stamps(folder) for folder in _folders(task)}


def ended_by_lost_data(task: Task, completion: Completion, seen: Lying) -> Completion:
    """A crash of a task whose stored data was cut short or taken away meanwhile is no fault of its plan.

    seen: how the data lay when the task began; it may have been put in place again since.
    """
    why = (gone(task, sizes_only=True) or changed(seen)) if completion.status == "crashed" else ""
    if not why:
        return completion
    return replace(completion, status="surroundings", missing=True, error=f"{why}; {completion.error}")


def gone(task: Task, sizes_only: bool = False) -> str:
    """What is gone or damaged of the data that a task needs; empty where all is there."""
    return next((f"{folder}: {found}" for folder in _folders(task) if (found := damage(folder, sizes_only))), "")


def changed(seen: Lying, in_place: bool = False) -> str:
    """What of the stored data is not as it lay; empty where all is.

    in_place: look only for files that were written to, which is what a task that has mapped them may have read.
    """
    for folder, files in seen.items():
        now = stamps(folder)
        for name, stamp in files.items():
            found = now.get(name)
            if found != stamp and not (in_place and (found is None or found[0] != stamp[0])):
                return f"{folder}: {name} changed while it was in use"
    return ""


def _folders(task: Task) -> list[Path]:
    """The folders that a task reads, each sealed whole."""
    model = task.warm_start if isinstance(task, TrainTask) else None
    return [Path(path).parent if path == model else Path(path) for path in reads(task)]


def leave_scratch(task: Task, *, done: bool) -> None:
    """Remove `task.out`, or all of it but what is kept of a task that is done."""
    out = Path(task.out)
    if done and isinstance(task, CallTask) and out.is_dir() and any(out.iterdir()):
        return
    if not (done and isinstance(task, TrainTask) and task.keep_model):
        shutil.rmtree(out, ignore_errors=True)
        return
    kept = model_folder(task)
    for entry in out.iterdir() if out.is_dir() else ():
        if entry == kept:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    seal(out)


def options(task: Task) -> Mapping[str, Any]:
    """The options of the study file that a task's own code was given, and may repeat."""
    if isinstance(task, TrainTask):
        return task.trainer.options
    if isinstance(task, PredictTask):
        return {} if task.method.trainer is None else task.method.trainer.options
    return task.arguments
