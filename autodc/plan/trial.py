"""A trial: one training of one plan with one seed; an outcome: what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, final

import numpy as np

from autodc.plan.plan import Plan

Array = np.ndarray[Any, Any]


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
    warm_start: int | None = None
    """The trial whose model it continues."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "number": self.number,
            "plan": self.plan.to_dict(),
            "seed": self.seed,
            "phase": self.phase,
            "fidelity": self.fidelity,
            "warm_start": self.warm_start,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Trial:
        """Read back `to_dict`."""
        return cls(**{**value, "plan": Plan.from_dict(value["plan"])})


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
        """JSON form; without what is empty where rows are not cut."""
        found = asdict(self)
        return found if self.explore else {k: v for k, v in found.items() if k not in ("explore", "explore_soft")}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Outcome:
        """Read back `to_dict`."""
        return cls(**value)
