"""Data-Shapley by pyDVL: the players are the datasets, the utility is one training at the start's hyperparameters.

Source: Ghorbani and Zou, Data Shapley, 2019, sampled by permutations (`pydvl.valuation.ShapleyValuation`). The answer
is every dataset of positive value at weight 1. The bare base and everything together are trained once and remembered.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autodc.search import Observation, Plan, SearchProblem
from benchmarks.search.peers import Train
from benchmarks.search.worlds import objective

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pydvl.utils.status import Status
    from pydvl.valuation import Dataset, PermutationSampler, ShapleyValuation
    from pydvl.valuation.stopping import StoppingCriterion
    from pydvl.valuation.utility.base import UtilityBase


class Shapley:
    """Permutation sampling until the trainings are spent; the values are read off after every permutation."""

    def __init__(self, problem: SearchProblem, seed: int) -> None:
        self._problem, self._seed = problem, seed
        self._trained = 0
        self._values: list[tuple[int, np.ndarray]] = []

    def run(self, train: Train) -> None:
        """Fit values for ever."""
        utility = _Utility(lambda members: self._utility(train, members), len(self._problem.datasets))
        sampler = PermutationSampler(seed=self._seed)
        valuation = ShapleyValuation(
            utility,
            sampler,
            _Watch(lambda values: self._values.append((self._trained, values.copy()))),
            progress=False,
            show_warnings=False,
        )
        size = len(self._problem.datasets)
        valuation.fit(Dataset(np.arange(float(size)).reshape(-1, 1), np.zeros(size)))

    def pick(self, seen: Sequence[Observation]) -> Plan:
        """Every dataset of positive value; the start before the first permutation has ended."""
        known = [values for count, values in self._values if count <= len(seen)]
        if not known:
            return self._problem.start
        return self._plan([i for i, value in enumerate(known[-1]) if value > 0])

    def _plan(self, members: Sequence[int]) -> Plan:
        start = self._problem.start
        weights = {self._problem.datasets[i]: 1.0 for i in members}
        return Plan.of(weights, dict(start.hyperparameters), start.recipe)

    def _utility(self, train: Train, members: Sequence[int]) -> float:
        values = train(self._plan(members), f"utility-{self._trained}").values
        self._trained += 1
        return objective(self._problem, values)


class _Utility(UtilityBase[Any]):
    def __init__(self, score: Callable[[Sequence[int]], float], size: int) -> None:
        self._score, self._size = score, size
        self._ends: dict[int, float] = {}

    def __call__(self, sample: Any) -> float:
        members = [] if sample is None else sorted(int(i) for i in sample.subset)
        if len(members) not in (0, self._size):
            return self._score(members)
        if len(members) not in self._ends:
            self._ends[len(members)] = self._score(members)
        return self._ends[len(members)]


class _Watch(StoppingCriterion):
    """Never stops; reports the values."""

    def __init__(self, note: Callable[[np.ndarray], None]) -> None:
        super().__init__()
        self._note = note

    def _check(self, result: Any) -> Status:
        self._note(result.values)
        return Status.Pending

    def completion(self) -> float:
        return 0.0
