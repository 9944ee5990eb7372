"""Recipe `adapt`: what is done to the inputs of datasets tagged `synthetic` before a network sees them.

Their statistics are matched to the base's, and they vary more than real rows do, so that a network does not learn how
they were made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import torch

from autodc.large import evenly
from autodc.plan.mixture import BASE
from autodc.seeds import integer
from autodc.table import Inputs
from autodc.trial.recipes import SYNTHETIC
from autodc.trial.trainer import TrainingJob, TrainPart

Moments = tuple[torch.Tensor, torch.Tensor]
"""Mean and standard deviation of each channel, or column of numbers."""
SAMPLE = 2000
"""Statistics are of so many rows of a dataset, evenly spaced."""
SHIFT, CONTRAST, BRIGHTNESS, NOISE = 1 / 6, 0.5, 0.5, 0.25
"""At strength 1: pixels of a side that an image moves by at most; what its contrast changes by; and in standard
deviations of the base what is added to all of it, and to each pixel or number by chance."""


@final
class Adaptation:
    """Statistics alignment and augmentation, the same for the same step whatever came before it."""

    def __init__(
        self,
        job: TrainingJob,
        floats: Callable[[TrainPart, Inputs], torch.Tensor],
        *,
        strength: float,
        statistics: bool,
        numbers: int | None,
    ) -> None:
        """floats: rows of a part as the network has them, (n, channels, height, width) or (n, columns).

        numbers: so many leading columns are numbers; None of images.
        """
        self._floats, self._numbers, self._seed = floats, numbers, job.seed
        self._strength, self._statistics = strength, statistics
        self._base = next((part for part in job.train if part.name == BASE), None)
        self._known: dict[str, Moments] = {}

    def __call__(
        self, x: torch.Tensor, of: torch.Tensor, parts: Sequence[TrainPart], phase: int, step: int
    ) -> torch.Tensor:
        """The rows of a step. of: which of the parts each is of."""
        made = torch.tensor([SYNTHETIC in part.tags for part in parts], device=x.device)[of]
        at = made.nonzero()[:, 0]
        if not len(at):
            return x
        rows, columns = x[at], x.shape[1] if self._numbers is None else self._numbers
        numbers, which = rows[:, :columns], of[at]
        each = [self._moments(part) for part in parts]
        base = self._moments(self._base) if self._base is not None else None
        mean, scale = (_spread(torch.stack(values).to(x)[which], x.dim()) for values in zip(*each, strict=True))
        if self._statistics and base is not None:
            towards, wide = (_spread(one.to(x)[None], x.dim()) for one in base)
            numbers = (numbers - mean) * torch.where((scale > 0) & (wide > 0), wide / scale, 1.0) + towards
        if self._strength > 0:
            unit = scale if base is None else _spread(base[1].to(x)[None], x.dim())
            chance = torch.Generator().manual_seed(integer(self._seed, "adapt", phase, step))
            numbers = _varied(numbers, self._strength, unit, chance)
        out = x.clone()
        out[at] = torch.cat([numbers, rows[:, columns:]], dim=1)
        return out

    def _moments(self, part: TrainPart) -> Moments:
        if part.name not in self._known:
            some = part.x[evenly(len(part.x), SAMPLE)]
            self._known[part.name] = _moments_of(self._floats(part, some)[:, : self._numbers])
        return self._known[part.name]


def _moments_of(x: torch.Tensor) -> Moments:
    """Over rows and pixels, what is missing left out."""
    values = x.double().transpose(0, 1).flatten(1)
    there = values.isfinite()
    count = there.sum(1).clamp(min=1)
    mean = values.where(there, 0.0).sum(1) / count
    spread = (((values - mean[:, None]) ** 2).where(there, 0.0).sum(1) / count).sqrt()
    return mean.float(), spread.float()


def _varied(x: torch.Tensor, strength: float, unit: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Images moved, with other contrast, brightness and noise; tables with noise alone. unit: of what is added."""
    if x.dim() == 4:
        x = _moved(x, strength, chance)
        middle = x.mean(dim=(2, 3), keepdim=True)
        x = middle + (x - middle) * (1 + strength * CONTRAST * _between(x, chance))
        x = x + strength * BRIGHTNESS * unit * _between(x, chance)
    noise = torch.randn(x.shape, generator=chance).to(x)
    return x + strength * NOISE * unit * noise * torch.rand(_one_a_row(x), generator=chance).to(x)


def _moved(x: torch.Tensor, strength: float, chance: torch.Generator) -> torch.Tensor:
    """Each image moved by up to the same share of its sides, its edge repeated."""
    at: list[Any] = [torch.arange(len(x), device=x.device)[:, None, None]]
    for side in x.shape[2:]:
        most = round(strength * SHIFT * side)
        by = torch.randint(-most, most + 1, (len(x), 1), generator=chance)
        at.append((torch.arange(side) + by).clamp(0, side - 1).to(x.device))
    return x[at[0], :, at[1][:, :, None], at[2][:, None, :]].permute(0, 3, 1, 2)


def _between(x: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """A number from -1 to 1 for each row."""
    return (torch.rand(_one_a_row(x), generator=chance) * 2 - 1).to(x)


def _one_a_row(x: torch.Tensor) -> tuple[int, ...]:
    return (len(x), *(1,) * (x.dim() - 1))


def _spread(values: torch.Tensor, dimensions: int) -> torch.Tensor:
    """(rows, channels) → (rows, channels, 1, …)."""
    return values.reshape(*values.shape, *(1,) * (dimensions - 2))
