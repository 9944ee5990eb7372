"""The peers: how each spends its trainings, and what it would answer after any number of them.

RegMix and data-Shapley stand in files of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from autodc import seeds
from autodc.search import Observation, Plan, SearchEngine, SearchProblem, make_engine
from autodc.search.optuna_engine import OptunaEngine
from benchmarks.search.regmix import RegMix
from benchmarks.search.worlds import objective

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
        return None if self._ours else max(seen, key=lambda o: objective(self._problem, o.values)).plan


class Fixed:
    """No search at all."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def run(self, train: Train) -> None:
        """Train nothing."""

    def pick(self, seen: Sequence[Observation]) -> Plan:
        """Always the same."""
        return self._plan


class Loop:
    """Add datasets one by one, at the hyperparameters the study starts with, while the mean over the targets rises.

    pairs: 1 is the loop of the article (S. Derhy, 2022): the incumbent's value is the one it was kept with; with more,
    both arms are trained on the same fresh seeds. greedy: add the best of a sweep, not the first that rose.
    """

    def __init__(self, problem: SearchProblem, seed: int, pairs: int = 1, greedy: bool = False) -> None:
        self._problem, self._pairs, self._greedy = problem, pairs, greedy
        self._order = [str(n) for n in seeds.generator(seed, "order").permutation(problem.datasets)]
        self._kept: list[tuple[int, Plan]] = [(0, problem.start)]
        self._trained = self._blocks = 0

    def pick(self, seen: Sequence[Observation]) -> Plan:
        """The incumbent after as many trainings."""
        return next(plan for count, plan in reversed(self._kept) if count <= len(seen))

    def run(self, train: Train) -> None:
        """Go round until the trainings are spent or everything is in."""
        keys = self._keys()
        held = self._scores(train, self._kept[-1][1], keys)
        while left := self._left():
            kept, rose = self._kept[-1], dict[str, np.ndarray]()
            for name in left:
                if self._pairs == 1:
                    keys = self._keys()
                scores = self._scores(train, self._with(name), keys)
                if self._greedy:
                    rose[name] = scores
                elif float((scores - held).mean()) > 0:
                    held = scores
                    self._kept.append((self._trained, self._with(name)))
            best = max(rose, key=lambda n: float(rose[n].mean()), default="")
            if best and float((rose[best] - held).mean()) > 0:
                held = rose[best]
                self._kept.append((self._trained, self._with(best)))
            again = kept is self._kept[-1] if self._greedy else self._pairs > 1
            if again and self._left():
                keys = self._keys()
                held = self._scores(train, self._kept[-1][1], keys)

    def _left(self) -> list[str]:
        return [n for n in self._order if n not in self._kept[-1][1].mixture]

    def _with(self, name: str) -> Plan:
        start = self._problem.start
        return Plan.of({**dict(self._kept[-1][1].mixture), name: 1.0}, dict(start.hyperparameters), start.recipe)

    def _scores(self, train: Train, plan: Plan, keys: Sequence[str]) -> np.ndarray:
        """The objective under every seed."""
        found = []
        for key in keys:
            found.append(objective(self._problem, train(plan, key).values))
            self._trained += 1
        return np.array(found)

    def _keys(self) -> list[str]:
        """Seeds that were not used before."""
        self._blocks += 1
        return [f"block-{self._blocks}-{i}" for i in range(self._pairs)]


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


PEERS: Mapping[str, tuple[str, Callable[[SearchProblem, int], Peer]]] = {
    "mixture": ("mixture (ours)", _sampler("mixture")),
    "random": ("random", _sampler("random")),
    "tpe": ("Optuna TPE, plain", _sampler("TPESampler", multivariate=False)),
    "tpe-multivariate": ("Optuna TPE, multivariate", _sampler("TPESampler", multivariate=True)),
    "gp": ("Optuna GPSampler", _sampler("GPSampler")),
    "naive": ("naive loop", Loop),
    "naive-3": ("naive loop, three paired seeds", lambda problem, seed: Loop(problem, seed, 3)),
    "greedy-3": ("greedy, three paired seeds", lambda problem, seed: Loop(problem, seed, 3, greedy=True)),
    "regmix": ("RegMix style", RegMix),
    "shapley": ("data-Shapley (pyDVL)", _shapley),
    "uniform": ("uniform", _uniform),
    "base": ("base only", lambda problem, seed: Fixed(problem.start)),
}
"""Name → title on the page, and how it is made for a problem and a seed."""
