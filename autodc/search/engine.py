"""What the study asks of a search: suggest the next plan, recommend the best one. Values in, values out.

The engine is a function of (problem, seed, number, observations, running): the same call gives the same plan. A roster
that has grown is another problem, and has an engine of its own; plans of before have weight 0 for what is new.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from autodc.plan.mixture import BASE
from autodc.plan.plan import Plan
from autodc.studyfile.study import ParameterSpec

Array = np.ndarray[Any, Any]

DRAWS = 400
"""Draws of the posterior that an outlook is made of."""

WITH_DATA = frozenset({"pretrain_finetune", "label_adapt", "adapt", "curriculum"})
"""Recipes that say what becomes of datasets beside the base, and are `concat` without any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchProblem:
    """The space and what is good in it."""

    datasets: tuple[str, ...]
    """The candidates, in the order of the study."""
    hyperparameters: Mapping[str, ParameterSpec]
    recipes: tuple[str, ...]
    max_weight: float
    """The largest weight of each."""
    targets: Mapping[str, float]
    """Target slice → weight in the objective."""
    guards: Mapping[str, float]
    """Slice → margin."""
    start: Plan
    """The plan the study begins with."""
    enqueue: tuple[Mapping[str, float], ...] = ()
    tradeoffs: tuple[str, ...] = ()
    """What is searched for beside the objective, as named in `Observation.tradeoffs`."""
    probes: Mapping[str, float] = field(default_factory=dict)
    """Dataset → a number known before, larger for what is believed to help."""
    probed: bool = False
    """Whether these were measured in this very study, by forks: the opening is then short."""
    descriptors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Dataset → numbers that say what it holds, equally many of each; similar datasets are tried together first where
    there are many (`clusters.py`)."""

    limits: Mapping[str, float] = field(default_factory=dict)
    """Trade-off → to how many times that of the start it may grow in what is recommended."""
    plain: bool = True
    """Whether what is recommended goes back to weight 1, and inside ranges, where nothing else is believed better."""

    inert: frozenset[str] = WITH_DATA
    """Recipes that are plain training where a mixture gives them nothing to do."""

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
    """One finished training. A number below 0: it was borrowed from another study, and comes before all others."""

    number: int
    plan: Plan
    seed: int
    values: Mapping[str, float]
    """Slice → oriented metric (up is better), empty where it failed."""
    soft: Mapping[str, float] = field(default_factory=dict)
    """Slice → mean soft score (up is better), empty where it is not known."""
    fidelity: float = 1.0
    tradeoffs: Mapping[str, float] = field(default_factory=dict)
    """Name → oriented value, those that were measured."""

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
    """The plan believed best by posterior mean, never the luckiest trial."""

    plan: Plan
    mean: float
    sd: float
    """mean, sd: posterior of its objective."""
    worth: Mapping[str, float] = field(default_factory=dict)
    """Dataset of the plan → expected loss of objective when it alone is left out (may be negative: the plan is believed
    better without it)."""
    effects: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Every candidate → expected gain of adding it to the recommended plan at its best weight (its worth where it is
    in), with its sd."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """The weight that effect is at."""
    tuned: Plan | None = None
    """The best plan with the datasets of `required` alone, for the tuning decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPoint:
    """A trained plan that no other is believed to beat in everything."""

    plan: Plan
    mean: float
    sd: float
    """mean, sd: posterior of its objective."""
    tradeoffs: Mapping[str, float]
    """Name → posterior mean, oriented."""
    seen: float
    """The objective's observed mean."""
    seen_tradeoffs: Mapping[str, float]
    """Name → observed mean."""
    trials: tuple[int, ...]
    """Numbers of its trainings."""


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
        mixture: Mapping[str, float] | None = None,
        recipe: str | None = None,
        pretrain: frozenset[str] | None = None,
    ) -> Suggestion:
        """Propose the plan of search trial `number` (counted over search trials from 0).

        observed: all that is visible, in order of number, a prefix that only grows from call to call;
        running: planned and not yet visible; excluded: datasets fixed at weight 0; mixture: the weights that the plan
        has exactly, so that its settings alone are searched, never those of an opening; recipe, pretrain: beside a
        mixture the recipe, and the datasets of stage `pretrain`, that the plan has.
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

    def settle(
        self,
        observed: Sequence[Observation],
        mixture: Mapping[str, float],
        recipe: str | None = None,
        pretrain: frozenset[str] | None = None,
    ) -> Plan | None:
        """Return the plan of exactly this mixture (dataset → weight) at the settings believed best by posterior mean.

        Best among those that keep the guards, where any do. recipe: the only one that is looked at, where it is given;
        pretrain: beside it exactly the datasets of that stage. None where nothing was observed, or all failed.
        Raises ValueError for a recipe nobody knows.
        """
        ...

    def beliefs(self, observed: Sequence[Observation], plan: Plan) -> Mapping[str, tuple[float, float]] | None:
        """Say of every dataset of a plan what the objective is believed to lose without it alone: (mean, sd).

        The sd is that of the noiseless objective on the rows of the search; which rows these are is not in it. None
        where nothing was observed, or every training failed.
        """
        ...

    def guard_beliefs(
        self, observed: Sequence[Observation], plan: Plan
    ) -> Mapping[str, Mapping[str, tuple[float, float]]] | None:
        """Say the same of every guard that was ever measured: guard → dataset of the plan → (mean, sd)."""
        ...


@runtime_checkable
class TellsOpening(Protocol):
    """An engine that says beforehand whether a trial is one of its opening: it need not suggest one to be asked that.

    One that does not say is asked for a suggestion, whose origin tells.
    """

    def opens(self, number: int, observed: Sequence[Observation]) -> bool:
        """Whether what is free of search trial `number` is an entry of the opening."""
        ...
