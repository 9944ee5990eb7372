"""Peers that go round the candidates one by one, at the hyperparameters the study starts with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autodc import seeds
from autodc.search import Observation, Plan, SearchProblem

Train = Callable[[Plan, str], Observation]


class _Loop:
    """What the loops share: an incumbent that grows, remembered by the number of trainings it took."""

    def __init__(self, problem: SearchProblem, seed: int) -> None:
        self._problem = problem
        self._order = [str(n) for n in seeds.generator(seed, "order").permutation(problem.datasets)]
        self._kept: list[tuple[int, Plan]] = [(0, problem.start)]
        self._trained = 0
        self._blocks = 0

    def pick(self, seen: Sequence[Observation]) -> Plan:
        """The incumbent after as many trainings."""
        return next(plan for count, plan in reversed(self._kept) if count <= len(seen))

    @property
    def _incumbent(self) -> Plan:
        return self._kept[-1][1]

    def _advance(self, plan: Plan) -> None:
        self._kept.append((self._trained, plan))

    def _left(self) -> list[str]:
        return [n for n in self._order if n not in self._incumbent.mixture]

    def _with(self, name: str) -> Plan:
        start, held = self._problem.start, dict(self._incumbent.mixture)
        return Plan.of({**held, name: 1.0}, dict(start.hyperparameters), start.recipe)

    def _scores(self, train: Train, plan: Plan, keys: Sequence[str]) -> np.ndarray:
        """The objective under every seed."""
        found = []
        weights = self._problem.targets
        for key in keys:
            values = train(plan, key).values
            self._trained += 1
            found.append(sum(w * values[n] for n, w in weights.items()) if values else -np.inf)
        return np.array(found) / sum(weights.values())

    def _keys(self, pairs: int) -> list[str]:
        """Seeds that were not used before."""
        self._blocks += 1
        return [f"block-{self._blocks}-{i}" for i in range(pairs)]


class NaiveLoop(_Loop):
    """Add one dataset, retrain, keep it if the mean rose; then the next, and round again for ever.

    pairs: 1 is the loop of the article (S. Derhy, 2022): the incumbent's value is the one it was kept with; with more,
    both arms are trained on the same fresh seeds.
    """

    def __init__(self, problem: SearchProblem, seed: int, pairs: int = 1) -> None:
        super().__init__(problem, seed)
        self._pairs = pairs

    def run(self, train: Train) -> None:
        """Go round until the trainings are spent or everything is in."""
        keys = self._keys(self._pairs)
        held = self._scores(train, self._incumbent, keys)
        while self._left():
            for name in self._left():
                plan = self._with(name)
                fresh = self._scores(train, plan, self._keys(1) if self._pairs == 1 else keys)
                if float((fresh - held).mean()) > 0:
                    held = fresh
                    self._advance(plan)
            if self._pairs > 1 and self._left():
                keys = self._keys(self._pairs)
                held = self._scores(train, self._incumbent, keys)


class Greedy(_Loop):
    """Forward selection: try every candidate on three paired seeds, add the best of them, and sweep again.

    Where none was better than the incumbent, the sweep is repeated with fresh seeds.
    """

    PAIRS = 3

    def run(self, train: Train) -> None:
        """Sweep until the trainings are spent or everything is in."""
        keys = self._keys(self.PAIRS)
        held = self._scores(train, self._incumbent, keys)
        while self._left():
            found = {name: self._scores(train, self._with(name), keys) for name in self._left()}
            best = max(found, key=lambda n: float(found[n].mean()))
            if float((found[best] - held).mean()) > 0:
                held = found[best]
                self._advance(self._with(best))
            else:
                keys = self._keys(self.PAIRS)
                held = self._scores(train, self._incumbent, keys)
