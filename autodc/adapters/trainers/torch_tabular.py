"""The trainer `torch_tabular`: a multi-layer perceptron on standardised columns, for classes or values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from autodc.adapters.trainers.networks import DEFAULT_WIDTH, mlp
from autodc.adapters.trainers.options import TorchTabularOptions, torch_hyperparameters
from autodc.adapters.trainers.torch_steps import (
    Codec,
    Prepared,
    TorchFitting,
    TorchModel,
    device,
    loss_of,
    read_facts,
    read_weights,
    target_scale,
)
from autodc.trial.outputs import TrainerError
from autodc.trial.trainer import TrainingJob

Array = np.ndarray[Any, Any]


@final
class TorchTabular(TorchFitting):
    """Trains an MLP on rows of numbers, standardised by the mixture; a missing value reads as the mean."""

    def __init__(self, options: TorchTabularOptions, folder: str) -> None:
        self._options = options

    def prepare(self, job: TrainingJob) -> Prepared:
        """Build or load the network."""
        hyper = torch_hyperparameters(self._options, dict(job.hyperparameters))
        if job.recipe == "continue" and job.warm_start is not None:
            model = self.load(job.warm_start)
        else:
            facts = _facts(job, {**hyper.model_dump(), "width": hyper.width or DEFAULT_WIDTH["mlp"]})
            model = TorchModel(_network(facts, *_input_scale(job)), facts)
        codec = Codec(inputs=lambda x: _tensor(x, model.facts["n_columns"]), targets=lambda y: _targets(y, model.facts))
        loss = loss_of(job.kind, hyper, self._options.loss)
        return Prepared(model=model, hyper=hyper, steps=self._options.steps, codec=codec, loss=loss)

    def predict(self, model: TorchModel, x: Array) -> Array:
        """Class probabilities (n, C) or values (n, ...)."""
        facts = model.facts
        with torch.inference_mode():
            out = model.network(_tensor(x, facts["n_columns"]).to(device())).float()
            if facts["kind"] == "classification":
                out = functional.softmax(out, dim=1)
            else:
                out = (out * facts["y_scale"] + facts["y_mean"]).reshape(len(x), *facts["y_shape"])
        array: Array = out.cpu().numpy()
        return array

    def load(self, folder: Path) -> TorchModel:
        """Read a model back; its architecture and its standardisation are the saved ones."""
        facts = read_facts(folder)
        blank = torch.zeros(facts["n_columns"])
        model = TorchModel(_network(facts, blank, blank + 1), facts)
        read_weights(model.network, folder)
        return model


@final
class _Standardised(nn.Module):  # type: ignore[misc]
    """Standardises, reads missing values as the mean, then runs the network."""

    def __init__(self, inner: nn.Module, mean: torch.Tensor, scale: torch.Tensor) -> None:
        super().__init__()
        self.inner = inner
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scaled = torch.nan_to_num((x - self.mean) / self.scale)
        out: torch.Tensor = self.inner(scaled)
        return out


def _network(facts: Mapping[str, Any], mean: torch.Tensor, scale: torch.Tensor) -> nn.Module:
    network = mlp((facts["n_columns"], 1, 1), facts["outputs"], facts["hyper"])
    return _Standardised(network, mean, scale).to(device())


def _facts(job: TrainingJob, hyper: dict[str, Any]) -> dict[str, Any]:
    x, y = job.train[0].x, job.train[0].y
    n_columns = int(np.prod(x.shape[1:]))
    facts = {"kind": job.kind, "hyper": hyper, "n_columns": n_columns, "y_shape": list(y.shape[1:])}
    if job.kind == "classification":
        return {**facts, "outputs": job.n_classes}
    mean, scale = target_scale(job)
    return {**facts, "outputs": int(np.prod(y.shape[1:])), "y_mean": mean, "y_scale": scale}


def _input_scale(job: TrainingJob) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each column over the mixture, rows by weight, missing values left out."""
    parts = [part for part in job.train if part.weight > 0 and len(part.x)]
    x = np.concatenate([np.asarray(p.x, dtype=np.float64).reshape(len(p.x), -1) for p in parts])
    weights = np.concatenate([np.full(len(p.x), p.weight) for p in parts])[:, None] * ~np.isnan(x)
    total = np.maximum(weights.sum(axis=0), np.finfo(np.float64).tiny)
    filled = np.nan_to_num(x)
    mean = (filled * weights).sum(axis=0) / total
    scale = np.sqrt((((filled - mean) ** 2) * weights).sum(axis=0) / total)
    scale[scale == 0] = 1.0
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(scale.astype(np.float32))


def _tensor(x: Array, n_columns: int) -> torch.Tensor:
    if x.dtype.kind not in "fiub" or int(np.prod(x.shape[1:])) != n_columns:
        problem = f"inputs do not fit, {n_columns} numbers a row are needed"
        raise TrainerError("ADC-TRAIN-034", problem, "torch_tabular", f"rows of {x.shape[1:]} {x.dtype}")
    return torch.from_numpy(x.reshape(len(x), n_columns).astype(np.float32))


def _targets(y: Array, facts: Mapping[str, Any]) -> torch.Tensor:
    if facts["kind"] == "classification":
        return torch.from_numpy(y.astype(np.int64))
    scaled = (y.astype(np.float32).reshape(len(y), -1) - facts["y_mean"]) / facts["y_scale"]
    return torch.from_numpy(scaled.astype(np.float32))
