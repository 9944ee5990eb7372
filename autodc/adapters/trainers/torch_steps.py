"""What the torch trainers share: a deterministic setting, the step loop over the phases of a recipe, saving."""

from __future__ import annotations

import json
import math
import os
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from autodc.adapters.trainers.options import TorchHyperparameters
from autodc.seeds import integer
from autodc.studyfile.study import TaskKind
from autodc.trial.fitting import draw, n_steps, phases
from autodc.trial.outputs import TrainerError
from autodc.trial.trainer import TrainingJob

Array = np.ndarray[Any, Any]
DEFAULT_LR = {"adam": 5e-3, "sgd": 5e-2}
ADAM_BETA2 = 0.999


@final
@dataclass(frozen=True, slots=True)
class TorchModel:
    """A network and the plain facts needed to build it again and to read its inputs and outputs."""

    network: nn.Module
    facts: Mapping[str, Any]


@final
@dataclass(frozen=True, slots=True)
class Codec:
    """How rows become tensors: inputs, targets, and what is done to a batch of both before a step."""

    inputs: Callable[[Array], torch.Tensor]
    targets: Callable[[Array], torch.Tensor]
    augment: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]] | None = None


def device() -> torch.device:
    """The GPU that this process was given, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


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


def train_steps(
    network: nn.Module,
    job: TrainingJob,
    hyper: TorchHyperparameters,
    steps: int,
    codec: Codec,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> None:
    """Run every phase of the job's recipe: `steps` × fidelity in all, whatever the mixture."""
    network.train()
    for phase in phases(job):
        count = n_steps(steps, job, phase)
        torch.manual_seed(integer(job.seed, "steps", phase.index))
        optimizer = _optimizer(network, hyper)
        peak = (hyper.lr or DEFAULT_LR[hyper.optimizer]) * phase.lr_factor
        step = 0
        for drawn in draw(phase, hyper.batch_size, count, job.seed):
            x, y = codec.inputs(drawn.x).to(device()), codec.targets(drawn.y).to(device())
            for rows in torch.from_numpy(drawn.batches).to(device()):
                xb, yb = x[rows], y[rows]
                if codec.augment is not None:
                    xb, yb = codec.augment(xb, yb)
                for group in optimizer.param_groups:
                    group["lr"] = peak * _schedule(step, count, hyper.warmup)
                optimizer.zero_grad(set_to_none=True)
                loss(network(xb), yb).backward()
                optimizer.step()
                step += 1
    network.eval()


def loss_of(
    kind: TaskKind, hyper: TorchHyperparameters, loss: str
) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """The loss of a task: cross entropy, or mean squared or absolute error."""
    if kind == "classification":
        return lambda output, target: functional.cross_entropy(output, target, label_smoothing=hyper.label_smoothing)
    if loss == "l1":
        return functional.l1_loss
    return functional.mse_loss


def target_scale(job: TrainingJob) -> tuple[float, float]:
    """Mean and standard deviation of the training targets, parts by weight; the deviation of constants is 1."""
    weights = np.concatenate([np.full(len(p.y), p.weight) for p in job.train if p.weight > 0])
    values = np.concatenate(
        [np.asarray(p.y, dtype=np.float64).reshape(len(p.y), -1) for p in job.train if p.weight > 0]
    )
    mean = float(np.average(values.mean(axis=1), weights=weights))
    deviation = float(np.sqrt(np.average(((values - mean) ** 2).mean(axis=1), weights=weights)))
    return mean, deviation if deviation > 0 else 1.0


def save_model(model: TorchModel, folder: Path) -> None:
    """Write `weights.pt` and `model.json`."""
    torch.save(model.network.state_dict(), folder / "weights.pt")
    (folder / "model.json").write_text(json.dumps(dict(model.facts), sort_keys=True), encoding="utf-8")


def read_facts(folder: Path) -> dict[str, Any]:
    """Read `model.json`; raises TrainerError where the folder holds no model of ours."""
    try:
        facts: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainerError("ADC-TRAIN-030", "this folder holds no saved model", str(folder), str(error)) from error
    return facts


def read_weights(network: nn.Module, folder: Path) -> None:
    """Load `weights.pt` into a network, ready to predict; raises TrainerError where it does not fit."""
    try:
        network.load_state_dict(torch.load(folder / "weights.pt", map_location=device(), weights_only=True))
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainerError("ADC-TRAIN-031", "the saved weights do not fit", str(folder), str(error)) from error
    network.eval()


def _optimizer(network: nn.Module, hyper: TorchHyperparameters) -> torch.optim.Optimizer:
    parameters = [p for p in network.parameters() if p.requires_grad]
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
