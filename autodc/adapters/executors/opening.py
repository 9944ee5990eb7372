"""From a task, which names stored data, to what the trainer sees of it: arrays, memory-mapped."""

from __future__ import annotations

from pathlib import Path

from autodc.adapters.artefacts import open_part
from autodc.adapters.links import linked
from autodc.adapters.trainers.registry import opens_files
from autodc.errors import SurroundingsError
from autodc.files import damage
from autodc.table import Inputs
from autodc.trial.executor import StoredPart, TrainTask
from autodc.trial.forking import ForkingJob
from autodc.trial.trainer import TrainingJob, TrainPart
from autodc.values import objects


def training_job(task: TrainTask) -> TrainingJob:
    """Open the datasets of a training, memory-mapped, as the trainer sees them."""
    as_they_are = opens_files(task.trainer.name, task.trainer.options)
    return TrainingJob(
        kind=task.kind,
        n_classes=task.n_classes,
        classes=task.classes,
        train=tuple(_open(part, as_they_are) for part in task.train),
        predict={part.name: open_inputs(part, as_they_are) for part in task.predict},
        hyperparameters=task.hyperparameters,
        recipe=task.recipe,
        seed=task.seed,
        fidelity=task.fidelity,
        warm_start=_warm_start(task),
        out=Path(task.out),
    )


def forking_job(task: TrainTask) -> ForkingJob | None:
    """What a training is forked into; None where it is not."""
    forks = task.forks
    if forks is None:
        return None
    as_they_are = opens_files(task.trainer.name, task.trainer.options)
    return ForkingJob(
        training=training_job(task),
        datasets=tuple(_open(part, as_they_are) for part in forks.datasets),
        after=forks.after,
        steps=forks.steps,
        batch=forks.batch,
    )


def open_inputs(part: StoredPart, as_they_are: bool = False) -> Inputs:
    """Open the inputs of stored rows. as_they_are: files under their own names, for code of ours that opens them."""
    x = open_part(part.path)[0]
    return x if as_they_are else linked(x, _store(part))


def _store(part: StoredPart) -> Path:
    return Path(part.path).resolve().parent


def _warm_start(task: TrainTask) -> Path | None:
    if task.warm_start is None:
        return None
    folder = Path(task.warm_start)
    if found := damage(folder.parent):
        hint = "give the same command again: the model is trained again"
        raise SurroundingsError("ADC-DISK-014", "the model to go on from cannot be read", str(folder), found, hint)
    return folder


def _open(part: StoredPart, as_they_are: bool) -> TrainPart:
    x, y, metadata = open_part(part.path)
    if y is None:
        raise SurroundingsError("ADC-EXEC-011", "a dataset to train on has no targets", part.path, part.name)
    return TrainPart(
        name=part.name,
        x=x if as_they_are else linked(x, _store(part), training=True),
        y=objects(y),
        metadata=metadata,
        weight=part.weight,
        stage=part.stage,
        folder=Path(part.path),
        tags=part.tags,
    )
