"""What the study asks of a search: suggest the next plan, recommend the best one. Values in, values out.

The engine is a function of (problem, seed, number, observations, running): the same call gives the same plan. A roster
that has grown is another problem, and has an engine of its own; plans of before have weight 0 for what is new.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.studyfile.study import ParameterSpec

Array = np.ndarray[Any, Any]

DRAWS = 400
"""Draws of the posterior that an outlook is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchProblem:
    """The space and what is good in it.

    datasets: the candidates, in the order of the study; max_weight: the largest weight of each;
    targets: target slice → weight in the objective; guards: slice → margin; start: the plan the study begins with;
    tradeoffs: what is searched for beside the objective, as named in `Observation.tradeoffs`;
    probes: dataset → a number known before, larger for what is believed to help;
    descriptors: dataset → numbers that say what it holds, equally many of each; similar datasets are tried together
    first where there are many (`clusters.py`).
    """

    datasets: tuple[str, ...]
    hyperparameters: Mapping[str, ParameterSpec]
    recipes: tuple[str, ...]
    max_weight: float
    targets: Mapping[str, float]
    guards: Mapping[str, float]
    start: Plan
    enqueue: tuple[Mapping[str, float], ...] = ()
    tradeoffs: tuple[str, ...] = ()
    probes: Mapping[str, float] = field(default_factory=dict)
    descriptors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError for a problem that has nothing to improve, or a mixture that no trial may have."""
        if not self.targets:
            raise ValueError("targets: name at least one slice and its weight in the objective; found none")
        for name, weight in (pair for mixture in self.enqueue for pair in mixture.items()):
            if name == BASE and weight == 1:
                continue
            if name not in self.datasets:
                raise ValueError(f"enqueue: there is no dataset {name!r}; found {', '.join(self.datasets) or 'none'}")
            if not 0 <= weight <= self.max_weight:
                raise ValueError(f"enqueue: the weight of {name!r} is from 0 to {self.max_weight:g}; found {weight}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One finished training. A number below 0: it was borrowed from another study, and comes before all others.

    values: slice → oriented metric (up is better), empty where it failed; tradeoffs: name → oriented value, those
    that were measured.
    """

    number: int
    plan: Plan
    seed: int
    values: Mapping[str, float]
    fidelity: float = 1.0
    tradeoffs: Mapping[str, float] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the training gave no values."""
        return not self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A plan to train; seed_key: trials with the same key share the training seed (fold-over pairs)."""

    plan: Plan
    seed_key: str
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The plan believed best by posterior mean, never the luckiest trial.

    mean, sd: posterior of its objective; worth: dataset of the plan → expected loss of objective when it alone is left
    out (may be negative: the plan is believed better without it); tuned: the best plan with the datasets of
    `required` alone, for the tuning decision; effects: every candidate → expected gain of adding it to the
    recommended plan at its best weight (its worth where it is in), with its sd; weights: the weight that effect is at.
    """

    plan: Plan
    mean: float
    sd: float
    worth: Mapping[str, float] = field(default_factory=dict)
    effects: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    tuned: Plan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPoint:
    """A trained plan that no other is believed to beat in everything.

    mean, sd: posterior of its objective; tradeoffs: name → posterior mean, oriented; seen: the objective's observed
    mean; seen_tradeoffs: name → observed mean; trials: numbers of its trainings.
    """

    plan: Plan
    mean: float
    sd: float
    tradeoffs: Mapping[str, float]
    seen: float
    seen_tradeoffs: Mapping[str, float]
    trials: tuple[int, ...]


def oriented(cost: float) -> float | None:
    """A trade-off as the search knows it, up is better: minus its logarithm; None where it was not measured."""
    return -math.log(cost) if math.isfinite(cost) and cost > 0 else None


def natural(value: float) -> float:
    """The inverse of `oriented`."""
    return math.exp(-value)


class SearchEngine(Protocol):
    """A sampler and a recommender over one problem."""

    def suggest(
        self,
        number: int,
        observed: Sequence[Observation],
        running: Sequence[Plan],
        excluded: frozenset[str] = frozenset(),
    ) -> Suggestion:
        """Propose the plan of search trial `number` (counted over search trials from 0).

        observed: all that is visible, in order of number, a prefix that only grows from call to call;
        running: planned and not yet visible; excluded: datasets fixed at weight 0.
        """
        ...

    def recommend(
        self,
        observed: Sequence[Observation],
        required: frozenset[str] = frozenset(),
        excluded: frozenset[str] = frozenset(),
    ) -> Recommendation:
        """Recommend the best plan that holds every `required` dataset (weight above 0) and no `excluded` one."""
        ...

    def front(self, observed: Sequence[Observation]) -> tuple[FrontPoint, ...]:
        """Return the trained plans none is believed to beat, best objective first; empty without trade-offs."""
        ...

    def outlook(self, observed: Sequence[Observation], plans: Sequence[Plan]) -> Array | None:
        """Draw the noiseless objective of these plans from the posterior, jointly, shape (DRAWS, m).

        None where nothing was observed, or every training failed.
        """
        ...
