"""Targets that are numbers, brought to a common scale for a network and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autodc.large import pieces_of
from autodc.trial.trainer import TrainingJob, TrainPart

Array = np.ndarray[Any, Any]


def target_scale(job: TrainingJob) -> dict[str, Any]:
    """`y_mean` and `y_scale` of the facts: mean and standard deviation of the training targets, parts by weight.

    A number of one output, of several a list; the deviation of constants is 1.
    """
    parts = [part for part in job.train if part.weight > 0]
    total = sum(part.weight * len(part.y) for part in parts)
    mean = sum(weight * values.sum(axis=0) for values, weight in _pieces_of_targets(parts)) / total
    squares = sum(weight * ((values - mean) ** 2).sum(axis=0) for values, weight in _pieces_of_targets(parts)) / total
    spreads = [float(spread) if spread > 0 else 1.0 for spread in np.sqrt(squares)]
    return {"y_mean": _single([float(one) for one in mean]), "y_scale": _single(spreads)}


def _pieces_of_targets(parts: Sequence[TrainPart]) -> Iterator[tuple[Array, float]]:
    """Targets as decimal numbers, shape (n, outputs), some at a time, with the weight of their part."""
    for part in parts:
        for rows in pieces_of(len(part.y)):
            yield np.asarray(part.y[rows], dtype=np.float64).reshape(rows.stop - rows.start, -1), part.weight


def scaled(y: Array, facts: Mapping[str, Any]) -> torch.Tensor:
    """Targets in standard deviations of the training targets, (n, outputs)."""
    mean, scale = (np.asarray(facts[name], dtype=np.float32) for name in ("y_mean", "y_scale"))
    return torch.from_numpy(((y.astype(np.float32).reshape(len(y), -1) - mean) / scale).astype(np.float32))


def unscaled(out: torch.Tensor, facts: Mapping[str, Any]) -> torch.Tensor:
    """The inverse of `scaled`, (n, …) in the shape of the targets."""
    mean, scale = (torch.tensor(facts[name], dtype=torch.float32, device=out.device) for name in ("y_mean", "y_scale"))
    return (out * scale + mean).reshape(len(out), *facts["y_shape"])


def _single(values: list[float]) -> float | list[float]:
    return values[0] if len(values) == 1 else values
