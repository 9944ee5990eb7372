"""Base of trainers that fit a model and then predict: phases of a recipe, steps, timing, saving."""

from __future__ import annotations

import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar, final

import numpy as np

from autodc.plan.mixture import batches
from autodc.seeds import generator
from autodc.table import Inputs, Table, join, row_bytes
from autodc.trial.method import TIMED_BATCHES, RowMethod, batches_of
from autodc.trial.outputs import TrainerError
from autodc.trial.trainer import Trained, TrainingJob, TrainPart
from autodc.values import joined

Array = np.ndarray[Any, Any]
Model = TypeVar("Model")

PRETRAIN_SHARE = 0.4
"""Share of the steps that goes to the parts of stage `pretrain`, where nobody says otherwise."""
GATHER_BYTES = 2**26
"""Inputs of up to so many bytes are gathered from the memory-mapped files at once."""
PIECE_BYTES, PIECE_OF_TABLE = 2**22, 2**23
"""Of more so many are at a time; they are held about four times until a network has them. Rows are taken out of a table
the faster the more they are."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPhase:
    """One leg of a training."""

    parts: tuple[TrainPart, ...]
    share: float
    """Of the whole budget, (0, 1]."""
    lr_factor: float
    """On the learning rate."""
    index: int
    """From 0."""


@final
@dataclass(frozen=True, slots=True)
class Drawn:
    """Consecutive batches."""

    x: Inputs
    y: Array
    """x, y: the rows they need, read once."""
    batches: Array
    """(steps, batch_size) positions in x and y."""


class AbstractFitting(ABC, Generic[Model]):
    """A trainer made of `fit`, `predict` and `save`; `train` measures and writes what the port asks for."""

    @abstractmethod
    def fit(self, job: TrainingJob) -> Model:
        """Train on `job.train`; every random number comes from `job.seed`, the budget is scaled by `job.fidelity`."""

    @abstractmethod
    def predict(self, model: Model, x: Any) -> Any:
        """Predict rows in order: class probabilities or scores (n, C), values (n, ...) or images (n, ...).

        In a custom task also a list of n JSON values.
        """

    @abstractmethod
    def save(self, model: Model, folder: Path) -> None:
        """Write the model into an empty folder."""

    def load(self, folder: Path) -> Model:
        """Read back `save`, ready to predict; recipe `continue` and `method` need it."""
        raise TrainerError(
            "ADC-TRAIN-007", "this trainer cannot continue from a model", type(self).__name__, str(folder)
        )

    def method(self, folder: Path) -> RowMethod:
        """What predicts with the model that `save` wrote into a folder, as `train` predicted with it."""
        return RowMethod(partial(self.predict, self.load(folder)))

    def train(self, job: TrainingJob) -> Trained:
        """Fit, save under `job.out / "model"`, predict every part and time it."""
        started = time.perf_counter()
        model = self.fit(job)
        train_seconds = time.perf_counter() - started
        folder = job.out / "model"
        folder.mkdir(parents=True, exist_ok=True)
        self.save(model, folder)
        outputs, predict_ms = self._predict_parts(model, job.predict)
        return Trained(outputs=outputs, train_seconds=train_seconds, predict_ms=predict_ms, model_mb=folder_mb(folder))

    def _predict_parts(self, model: Model, parts: Mapping[str, Inputs]) -> tuple[dict[str, Any], float]:
        """Predict every part batch by batch; also the median milliseconds a row takes once the model is warm."""
        sample = next((next(batches_of(x)) for x in parts.values() if len(x)), None)
        if sample is not None:
            self.predict(model, sample)
        outputs, per_row = dict[str, Any](), []
        for name, x in parts.items():
            pieces = []
            for rows in batches_of(x):
                predicted, seconds = self._timed(model, rows)
                pieces.append(predicted)
                if sample is not None and len(rows) == len(sample):
                    per_row.append(seconds / len(rows))
            outputs[name] = joined(pieces)
        while sample is not None and len(per_row) < TIMED_BATCHES:
            per_row.append(self._timed(model, sample)[1] / len(sample))
        return outputs, statistics.median(per_row) * 1e3 if per_row else 0.0

    def _timed(self, model: Model, rows: Inputs) -> tuple[Any, float]:
        started = time.perf_counter()
        predicted = self.predict(model, rows)
        return predicted, time.perf_counter() - started


def phases(job: TrainingJob, share: float = PRETRAIN_SHARE, lr_factor: float = 1.0) -> tuple[TrainPhase, ...]:
    """Cut a job into the legs of its recipe. share, lr_factor: where no hyperparameter says otherwise.

    `pretrain_finetune`: the parts of stage `pretrain` get `pretrain_share` of the budget, then those of stage `main`
    the rest, at `finetune_lr_factor` times the learning rate; without pretraining parts it is `concat`. A part whose
    weight comes to no row an epoch is left out.
    Raises TrainerError where `continue` has no model to start from.
    """
    parts = tuple(part for part in job.train if round(part.weight * len(part.x)) > 0)
    if not parts:
        raise TrainerError("ADC-TRAIN-008", "there are no rows to train on", "train", f"{len(job.train)} empty parts")
    if job.recipe == "continue" and job.warm_start is None:
        raise TrainerError("ADC-TRAIN-009", "recipe continue has no model to start from", "warm_start")
    first = tuple(part for part in parts if part.stage == "pretrain")
    main = tuple(part for part in parts if part.stage == "main")
    if job.recipe != "pretrain_finetune" or not first or not main:
        return (TrainPhase(parts=parts, share=1.0, lr_factor=1.0, index=0),)
    share = float(job.hyperparameters.get("pretrain_share", share))
    factor = float(job.hyperparameters.get("finetune_lr_factor", lr_factor))
    return (
        TrainPhase(parts=first, share=share, lr_factor=1.0, index=0),
        TrainPhase(parts=main, share=1.0 - share, lr_factor=factor, index=1),
    )


def n_steps(steps: int, job: TrainingJob, phase: TrainPhase) -> int:
    """The steps of a phase: the full budget × fidelity × the phase's share, at least 1."""
    return max(1, round(steps * job.fidelity * phase.share))


def draw(phase: TrainPhase, batch_size: int, steps: int, seed: int, first: int = 0) -> Iterator[Drawn]:
    """Draw the batches of a phase by weight, reading only rows that are needed, each at most once per piece.

    first: the step of the phase to begin with; what comes before it is drawn and not read.
    """
    sizes = [len(part.x) for part in phase.parts]
    rng = generator(seed, "batches", phase.index)
    plan = batches(sizes, [part.weight for part in phase.parts], batch_size, steps, rng)
    a_row = row_bytes(phase.parts[0].x) + row_bytes(phase.parts[0].y)
    most = PIECE_OF_TABLE if isinstance(phase.parts[0].x, Table) else PIECE_BYTES
    at_once = max(1, most // (a_row * batch_size))
    if sum(sizes) * a_row <= GATHER_BYTES:
        at_once = steps
    for place in range(first, steps, at_once):
        piece = plan[place : place + at_once]
        rows, positions = np.unique(piece, return_inverse=True)
        x, y = gather([p.x for p in phase.parts], rows), np.asarray(gather([p.y for p in phase.parts], rows))
        yield Drawn(x, y, positions.reshape(piece.shape))


def gather(arrays: Sequence[Inputs], rows: Array) -> Inputs:
    """Read rows of a concatenation without building it; rows: sorted positions in the concatenation."""
    starts = np.cumsum([0, *(len(a) for a in arrays)])
    cuts = np.searchsorted(rows, starts)
    picked = [a[rows[i:j] - s] for a, s, i, j in zip(arrays, starts, cuts, cuts[1:], strict=False) if j > i]
    return join(picked)


def folder_mb(folder: Path) -> float:
    """Size of the files below a folder, in 10**6 bytes; 0 where there is none."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
