"""A real case: rows of natural sources, in parts that share none, and what is asked of a model trained on them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.plan.mixture import BASE, epoch_rows
from autodc.plan.plan import Plan
from autodc.search.space import start_hyperparameters
from autodc.studyfile.study import ParameterSpec
from benchmarks.real.learners import VERSION

Array = np.ndarray[Any, Any]
Learner = Callable[[Array, Array, Mapping[str, Any], int], Callable[[Array], Array]]
"""Fits rows, targets, hyperparameters and a seed; gives what predicts: class scores (n, C), or values (n,)."""

SCORES: Mapping[str, Callable[[Array, Array], Array]] = {
    "accuracy": lambda outputs, y: outputs.argmax(1) == y,
    "log_loss": lambda outputs, y: np.log(np.clip(outputs[np.arange(len(y)), y], 1e-7, 1.0)),
    "mae": lambda outputs, y: -np.abs(outputs - y),
}
"""Metric → the score of each row, up is better."""
OVERALL = "overall"
DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Rows of one part. meta: for every slice but `overall` a column of 0 and 1; `day` where days stay together."""

    x: Array
    y: Array
    meta: pd.DataFrame

    def __len__(self) -> int:
        return len(self.y)

    def at(self, rows: Array) -> Rows:
        """These rows alone."""
        return Rows(x=self.x[rows], y=self.y[rows], meta=self.meta.iloc[rows].reset_index(drop=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A slice and what is asked of it."""

    name: str
    role: Literal["target", "guard"]
    margin: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """One case. pool: what a night draws its validation from; tune: rows for settling the reference's settings;
    held: rows no study, peer or reference search ever sees. rows: validation rows a night."""

    name: str
    title: str
    kind: Literal["classification", "regression"]
    metric: str
    terms: tuple[Term, ...]
    space: Mapping[str, ParameterSpec]
    learner: Learner
    base: Rows
    candidates: Mapping[str, Rows]
    pool: Rows
    tune: Rows
    held: Rows
    rows: int
    classes: int = 0

    @property
    def targets(self) -> tuple[str, ...]:
        """Slices whose mean is the objective."""
        return tuple(term.name for term in self.terms if term.role == "target")

    @property
    def grouped(self) -> bool:
        """Whether days stay together."""
        return DAY in self.pool.meta

    @cached_property
    def start(self) -> Plan:
        """The base alone at the centre of the space, as a study starts."""
        return Plan.of({}, start_hyperparameters(self.space, "concat"), "concat")

    @cached_property
    def digest(self) -> str:
        """Identity of everything a training depends on beside plan and seed."""
        found = hashlib.sha256(repr((VERSION, self.kind, self.learner.__name__)).encode())
        for rows in (self.base, *(self.candidates[n] for n in sorted(self.candidates)), self.pool, self.held):
            for array in (rows.x, rows.y, rows.meta.to_numpy(np.int64)):
                found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()[:16]

    def without(self, *names: str, called: str, title: str) -> Case:
        """The same case with candidates left out."""
        same = {key: getattr(self, key) for key in self.__dataclass_fields__}
        left = {n: rows for n, rows in self.candidates.items() if n not in names}
        return Case(**{**same, "name": called, "title": title, "candidates": left})

    def validation(self, night: int) -> Rows:
        """The rows of a night, by its number: days whole where there are days."""
        rng = seeds.generator(night, "real-night", "rows")
        if not self.grouped:
            return self.pool.at(np.sort(rng.permutation(len(self.pool))[: self.rows]))
        days = self.pool.meta[DAY].to_numpy()
        order = rng.permutation(np.unique(days))
        counts = pd.Series(days).value_counts()
        taken = order[: int(np.searchsorted(np.cumsum([counts[d] for d in order]), self.rows)) + 1]
        return self.pool.at(np.flatnonzero(np.isin(days, taken)))

    def plan(self, names: Sequence[str], hyper: Mapping[str, Any]) -> Plan:
        """A plan of these candidates at weight 1."""
        return Plan.of(dict.fromkeys(names, 1.0), dict(hyper), "concat")

    def train(self, plan: Plan, seed: int) -> Callable[[Array], Array]:
        """Train once, outside any study."""
        parts = [(n, self.base if n == BASE else self.candidates[n], weight) for n, weight in plan.mixture]
        drawn = [(name, rows.x, rows.y, weight) for name, rows, weight in parts]
        return fitted(self.learner, drawn, dict(plan.hyperparameters), seed)

    def values(self, outputs: Array, rows: Rows) -> dict[str, float]:
        """Slice → metric, oriented so that up is better."""
        scores = SCORES[self.metric](outputs, rows.y)
        found = {}
        for term in self.terms:
            member = np.ones(len(rows), bool) if term.name == OVERALL else rows.meta[term.name].to_numpy() == 1
            found[term.name] = float(scores[member].mean())
        return found

    def objective(self, outputs: Array, rows: Rows) -> float:
        """Mean over the target slices, up is better."""
        values = self.values(outputs, rows)
        return float(np.mean([values[name] for name in self.targets]))


def fitted(
    learner: Learner, parts: Sequence[tuple[str, Array, Array, float]], hyper: Mapping[str, Any], seed: int
) -> Callable[[Array], Array]:
    """Train on parts (name, inputs, targets, weight), each row drawn as often as the weight says."""
    x, y = [], []
    for name, inputs, targets, weight in sorted(parts, key=lambda part: part[0]):
        rows = epoch_rows(weight, len(targets), seeds.generator(seed, "rows", name))
        x.append(inputs[rows])
        y.append(targets[rows])
    return learner(np.concatenate(x), np.concatenate(y), hyper, seed % 2**31)


class Taker:
    """Gives rows away, each at most once, in the order they stand in."""

    def __init__(self, x: Array, y: Array, meta: pd.DataFrame, order: Array) -> None:
        self._x, self._y, self._meta, self._order = x, y, meta, order
        self._used = np.zeros(len(y), bool)

    def take(self, mask: Any, count: int, y: Array | None = None) -> Rows:
        """So many rows where the mask holds; y: other targets than the true ones. Raises ValueError if too few."""
        free = self._order[np.asarray(mask, bool)[self._order] & ~self._used[self._order]]
        if len(free) < count:
            raise ValueError(f"{len(free)} rows left where {count} are wanted")
        rows = free[:count]
        self._used[rows] = True
        return self.rows(rows, y)

    def rows(self, rows: Array, y: Array | None = None) -> Rows:
        """These rows, whether taken or not."""
        targets = (self._y if y is None else y)[rows]
        return Rows(x=self._x[rows], y=targets.copy(), meta=self._meta.iloc[rows].reset_index(drop=True))
