"""Inputs of `torch_image`: arrays as they are, image files decoded, once for all trainings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from autodc.adapters.pictures.kept import decoded_files, kept_files
from autodc.adapters.pictures.wish import Wish
from autodc.table import Inputs, Table
from autodc.trial.forking import ForkingJob
from autodc.trial.outputs import TrainerError
from autodc.trial.trainer import TrainingJob, TrainPart

Array = np.ndarray[Any, Any]


def of_job(job: TrainingJob, wished: Wish) -> TrainingJob:
    """A job whose inputs are arrays."""
    parts = tuple(_of_part(part, wished) for part in job.train)
    return replace(job, train=parts, predict={name: _kept(x, wished) for name, x in job.predict.items()})


def of_forking(job: ForkingJob, wished: Wish) -> ForkingJob:
    """The same for a job that forks."""
    datasets = tuple(_of_part(part, wished) for part in job.datasets)
    return replace(job, training=of_job(job.training, wished), datasets=datasets)


def rows(x: Inputs, wished: Wish) -> Array:
    """A few rows as an array."""
    return decoded_files(_files(x), wished, torch.get_num_threads()) if isinstance(x, Table) else x


def _of_part(part: TrainPart, wished: Wish) -> TrainPart:
    return replace(part, x=_kept(part.x, wished))


def _kept(x: Inputs, wished: Wish) -> Array:
    if isinstance(x, Table):
        return kept_files(_files(x), wished, torch.get_num_threads())
    if wished != Wish():
        hint = "give size and mode to the source: options: {size: [height, width], mode: RGB}"
        raise TrainerError("ADC-TRAIN-033", "size and mode are of image files", "task.options", "arrays", hint)
    return x


def _files(x: Table) -> Table:
    if x.kind != "files":
        hint = "torch_image learns from images; torch_tabular and sklearn from tables, sklearn from text"
        raise TrainerError("ADC-TRAIN-033", "these rows are no images", "torch_image", f"rows of kind {x.kind}", hint)
    return x
