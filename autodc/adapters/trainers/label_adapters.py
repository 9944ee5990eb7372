"""Recipe `label_adapt`: datasets may name classes by a convention of their own, the model answers in that of the base.

Every dataset beside the base has a linear map on the scores of the classes, the identity at first, between the network
and its loss: what the dataset calls otherwise is learnt there, first of all by the map alone, from a network that knows
the base's rows. Classes that a dataset never names are left out of its
loss, so it says nothing against them. Predictions are the network's alone, which the base's rows teach directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from autodc.large import pieces_of
from autodc.plan.mixture import BASE
from autodc.trial.trainer import TrainPart

OWN_STEPS, OWN_RATE, OWN_ROWS = 60, 0.05, 2000
"""Of a map alone, before the network learns of its dataset: on so many of its rows at most, evenly spaced."""
LEFT_OUT = -1e4
"""The score of a class that a dataset never names: no probability, and no infinity where labels are smoothed."""


@final
class LabelAdapters(nn.Module):  # type: ignore[misc]
    """A map on scores for each dataset beside the base, and the classes that it names."""

    def __init__(self, parts: Sequence[TrainPart], n_classes: int) -> None:
        super().__init__()
        others = [part for part in parts if part.name != BASE]
        self.places = {part.name: place for place, part in enumerate(others)}
        """Dataset → its map."""
        self.change = nn.Parameter(torch.zeros(len(others), n_classes, n_classes))
        """Added to the identity, so that a decay of weights is one towards the convention of the base."""
        self.bias = nn.Parameter(torch.zeros(len(others), n_classes))
        self.register_buffer("named", torch.from_numpy(np.stack([_named(part, n_classes) for part in others])))

    def forward(self, scores: torch.Tensor, of: torch.Tensor) -> torch.Tensor:
        """Scores (n, C) in the conventions of the datasets that rows are of; of: their places, -1 for the base's."""
        place, own = of.clamp(min=0), (of >= 0)[:, None]
        mapped = scores + torch.einsum("nij,nj->ni", self.change[place], scores) + self.bias[place]
        mapped = mapped.masked_fill(~self.named[place], LEFT_OUT)
        return torch.where(own, mapped, scores)

    def learn(self, place: int, scores: torch.Tensor, codes: torch.Tensor) -> None:
        """Teach the map of a dataset alone, on what a network says of rows (n, C) and their classes (n,)."""
        of = torch.full((len(codes),), place, device=scores.device)
        optimizer = torch.optim.Adam(self.parameters(), lr=OWN_RATE)
        for _ in range(OWN_STEPS):
            optimizer.zero_grad(set_to_none=True)
            functional.cross_entropy(self(scores, of), codes).backward()
            optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def label_adapters(parts: Sequence[TrainPart], n_classes: int) -> LabelAdapters | None:
    """The maps of a training; None where there is the base alone."""
    drawn = [part for part in parts if round(part.weight * len(part.x)) > 0]
    return LabelAdapters(drawn, n_classes) if any(part.name != BASE for part in drawn) else None


def _named(part: TrainPart, n_classes: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    named = np.zeros(n_classes, dtype=np.bool_)
    for rows in pieces_of(len(part.y)):
        named[np.asarray(part.y[rows], dtype=np.int64)] = True
    return named
