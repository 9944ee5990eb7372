"""The trainer `torch_tabular`: a multi-layer perceptron on standardised columns and embedded categories."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from autodc.adapters.trainers import tabular_rows as rows_of
from autodc.adapters.trainers.networks import DEFAULT_WIDTH, mlp
from autodc.adapters.trainers.options import TorchTabularOptions, torch_hyperparameters
from autodc.adapters.trainers.torch_model import TorchModel, device, read_facts, read_weights
from autodc.adapters.trainers.torch_scaling import scaled, target_scale, unscaled
from autodc.adapters.trainers.torch_steps import Codec, Prepared, TorchFitting, loss_of
from autodc.table import Inputs
from autodc.trial.recipes import SYNTHETIC
from autodc.trial.trainer import TrainingJob

Array = np.ndarray[Any, Any]


@final
class TorchTabular(TorchFitting):
    """Trains an MLP on rows of numbers, standardised by the mixture; a missing value reads as the mean.

    Of a table dates are numbers of days, text is hashed into numbers, and each category has an embedding.
    """

    def __init__(self, options: TorchTabularOptions, folder: str) -> None:
        self._options = options

    def prepare(self, job: TrainingJob) -> Prepared:
        """Build or load the network."""
        hyper = torch_hyperparameters(self._options, dict(job.hyperparameters))
        if job.recipe == "continue" and job.warm_start is not None:
            model = self.load(job.warm_start)
        else:
            facts = _facts(job, {**hyper.model_dump(), "width": hyper.width or DEFAULT_WIDTH["mlp"]})
            model = TorchModel(_network(facts, *_input_scale(job, facts, hyper.adapt_statistics)), facts)
        codec = Codec(
            inputs=lambda x: _tensor(x, model.facts),
            targets=lambda y: _targets(y, model.facts),
            numbers=rows_of.n_numbers(model.facts),
        )
        loss = loss_of(job.kind, hyper, self._options.loss)
        return Prepared(model=model, hyper=hyper, steps=self._options.steps, codec=codec, loss=loss)

    def predict(self, model: TorchModel, x: Inputs) -> Array:
        """Class probabilities (n, C) or values (n, ...)."""
        facts = model.facts
        with torch.inference_mode():
            out = model.network(_tensor(x, facts).to(device())).float()
            out = functional.softmax(out, dim=1) if facts["kind"] == "classification" else unscaled(out, facts)
        array: Array = out.cpu().numpy()
        return array

    def load(self, folder: Path) -> TorchModel:
        """Read a model back; its architecture and its standardisation are the saved ones."""
        facts = read_facts(folder)
        blank = torch.zeros(rows_of.n_numbers(facts))
        model = TorchModel(_network(facts, blank, blank + 1), facts)
        read_weights(model.network, folder)
        return model


EMBEDDED = 16
"""A category is embedded in at most so many numbers."""


@final
class _Standardised(nn.Module):  # type: ignore[misc]
    """Standardises numbers, reads missing ones as the mean, embeds codes of categories, then runs the network."""

    def __init__(self, facts: Mapping[str, Any], mean: torch.Tensor, scale: torch.Tensor) -> None:
        super().__init__()
        cards = rows_of.cards(facts)
        sizes = [min(EMBEDDED, 1 + round(card**0.5)) for card in cards]
        self.inner = mlp((len(mean) + sum(sizes), 1, 1), facts["outputs"], facts["hyper"])
        self.embed = nn.ModuleList(nn.Embedding(card, size) for card, size in zip(cards, sizes, strict=True))
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def in_order(self) -> list[nn.Module]:
        """From the inputs to the outputs, which is not the order they were made in."""
        return [*self.embed, self.inner]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        numbers = torch.nan_to_num((x[:, : len(self.mean)] - self.mean) / self.scale)
        codes = x[:, len(self.mean) :].long()
        out: torch.Tensor = self.inner(
            torch.cat([numbers, *(embed(codes[:, at]) for at, embed in enumerate(self.embed))], dim=1)
        )
        return out


def _network(facts: Mapping[str, Any], mean: torch.Tensor, scale: torch.Tensor) -> nn.Module:
    return _Standardised(facts, mean, scale).to(device())


def _facts(job: TrainingJob, hyper: dict[str, Any]) -> dict[str, Any]:
    parts, y = [part for part in job.train if part.weight > 0 and len(part.x)], job.train[0].y
    facts = {"kind": job.kind, "hyper": hyper, **rows_of.described(parts or job.train), "y_shape": list(y.shape[1:])}
    if job.kind == "classification":
        return {**facts, "outputs": job.n_classes}
    return {**facts, "outputs": int(np.prod(y.shape[1:])), **target_scale(job)}


def _input_scale(job: TrainingJob, facts: Mapping[str, Any], aligned: bool) -> tuple[torch.Tensor, torch.Tensor]:
    parts = [part for part in job.train if part.weight > 0 and len(part.x)]
    if job.recipe == "adapt" and aligned:  # rows that were made are matched to the base before they come here
        parts = [part for part in parts if SYNTHETIC not in part.tags] or parts
    mean, scale = rows_of.moments(parts, facts)
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(scale.astype(np.float32))


def _tensor(x: Inputs, facts: Mapping[str, Any]) -> torch.Tensor:
    return torch.from_numpy(rows_of.encoded(x, facts))


def _targets(y: Array, facts: Mapping[str, Any]) -> torch.Tensor:
    if facts["kind"] == "classification":
        return torch.from_numpy(y.astype(np.int64))
    return scaled(y, facts)
