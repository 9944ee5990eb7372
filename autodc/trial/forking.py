"""The capability of a trainer to fork: one training goes on from a point on its way once for every dataset.

It tells what a few steps with some of a dataset change, everything else being the same, at a hundredth of what a
training with the dataset costs. A trainer that has a method `fork` is one that can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np

from autodc.trial.trainer import TrainingJob, TrainPart

Array = np.ndarray[Any, Any]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ForkingJob:
    """A training of which a part is done, and what it goes on with."""

    training: TrainingJob
    """The plan it is of; its budget is that of a full training, its warm start and seed are meant as ever."""
    datasets: tuple[TrainPart, ...]
    """One fork each; a dataset may be in the mixture too."""
    after: float
    """Share of the full budget that is trained before the first fork, once for all of them."""
    steps: float
    """Share of the full budget that each fork goes on for."""
    batch: float
    """Share of each batch of a fork whose rows are drawn from its dataset, in place of those of the mixture."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Forked:
    """What a forked training gives back."""

    outputs: Mapping[str, Array]
    """Part → predictions, shape (1 + datasets, n, ...): of the control, which goes on with the mixture alone, then of
    every fork in the order of its datasets."""
    train_seconds: float
    """Time of all fitting."""


class ForkingTrainer(Protocol):
    """A trainer that can fork. The same job gives bit-identical outputs on one machine."""

    def fork(self, job: ForkingJob) -> Forked:
        """Train up to the point, then go on as the control and as every fork, and predict with each.

        The control and the forks have the same batches but for the rows of the dataset, and the same chance. Nothing
        is saved.
        """
        ...


def can_fork(trainer: Any) -> bool:
    """Whether a trainer, or the class of one, has the capability."""
    return callable(getattr(trainer, "fork", None))
