"""A trial: one training of one plan with one seed; an outcome: what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, final

import numpy as np

from autodc.plan.plan import Plan

Array = np.ndarray[Any, Any]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Forks:
    """A probe: one training that stops on the way, and goes on from there once for every dataset, and once as it was.

    All goes on for the same steps on the same batches, but that a part of each batch is of the dataset.
    """

    datasets: tuple[str, ...]
    """One fork each, in this order; the control comes before them."""
    after: float
    """Share of a full training after which it forks."""
    steps: float
    """Share of a full training that each fork goes on for."""
    batch: float
    """Share of each batch that is of the dataset."""

    @property
    def cost(self) -> float:
        """What all of it takes, in full trainings."""
        return round(self.after + self.steps * (1 + len(self.datasets)), 6)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {**asdict(self), "datasets": list(self.datasets)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Forks:
        """Read back `to_dict`."""
        return cls(**{**value, "datasets": tuple(value["datasets"])})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One planned training."""

    number: int
    """Position in the study, from 0."""
    plan: Plan
    seed: int
    phase: str
    """The phase in whose name it is trained, as the journal calls it."""
    fidelity: float = 1.0
    """What it is charged as, in full trainings."""
    warm_start: int | None = None
    """The trial whose model it continues."""
    forks: Forks | None = None
    """What it is forked into; such a training measures nothing of its plan."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "number": self.number,
            "plan": self.plan.to_dict(),
            "seed": self.seed,
            "phase": self.phase,
            "fidelity": self.fidelity,
            "warm_start": self.warm_start,
            **({} if self.forks is None else {"forks": self.forks.to_dict()}),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Trial:
        """Read back `to_dict`."""
        forks = Forks.from_dict(value["forks"]) if value.get("forks") else None
        return cls(**{**value, "plan": Plan.from_dict(value["plan"]), "forks": forks})


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a trial, without the per-example arrays, which lie in `outcomes/<arrays>.npz`."""

    status: Literal["done", "failed", "cancelled"]
    slices: Mapping[str, float] = field(default_factory=dict)
    """Slice → primary metric on its gate rows, oriented so that up is better."""
    soft: Mapping[str, float] = field(default_factory=dict)
    """Slice → mean soft score on its gate rows, up is better."""
    explore: Mapping[str, float] = field(default_factory=dict)
    explore_soft: Mapping[str, float] = field(default_factory=dict)
    """explore, explore_soft: both on the explore rows; empty where rows are not cut, and in journals of before."""
    arrays: str = ""
    """Content address of the per-example arrays, or "" where the trial failed. A `cancelled` trial was ended by the
    study's own clock: it says nothing of its plan."""
    outputs: str = ""
    """Content address of the predictions, kept for the model of the start and the incumbents."""
    forks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Of a probe: dataset → slice → change of the soft score by its fork, up is better."""
    forked: str = ""
    """Of a probe: content address of the soft score of every row in every fork."""
    train_seconds: float = 0.0
    predict_ms: float = 0.0
    model_mb: float = 0.0
    started: float = 0.0
    ended: float = 0.0
    seconds: float = 0.0
    """As in `trial.executor.Completion`."""
    attempts: int = 1
    error: str = ""

    @property
    def took(self) -> float:
        """Seconds of the training; by the wall clock where a journal of before knows nothing better."""
        return self.seconds or max(0.0, self.ended - self.started)

    @property
    def searched(self) -> Mapping[str, float]:
        """What the search may see of it: slice → oriented metric on the explore rows, on all where none are cut."""
        return self.explore or self.slices

    @property
    def searched_soft(self) -> Mapping[str, float]:
        """The same of the soft score."""
        return self.explore_soft if self.explore else self.soft

    def to_dict(self) -> dict[str, Any]:
        """JSON form; without what is empty where rows are not cut, or where nothing was forked."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        absent = (() if self.explore else ("explore", "explore_soft")) + (() if self.forks else ("forks", "forked"))
        return {name: value for name, value in found.items() if name not in absent}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Outcome:
        """Read back `to_dict`."""
        return cls(**value)
