"""Published runs as a world: a table of mixtures that were trained, and what each came to. Nothing is trained.

github.com/sail-sg/regmix (folder data, MIT licence): 512 language models of one million parameters, each on its own
mixture of 17 domains, and their losses on 13 slices. A method may only "train" rows of the table. 0 of the gap is the
mean of the table (a mixture drawn blindly), 1 its best row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from autodc import seeds
from autodc.search import Plan, SearchProblem
from autodc.search.history import History
from autodc.search.history import Record as Training
from autodc.search.mixture_engine import PlanBook
from autodc.search.surrogates.models import Modeller

Array = np.ndarray[Any, Any]
Propose = Callable[["Table", Sequence[int], np.random.Generator], int]

FIRST, LONGEST, GOAL = 8, 100, 0.95
REPEATS = 20
IN_FLIGHT = 4
REGRESSION = {"n_estimators": 200, "learning_rate": 0.05, "min_child_samples": 3, "num_threads": 1, "verbosity": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The published runs. mixtures: (n, K) proportions; losses: (n, slices); value: (n,) share of the gap."""

    domains: tuple[str, ...]
    slices: tuple[str, ...]
    mixtures: Array
    losses: Array

    @property
    def value(self) -> Array:
        """Share of the gap of every row, by the mean over slices."""
        mean = -self.losses.mean(1)
        return (mean - mean.mean()) / (mean.max() - mean.mean())

    @classmethod
    def read(cls, folder: Path) -> Table:
        """Read the two files. Raises SystemExit with the place where one is missing."""
        files = [folder / "train_mixture_1m.csv", folder / "train_pile_loss_1m.csv"]
        if lost := [str(f) for f in files if not f.exists()]:
            raise SystemExit(f"not there: {', '.join(lost)}; copy the folder data of github.com/sail-sg/regmix")
        mixtures, losses = (pd.read_csv(f).set_index("index") for f in files)
        losses = losses.loc[mixtures.index]
        return cls(
            domains=tuple(str(c) for c in mixtures.columns),
            slices=tuple(str(c) for c in losses.columns),
            mixtures=mixtures.to_numpy(float),
            losses=losses.to_numpy(float),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRecord:
    """share: of the gap, of the row recommended after 1, 2, … trainings."""

    method: str
    repeat: int
    first: int
    share: tuple[float, ...]
    seconds: float
    stamp: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> ReplayRecord:
        """Read back `to_dict`."""
        return cls(**{**value, "share": tuple(value["share"])})


class Replay:
    """Our surrogate over the rows of a table; `roots` false gives it weights as they are instead of their roots."""

    def __init__(self, table: Table, *, roots: bool = True, thompson: bool = True) -> None:
        self._table, self._thompson = table, thompson
        problem = SearchProblem(
            datasets=table.domains,
            hyperparameters={},
            recipes=("concat",),
            max_weight=1.0,
            targets=dict.fromkeys(table.slices, 1.0),
            guards={},
            start=Plan.of({}, {}),
        )
        book = PlanBook(problem)
        self._space = book.space
        self._modeller = Modeller(book.space.features, book.space.data_features, problem.targets)
        self._targets: Mapping[str, float] = problem.targets
        self._rows = np.sqrt(table.mixtures) if roots else table.mixtures
        self._features = book.space.features(self._rows)

    def run(self, rng: np.random.Generator, length: int) -> list[float]:
        """Return the share of the recommended row after each training from the first on."""
        size = len(self._rows)
        used = [int(i) for i in rng.choice(size, FIRST, replace=False)]
        found = []
        while True:
            best = int(np.argmax(self._model(used).predict(self._features)[0]))
            found.append(float(self._table.value[best]))
            if len(used) == length:
                return found
            used.append(self._next(used, rng))

    def _next(self, used: Sequence[int], rng: np.random.Generator) -> int:
        """The unused row that is best under one draw, made when all but the last three trainings were known."""
        free = np.setdiff1d(np.arange(len(self._rows)), used)
        if not self._thompson:
            return int(rng.choice(free))
        drawn = self._model(used[: max(FIRST, len(used) - IN_FLIGHT + 1)]).sampled(rng)
        return int(free[np.argmax(drawn(self._features[free]))])

    def _model(self, used: Sequence[int]) -> Any:
        slices = self._table.slices
        records = [
            Training(row=self._rows[i], seed=i, values=dict(zip(slices, -self._table.losses[i], strict=True)))
            for i in used
        ]
        return self._modeller.objective(History.of(records, len(self._space), self._targets, ()))


def lightgbm_shares(table: Table, rng: np.random.Generator, length: int) -> list[float]:
    """RegMix's own regression on random rows: one LightGBM a slice, the row of the best mean prediction."""
    from lightgbm import LGBMRegressor

    order = rng.permutation(len(table.mixtures))
    found = []
    for count in range(FIRST, length + 1, IN_FLIGHT):
        used = order[:count]
        predicted = np.zeros(len(table.mixtures))
        for column in table.losses.T:
            model = LGBMRegressor(**REGRESSION)
            predicted += model.fit(table.mixtures[used], column[used]).predict(table.mixtures)
        found += [float(table.value[int(np.argmin(predicted))])] * IN_FLIGHT
    return found[: length - FIRST + 1]


METHODS: Mapping[str, Callable[[Table, np.random.Generator, int], list[float]]] = {
    "ours": lambda table, rng, n: Replay(table).run(rng, n),
    "ours, raw weights": lambda table, rng, n: Replay(table, roots=False).run(rng, n),
    "random rows, our recommender": lambda table, rng, n: Replay(table, thompson=False).run(rng, n),
    "random rows, LightGBM a slice": lightgbm_shares,
}


def replay(table: Table, job: tuple[str, int], length: int) -> ReplayRecord:
    """Run one method once on one thread."""
    method, repeat = job
    with threadpool_limits(limits=1):
        began = time.process_time()
        share = METHODS[method](table, seeds.generator(repeat, "replay", method), length)
        seconds = time.process_time() - began
    rounded = tuple(round(s, 3) for s in share)
    return ReplayRecord(method=method, repeat=repeat, first=FIRST, share=rounded, seconds=round(seconds, 1))
