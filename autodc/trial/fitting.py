"""Base of trainers that fit a model and then predict: steps, draws, timing, saving."""

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
from autodc.trial.pacing import paced
from autodc.trial.recipes import TrainPhase
from autodc.trial.trainer import Trained, TrainingJob
from autodc.values import joined

Array = np.ndarray[Any, Any]
Model = TypeVar("Model")

GATHER_BYTES = 2**26
"""Inputs of up to so many bytes are gathered from the memory-mapped files at once."""
PIECE_BYTES, PIECE_OF_TABLE = 2**22, 2**23
"""Of more so many are at a time; they are held about four times until a network has them. Rows are taken out of a table
the faster the more they are."""


@final
@dataclass(frozen=True, slots=True)
class Drawn:
    """Consecutive batches."""

    x: Inputs
    y: Array
    """x, y: the rows they need, read once."""
    batches: Array
    """(steps, batch_size) positions in x and y."""
    part: Array
    """Which part of the phase each of these rows is of, (n,)."""


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


def n_steps(steps: int, job: TrainingJob, phase: TrainPhase) -> int:
    """The steps of a phase: the full budget × fidelity × the phase's share, at least 1."""
    return max(1, round(steps * job.fidelity * phase.share))


def drawn_plan(phase: TrainPhase, batch_size: int, steps: int, seed: int) -> Array:
    """Which rows of the parts together each step takes, shape (steps, batch_size): by weight, and by pace."""
    sizes, weights = [len(part.x) for part in phase.parts], [part.weight for part in phase.parts]
    rng = generator(seed, "batches", phase.index)
    if phase.pace is not None:
        return paced(sizes, weights, phase.pace, batch_size, steps, rng)
    return batches(sizes, weights, batch_size, steps, rng)


def draw(phase: TrainPhase, batch_size: int, steps: int, seed: int, first: int = 0) -> Iterator[Drawn]:
    """Draw the batches of a phase by weight, reading only rows that are needed, each at most once per piece.

    first: the step of the phase to begin with; what comes before it is drawn and not read.
    """
    sizes = [len(part.x) for part in phase.parts]
    ends = np.cumsum(sizes)
    plan = drawn_plan(phase, batch_size, steps, seed)
    a_row = row_bytes(phase.parts[0].x) + row_bytes(phase.parts[0].y)
    most = PIECE_OF_TABLE if isinstance(phase.parts[0].x, Table) else PIECE_BYTES
    at_once = max(1, most // (a_row * batch_size))
    if sum(sizes) * a_row <= GATHER_BYTES:
        at_once = steps
    for place in range(first, steps, at_once):
        piece = plan[place : place + at_once]
        rows, positions = np.unique(piece, return_inverse=True)
        x, y = gather([p.x for p in phase.parts], rows), np.asarray(gather([p.y for p in phase.parts], rows))
        part = np.searchsorted(ends, rows, side="right")
        yield Drawn(x, y, positions.reshape(piece.shape), part)


def gather(arrays: Sequence[Inputs], rows: Array) -> Inputs:
    """Read rows of a concatenation without building it; rows: sorted positions in the concatenation."""
    starts = np.cumsum([0, *(len(a) for a in arrays)])
    cuts = np.searchsorted(rows, starts)
    picked = [a[rows[i:j] - s] for a, s, i, j in zip(arrays, starts, cuts, cuts[1:], strict=False) if j > i]
    return join(picked)


def folder_mb(folder: Path) -> float:
    """Size of the files below a folder, in 10**6 bytes; 0 where there is none."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
