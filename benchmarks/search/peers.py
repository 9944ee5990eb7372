"""The peers: how each spends its trainings, and what it would answer after any number of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from autodc import seeds
from autodc.search import Observation, Plan, SearchEngine, SearchProblem, make_engine
from autodc.search.optuna_engine import OptunaEngine
from benchmarks.search.loops import Greedy, NaiveLoop
from benchmarks.search.regmix import RegMix

LAG = 4
Train = Callable[[Plan, str], Observation]
"""Trains a plan under the seed of a key; raises Spent when there is nothing left to train with."""


class Peer(Protocol):
    """A way to search."""

    def run(self, train: Train) -> None:
        """Train until `train` raises Spent, or until the method is at its end."""
        ...

    def pick(self, seen: Sequence[Observation]) -> Plan | None:
        """Its own answer after these trainings, a prefix of those it made; None where that is our recommender's."""
        ...


class Sampler:
    """An engine, four trainings in flight: it knows all but the last three when it is asked."""

    def __init__(self, engine: SearchEngine, problem: SearchProblem, *, ours: bool = False) -> None:
        self._engine, self._problem, self._ours = engine, problem, ours

    def run(self, train: Train) -> None:
        """Ask and tell."""
        seen: list[Observation] = []
        while True:
            known = max(0, len(seen) - LAG + 1)
            found = self._engine.suggest(len(seen), seen[:known], [o.plan for o in seen[known:]])
            seen.append(train(found.plan, found.seed_key))

    def pick(self, seen: Sequence[Observation]) -> Plan | None:
        """Ours recommends. The others: the trial with the best value, as Optuna's `best_trial`."""
        if self._ours:
            return None
        return max(seen, key=lambda o: objective(self._problem, o.values)).plan


class Fixed:
    """No search at all."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def run(self, train: Train) -> None:
        """Train nothing."""

    def pick(self, seen: Sequence[Observation]) -> Plan:
        """Always the same."""
        return self._plan


def objective(problem: SearchProblem, values: Mapping[str, float]) -> float:
    """Weighted mean of the targets; a failed training is below all others."""
    if not values:
        return -np.inf
    return sum(w * values[n] for n, w in problem.targets.items()) / sum(problem.targets.values())


def _sampler(name: str, **options: Any) -> Callable[[SearchProblem, int], Peer]:
    def made(problem: SearchProblem, seed: int) -> Peer:
        engine = OptunaEngine(name, problem, seed, options) if options else make_engine(name, problem, seed)
        return Sampler(engine, problem, ours=name == "mixture")

    return made


def _uniform(problem: SearchProblem, seed: int) -> Peer:
    start = problem.start
    return Fixed(Plan.of(dict.fromkeys(problem.datasets, 1.0), dict(start.hyperparameters), start.recipe))


def _shapley(problem: SearchProblem, seed: int) -> Peer:
    from benchmarks.search.shapley import Shapley

    return Shapley(problem, seeds.integer(seed, "shapley"))


PEERS: Mapping[str, Callable[[SearchProblem, int], Peer]] = {
    "mixture": _sampler("mixture"),
    "random": _sampler("random"),
    "tpe": _sampler("TPESampler", multivariate=False),
    "tpe-multivariate": _sampler("TPESampler", multivariate=True),
    "gp": _sampler("GPSampler"),
    "naive": NaiveLoop,
    "naive-3": lambda problem, seed: NaiveLoop(problem, seed, pairs=3),
    "greedy-3": Greedy,
    "regmix": RegMix,
    "shapley": _shapley,
    "uniform": _uniform,
    "base": lambda problem, seed: Fixed(problem.start),
}
TITLES: Mapping[str, str] = {
    "mixture": "mixture (ours)",
    "random": "random",
    "tpe": "Optuna TPE, plain",
    "tpe-multivariate": "Optuna TPE, multivariate",
    "gp": "Optuna GPSampler",
    "naive": "naive loop",
    "naive-3": "naive loop, three paired seeds",
    "greedy-3": "greedy, three paired seeds",
    "regmix": "RegMix style",
    "shapley": "data-Shapley (pyDVL)",
    "uniform": "uniform",
    "base": "base only",
}
