"""What the torch trainers share: a deterministic setting, the step loop over the phases of a recipe, saving."""

from __future__ import annotations

import copy
import math
import os
import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from autodc.adapters.trainers.adaptation import Adaptation
from autodc.adapters.trainers.difficulty import by_difficulty
from autodc.adapters.trainers.freezing import freeze
from autodc.adapters.trainers.label_adapters import OWN_ROWS, LabelAdapters, label_adapters
from autodc.adapters.trainers.options import TorchHyperparameters
from autodc.adapters.trainers.torch_model import TorchModel, device, save_model
from autodc.large import evenly, some_places
from autodc.seeds import integer
from autodc.studyfile.study import TaskKind
from autodc.trial.fitting import AbstractFitting, draw, n_steps
from autodc.trial.forking import Forked, ForkingJob
from autodc.trial.method import batches_of
from autodc.trial.recipes import TrainPhase, phases
from autodc.trial.trainer import TrainingJob, TrainPart

Array = np.ndarray[Any, Any]
Pair = tuple[torch.Tensor, torch.Tensor]
"""Inputs and targets of some rows."""
Rows = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Beside them which dataset each row is of."""
DEFAULT_LR = {"adam": 5e-3, "sgd": 5e-2}
ADAM_BETA2 = 0.999
PART_BYTES = 2 << 20
"""Inputs of a batch that go through a network at once on a CPU: what it makes of them on the way, forward and back, may
be ten times as large. Gradients of the parts of a larger batch are added up."""
PIECE_ROWS = 64
"""Rows that maps of classes learn from go through the network so many at a time: images may be large."""
FORK = 1000
"""In place of the number of a phase: the rows of a fork are drawn by a chance of their own."""


@final
@dataclass(frozen=True, slots=True)
class Codec:
    """How rows become tensors: many at once, then batch by batch what the network has.

    Bytes stay bytes until they are in a batch: as float32 so many rows would take four times the memory.
    """

    inputs: Callable[[Any], torch.Tensor]
    targets: Callable[[Array], torch.Tensor]
    batch: Callable[[torch.Tensor, torch.Tensor], Pair] | None = None
    """Inputs and targets of a batch as the network has them; left out, as they are."""
    augment: Callable[[torch.Tensor, torch.Tensor], Pair] | None = None
    """What is done to a batch by chance before a step."""
    numbers: int | None = None
    """So many leading columns of the inputs are numbers; None where they are images."""

    def floats(self, part: TrainPart, x: Any) -> torch.Tensor:
        """Some rows of a dataset as the network has them."""
        inputs = self.inputs(x)
        return inputs if self.batch is None else self.batch(inputs, self.targets(part.y[:1]))[0]


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Seed torch and forbid operations that differ from run to run; put everything back afterwards."""
    if torch.cuda.is_available():
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with it
    before = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A network that is about to be trained, and how."""

    model: TorchModel
    hyper: TorchHyperparameters
    steps: int
    """Of a full training."""
    codec: Codec
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    rows_alone: bool = False
    """Whether the network sees each row by itself (no normalisation over a batch) and the loss is a mean over rows: a
    batch may then go through in parts, with the same gradient up to rounding."""
    adaptation: Adaptation | None = None
    """Under recipe `adapt`."""
    adapters: LabelAdapters | None = None
    """Under recipe `label_adapt`."""


class TorchFitting(AbstractFitting[TorchModel]):
    """A trainer of networks that says how one is prepared; it trains and forks."""

    @abstractmethod
    def prepare(self, job: TrainingJob) -> Prepared:
        """Build or load the network of a job; torch is seeded already."""

    def fit(self, job: TrainingJob) -> TorchModel:
        """Build or load the network and run the recipe; the same job gives the same bits."""
        with deterministic(integer(job.seed, "network")):
            ready = _for_recipe(self.prepare(job), job)
            ready.model.network.train()
            for phase in by_difficulty(phases(job, ready.hyper.model_dump()), job):
                _ = Leg(ready, job, phase).run()
            ready.model.network.eval()
        return ready.model

    def fork(self, job: ForkingJob) -> Forked:
        """Train up to the point, and go on from it as the control and as every fork."""
        training, outputs, seconds = job.training, dict[str, list[Array]](), 0.0
        with deterministic(integer(training.seed, "network")):
            ready, began = _for_recipe(self.prepare(training), training), time.perf_counter()
            for _ in forked(ready, job):
                seconds += time.perf_counter() - began
                for name, x in training.predict.items():
                    predicted = np.concatenate([self.predict(ready.model, rows) for rows in batches_of(x)])
                    outputs.setdefault(name, []).append(predicted)
                began = time.perf_counter()
        stacked = {name: np.stack(each) for name, each in outputs.items()}
        return Forked(outputs=stacked, train_seconds=seconds)

    def save(self, model: TorchModel, folder: Path) -> None:
        """Write weights and facts."""
        save_model(model, folder)


@final
class Leg:
    """One phase of a recipe: its optimizer, its learning rates, its batches."""

    def __init__(self, ready: Prepared, job: TrainingJob, phase: TrainPhase) -> None:
        self._ready, self._job, self._phase = ready, job, phase
        self.count = n_steps(ready.steps, job, phase)
        torch.manual_seed(integer(job.seed, "steps", phase.index))
        hyper = ready.hyper
        if ready.adapters is not None and phase.index > 0:
            _teach(ready, ready.adapters, phase)
        if phase.frozen:
            freeze(ready.model.network, phase.frozen)
        self._optimizer = _optimizer(ready.model.network, hyper, ready.adapters)
        self._peak = (hyper.lr or DEFAULT_LR[hyper.optimizer]) * phase.lr_factor

    def run(self, first: int = 0, until: int | None = None, aside: Iterable[Rows] | None = None) -> Leg:
        """Take the steps from `first` to before `until`, the end of the phase where it is left out.

        aside: for every step the rows that stand in for the first ones of its batch.
        """
        ready, beside = self._ready, None if aside is None else iter(aside)
        until = self.count if until is None else until
        step = first
        for rows in rows_of_phase(ready, self._phase, ready.hyper.batch_size, until, self._job.seed, first):
            if beside is not None:
                other = next(beside)
                rows = tuple(torch.cat([a, b[len(a) :]]) for a, b in zip(other, rows, strict=True))
            self._step(*rows, step)
            step += 1
        return self

    def _step(self, x: torch.Tensor, y: torch.Tensor, of: torch.Tensor, step: int) -> None:
        ready = self._ready
        if ready.codec.augment is not None:
            x, y = ready.codec.augment(x, y)
        for group in self._optimizer.param_groups:
            group["lr"] = self._peak * _schedule(step, self.count, ready.hyper.warmup) * group.get("factor", 1.0)
        self._optimizer.zero_grad(set_to_none=True)
        for rows in _parts(x) if ready.rows_alone else (slice(None),):
            share = len(y[rows]) / len(y)
            outputs = ready.model.network(x[rows])
            if ready.adapters is not None:
                outputs = ready.adapters(outputs, of[rows])
            (ready.loss(outputs, y[rows]) * share).backward()
        self._optimizer.step()

    def state(self) -> tuple[Any, ...]:
        """Network, optimizer and chance as they are now."""
        devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        adapters = None if self._ready.adapters is None else self._ready.adapters.state_dict()
        held = (self._ready.model.network.state_dict(), self._optimizer.state_dict(), adapters)
        return (*copy.deepcopy(held), torch.get_rng_state(), devices)

    def restore(self, state: tuple[Any, ...]) -> None:
        """Put them back."""
        self._ready.model.network.load_state_dict(state[0])
        self._optimizer.load_state_dict(copy.deepcopy(state[1]))
        if self._ready.adapters is not None:
            self._ready.adapters.load_state_dict(state[2])
        torch.set_rng_state(state[3])
        if state[4]:
            torch.cuda.set_rng_state_all(state[4])


def _teach(ready: Prepared, adapters: LabelAdapters, phase: TrainPhase) -> None:
    """Let the maps of classes learn from the network as it is, which has seen the base alone."""
    network = ready.model.network
    network.eval()
    for part in phase.parts:
        if part.name in adapters.places:
            some = some_places(len(part.x), OWN_ROWS, PIECE_ROWS)
            with torch.no_grad():
                pieces = [network(ready.codec.floats(part, part.x[rows]).to(device())) for rows in some]
            codes = ready.codec.targets(np.asarray(part.y[evenly(len(part.y), OWN_ROWS)])).to(device())
            adapters.learn(adapters.places[part.name], torch.cat(pieces).float(), codes)
    network.train()


def _for_recipe(ready: Prepared, job: TrainingJob) -> Prepared:
    """With what the recipes bring that change rows or losses."""
    hyper, codec = ready.hyper, ready.codec
    if job.recipe == "adapt":
        adaptation = Adaptation(
            job,
            codec.floats,
            strength=hyper.adapt_strength,
            statistics=hyper.adapt_statistics,
            numbers=codec.numbers,
        )
        return replace(ready, adaptation=adaptation)
    if job.recipe == "label_adapt" and job.kind == "classification":
        adapters = label_adapters(job.train, job.n_classes)
        return replace(ready, adapters=None if adapters is None else adapters.to(device()))
    return ready


def _parts(x: torch.Tensor) -> tuple[slice, ...]:
    """The rows of a batch that go through the network at once: all, or where they are large a few at a time."""
    size = max(1, PART_BYTES * len(x) // max(1, x.numel() * x.element_size()))
    if size >= len(x) or x.device.type != "cpu":
        return (slice(None),)
    return tuple(slice(start, start + size) for start in range(0, len(x), size))


def batches_of_phase(
    codec: Codec, phase: TrainPhase, size: int, steps: int, seed: int, first: int = 0
) -> Iterator[Pair]:
    """The batches of a phase as tensors, drawn by weight, from step `first` on. size: rows of a batch."""
    for x, y, _ in _with_parts(codec, phase, size, steps, seed, first):
        yield x, y


def rows_of_phase(
    ready: Prepared, phase: TrainPhase, size: int, steps: int, seed: int, first: int = 0
) -> Iterator[Rows]:
    """The same as the recipe wants them, with the place of each row's dataset among the label adapters, else -1."""
    places = {} if ready.adapters is None else ready.adapters.places
    place = torch.tensor([places.get(part.name, -1) for part in phase.parts], device=device())
    for step, (x, y, of) in enumerate(_with_parts(ready.codec, phase, size, steps, seed, first), start=first):
        rows = x if ready.adaptation is None else ready.adaptation(x, of, phase.parts, phase.index, step)
        yield rows, y, place[of]


def _with_parts(codec: Codec, phase: TrainPhase, size: int, steps: int, seed: int, first: int) -> Iterator[Rows]:
    """Batches, and which part of the phase each row is of."""
    for drawn in draw(phase, size, steps, seed, first):
        x, y = codec.inputs(drawn.x).to(device()), codec.targets(drawn.y).to(device())
        part = torch.from_numpy(drawn.part).to(device())
        for rows in torch.from_numpy(drawn.batches).to(device()):
            pair = x.index_select(0, rows), y.index_select(0, rows)
            x_of_batch, y_of_batch = pair if codec.batch is None else codec.batch(*pair)
            yield x_of_batch, y_of_batch, part.index_select(0, rows)


def forked(ready: Prepared, job: ForkingJob) -> Iterator[None]:
    """Train up to the point; then, one after the other, make the network the control and every fork, ready to predict.

    The point is in the last phase of the recipe, at its beginning where it would come before it.
    """
    training, network = job.training, ready.model.network
    *before, last = by_difficulty(phases(training, ready.hyper.model_dump()), training)
    network.train()
    done = sum(Leg(ready, training, phase).run().count for phase in before)
    leg = Leg(ready, training, last)
    point = min(max(round(job.after * ready.steps) - done, 0), leg.count - 1)
    until = min(point + max(1, round(job.steps * ready.steps)), leg.count)
    state = leg.run(until=point).state()
    rows = max(1, round(job.batch * ready.hyper.batch_size))
    for dataset in (None, *job.datasets):
        leg.restore(state)
        network.train()
        leg.run(point, until, None if dataset is None else _rows_of(ready, dataset, rows, until - point, training.seed))
        network.eval()
        yield


def _rows_of(ready: Prepared, dataset: TrainPart, count: int, steps: int, seed: int) -> Iterator[Rows]:
    """So many rows of a dataset for every step, each row once before any comes again."""
    alone = TrainPhase(parts=(replace(dataset, weight=1.0),), share=1.0, lr_factor=1.0, index=FORK)
    return rows_of_phase(ready, alone, count, steps, seed)


def loss_of(
    kind: TaskKind, hyper: TorchHyperparameters, loss: str
) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The loss of a task: cross entropy, or mean squared or absolute error."""
    if kind == "classification":
        return lambda output, target: functional.cross_entropy(output, target, label_smoothing=hyper.label_smoothing)
    if loss == "l1":
        return functional.l1_loss
    return functional.mse_loss


def _optimizer(
    network: nn.Module, hyper: TorchHyperparameters, adapters: LabelAdapters | None
) -> torch.optim.Optimizer:
    parameters: list[Any] = [p for p in network.parameters() if p.requires_grad]
    if adapters is not None:
        own = {"params": list(adapters.parameters()), "factor": hyper.adapter_lr_factor}
        parameters = [{"params": parameters}, own]
    if hyper.optimizer == "adam":
        betas = (hyper.momentum, ADAM_BETA2)
        return torch.optim.AdamW(parameters, lr=1.0, betas=betas, weight_decay=hyper.weight_decay, fused=True)
    momentum = hyper.momentum
    return torch.optim.SGD(
        parameters, lr=1.0, momentum=momentum, nesterov=momentum > 0, weight_decay=hyper.weight_decay, fused=True
    )


def _schedule(step: int, steps: int, warmup: float) -> float:
    """Linear rise over the warm-up, then half a cosine to nought: the factor on the peak learning rate."""
    rise = warmup * steps
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1.0, steps - rise)))
