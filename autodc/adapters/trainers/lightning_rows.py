"""Rows as a LightningModule is given them: tensors, columns, text or paths, drawn by weight into a DataLoader."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast, final

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from autodc.adapters.pictures.wish import Wish
from autodc.adapters.trainers import image_rows
from autodc.adapters.trainers.adaptation import Adaptation
from autodc.adapters.trainers.image_axes import as_floats, channels_first
from autodc.adapters.trainers.lightning_reading import Facts, numbers
from autodc.adapters.trainers.options import LightningOptions, TorchHyperparameters
from autodc.seeds import integer
from autodc.table import Inputs, Table
from autodc.trial.fitting import drawn_plan, gather
from autodc.trial.outputs import TrainerError
from autodc.trial.recipes import TrainPhase
from autodc.trial.trainer import TrainingJob, TrainPart

Array = np.ndarray[Any, Any]
Form = Any
"""Some rows as a module gets them: a tensor, a list, or a dict of those, each as long as there are rows."""

READ_BYTES = 2**28
"""Numbers up to this size are made tensors once; larger ones batch by batch from the memory-mapped files."""
KEPT_BATCHES = 2
"""Batches that each worker of a loader has ready."""


@final
@dataclass(frozen=True, slots=True)
class Reading:
    """How rows become what the module is given; the facts are those of the training rows."""

    facts: Facts
    transform: Callable[[Any, bool], Any] | None = None
    """One example and whether it is trained on → what stands for it."""
    collate: Callable[[list[Any]], Any] | None = None
    """Examples → a batch; left out, torch's own."""

    def inputs(self, x: Inputs) -> Form:
        """Rows as `batch` takes them; images of bytes stay bytes, a quarter of what they are as numbers."""
        about = self.facts.x
        if about["wish"] is not None:
            x = image_rows.rows(x, Wish(**about["wish"]))
        if not isinstance(x, Table):
            return channels_first(np.asarray(x), about["layout"]) if about["layout"] else _numbers(np.asarray(x))
        return numbers(x, about) if x.kind == "table" else x.texts()

    def targets(self, y: Array) -> Form:
        """Class numbers, numbers or images as tensors, as `batch` takes them; anything else as it is."""
        about = self.facts.y
        if self.facts.kind == "classification":
            return torch.from_numpy(np.asarray(y).astype(np.int64))
        if about["layout"]:
            return channels_first(np.asarray(y), about["layout"])
        if self.facts.kind == "custom" and np.asarray(y).dtype.kind in "iu":
            return torch.from_numpy(np.asarray(y).astype(np.int64))
        return _numbers(np.asarray(y)) if np.asarray(y).dtype.kind in "fiub" else list(y)

    def batch(self, x: Form, y: Form | None) -> Any:
        """What the module is given: inputs and targets to train on, inputs alone to predict."""
        x = as_floats(x) if self.facts.x["layout"] else x
        y = as_floats(y) if y is not None and self.facts.y["layout"] else y
        if self.transform is None and self.collate is None:
            return x if y is None else [x, y]
        change = self.transform or (lambda one, training: one)
        changed = [change(taken(x, at), y is not None) for at in range(length(x))]
        examples = changed if y is None else [(one, taken(y, at)) for at, one in enumerate(changed)]
        return (self.collate or default_collate)(examples)


@final
@dataclass(frozen=True, slots=True)
class Batch:
    """One step of a phase, and the rows it takes of all parts together."""

    step: int
    rows: Array


@final
class MixtureRows(Dataset):  # type: ignore[misc]
    """The rows of a phase's parts, given out a whole batch at a time."""

    def __init__(self, phase: TrainPhase, reading: Reading, seed: int, adaptation: Adaptation | None = None) -> None:
        self._parts, self._adaptation = phase.parts, adaptation
        self._ends = np.cumsum([len(part.x) for part in phase.parts])
        self._x, self._y = [part.x for part in phase.parts], [part.y for part in phase.parts]
        self._reading, self._seed, self._phase = reading, seed, phase.index
        self._whole: tuple[Form, Form] | None = None
        if reading.facts.x["numbers"] and sum(x.nbytes for x in self._x) <= READ_BYTES:
            self._whole = joined([reading.inputs(x) for x in self._x]), joined([reading.targets(y) for y in self._y])

    def __len__(self) -> int:
        return sum(len(x) for x in self._x)

    def __getitems__(self, batch: Batch) -> Any:
        """The batch of one step; what is left to chance in it depends on the step, not on the worker."""
        x, y = self._rows(batch.rows)
        if self._adaptation is not None:
            of = torch.from_numpy(np.searchsorted(self._ends, batch.rows, side="right"))
            x = as_images(as_floats(x) if self._reading.facts.x["layout"] else x)
            x = as_they_were(self._adaptation(x, of, self._parts, self._phase, batch.step), self._reading)
        if self._reading.transform is None and self._reading.collate is None:
            return self._reading.batch(x, y)
        with seeded(integer(self._seed, "rows", self._phase, batch.step)):
            return self._reading.batch(x, y)

    def _rows(self, rows: Array) -> tuple[Form, Form]:
        if self._whole is not None:
            index = torch.from_numpy(rows)
            return taken(self._whole[0], index), taken(self._whole[1], index)
        ordered, places = np.unique(rows, return_inverse=True)
        x, y = (
            self._reading.inputs(gather(self._x, ordered)),
            self._reading.targets(np.asarray(gather(self._y, ordered))),
        )
        index = torch.from_numpy(places)
        return taken(x, index), taken(y, index)


@final
class DrawnBatches(Sampler):  # type: ignore[misc]
    """The batches of a phase by weight, epoch after epoch without a seam; the last epoch may be cut short."""

    def __init__(self, phase: TrainPhase, batch_size: int, steps: int, seed: int) -> None:
        self._plan = drawn_plan(phase, batch_size, steps, seed)
        self._epoch = min(steps, steps_an_epoch(phase, batch_size))
        self._done = 0

    def __len__(self) -> int:
        return self._epoch

    def __iter__(self) -> Iterator[Batch]:
        first, self._done = self._done, self._done + self._epoch
        for step in range(first, min(self._done, len(self._plan))):
            yield Batch(step, self._plan[step])


def steps_an_epoch(phase: TrainPhase, batch_size: int) -> int:
    """Steps in which every row of a phase is drawn as often as its weight says."""
    return max(1, -(-sum(round(part.weight * len(part.x)) for part in phase.parts) // batch_size))


def adaptation_of(job: TrainingJob, reading: Reading) -> Adaptation | None:
    """What recipe `adapt` does to rows before a module or its transform gets them; None under another recipe.

    Raises TrainerError ADC-TRAIN-114 where inputs are neither images nor numbers alone.
    """
    if job.recipe != "adapt":
        return None
    some = reading.inputs(job.train[0].x[:1])
    if not isinstance(some, torch.Tensor) or some.dim() not in (2, 3, 4):
        got = f"rows of shape {tuple(some.shape[1:])}" if isinstance(some, torch.Tensor) else type(some).__name__
        hint = "columns of numbers or images have statistics; say options: {size: [h, w]} where files are images"
        raise TrainerError("ADC-TRAIN-114", "recipe adapt is for images and numbers", "lightning", got, hint)
    known = TorchHyperparameters.model_fields
    told = {name: job.hyperparameters.get(name, known[name].default) for name in ("adapt_strength", "adapt_statistics")}

    def floats(part: TrainPart, x: Inputs) -> torch.Tensor:
        rows = reading.inputs(x)
        return as_images(as_floats(rows) if reading.facts.x["layout"] else rows)

    strength, statistics = float(cast(Any, told["adapt_strength"])), bool(told["adapt_statistics"])
    wide = some.shape[1] if some.dim() == 2 else None
    return Adaptation(job, floats, strength=strength, statistics=statistics, numbers=wide)


def as_images(x: torch.Tensor) -> torch.Tensor:
    """Rows (n, h, w) with one channel; others as they are."""
    return x[:, None] if x.dim() == 3 else x


def as_they_were(x: torch.Tensor, reading: Reading) -> torch.Tensor:
    """The same without the channel that they do not have."""
    return x[:, 0] if x.dim() == 4 and len(reading.facts.x["shape"]) == 2 else x


def loader(
    phase: TrainPhase,
    reading: Reading,
    options: LightningOptions,
    size: int,
    steps: int,
    seed: int,
    adaptation: Adaptation | None = None,
) -> Any:
    """The DataLoader of a phase. size: rows of a batch."""
    more = {"prefetch_factor": KEPT_BATCHES, "persistent_workers": True} if options.workers else {}
    return DataLoader(
        MixtureRows(phase, reading, seed, adaptation),
        batch_sampler=DrawnBatches(phase, size, steps, seed),
        collate_fn=_as_it_is,
        num_workers=options.workers,
        generator=torch.Generator().manual_seed(integer(seed, "loader", phase.index)),
        **more,
    )


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Python's, numpy's and torch's chance from a seed inside the block; as they were afterwards."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.random.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        torch.set_rng_state(before[2])


def length(form: Form) -> int:
    """How many rows there are."""
    return length(next(iter(form.values()))) if isinstance(form, Mapping) else len(form)


def taken(form: Form, index: Any) -> Form:
    """One row, or the rows of an index."""
    if isinstance(form, Mapping):
        return {name: taken(values, index) for name, values in form.items()}
    if isinstance(form, list) and not isinstance(index, int):
        return [form[at] for at in index.tolist()]
    return form[index] if isinstance(index, int) else form.index_select(0, index)


def joined(forms: Sequence[Form]) -> Form:
    """The rows of several, one after the other."""
    first = forms[0]
    if isinstance(first, Mapping):
        return {name: joined([form[name] for form in forms]) for name in first}
    return [row for form in forms for row in form] if isinstance(first, list) else torch.cat(list(forms))


def _numbers(x: Array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(x.astype(np.float32)))


def _as_it_is(batch: Any) -> Any:
    return cast(Any, batch)
