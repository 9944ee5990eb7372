"""A search of random mixtures and settings, scored on explore rows: what it believes, and which plans it would take.

The surrogate is one of the product's; the luck of the search on the rows it sees comes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.evaluation.effects import smoother
from autodc.gate.noise import weighted_rows
from autodc.gate.questions import Belief
from autodc.lab.pairs import targets
from autodc.lab.slices import KnownSlice
from autodc.lab.world import Point, World
from autodc.search.surrogates.gaussian import Sample
from autodc.search.surrogates.ridge import Ridge, tune_ridge
from autodc.stats.variance import crossed

Array = np.ndarray[Any, Any]

ANCHORS = 2
"""How often the search trains nothing but the base, and everything."""
LEVELS = 9
"""Values of a setting that are compared."""
CLIMBS = 200
"""Single changes a climb makes at most."""
UNKNOWN = 1.0
"""Standard deviation of a belief where the search knows nothing."""


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """A ridge of one value of trainings, in its units."""

    ridge: Ridge
    scale: float

    @classmethod
    def of(cls, points: Point, values: Array) -> _Model:
        features = _features(points)
        scale = float(values.std()) or 1.0
        data = np.arange(features.shape[1]) < points.strengths.shape[1]
        sample = Sample(
            features=features,
            target=(values - values.mean()) / scale,
            noise=np.ones(len(values)),
            seeds=np.arange(len(values)),
            data=data,
        )
        return cls(Ridge(sample, tune_ridge(sample)), scale)

    def difference(self, left: Point, right: Point) -> tuple[Array, Array]:
        """Mean and sd of left − right, one by one."""
        mean, sd = self.ridge.difference(_features(left), _features(right))
        return self.scale * mean, self.scale * sd

    def mean(self) -> Callable[[Array], Array]:
        """Posterior mean of features, standardised."""
        return self.ridge.mean()


@final
class Search:
    """Trainings of the search so far, and what they say."""

    def __init__(self, world: World, min_rows: int) -> None:
        self._world, self._seen = world, world.on("explore")
        self._targets = targets(world, "explore", min_rows)
        self._points: list[Point] = []
        self._scores: dict[str, list[Array]] = {s.name: [] for s in self._seen}
        self._objective: _Model | None = None
        self._guards: dict[str, _Model] = {}

    def train(self, rng: np.random.Generator, count: int) -> None:
        """Train so many random mixtures, anchors first, and believe what they say."""
        datasets, settings = len(self._world.sets), len(self._world.settings)
        inside = rng.uniform(size=(count, datasets)) < rng.uniform(0.2, 0.8, size=(count, 1))
        point = Point(strengths=inside.astype(np.float64), settings=rng.uniform(-1, 1, size=(count, settings)))
        if not self._points:
            point.strengths[:ANCHORS], point.strengths[ANCHORS : 2 * ANCHORS] = 0.0, 1.0
            point.settings[:1] = 0.0
        for name, scores in self._world.train(rng, point, "explore").items():
            self._scores[name].append(scores)
        self._points.append(point)
        points, tables = Point.stacked(self._points), self._tables()
        self._objective = _Model.of(points, self._value(tables))
        guards = [s for s in self._seen if s.margin is not None and len(s.base)]
        self._guards = {s.name: _Model.of(points, tables[s.name].mean(axis=1)) for s in guards}

    def settled(self, strengths: Array) -> Point:
        """The plan of a mixture at the settings believed best."""
        free = np.zeros(len(strengths), dtype=bool)
        return self._climbed([strengths], free)

    def best(self) -> Point:
        """The plan believed best of all."""
        datasets = len(self._world.sets)
        return self._climbed([np.zeros(datasets), np.ones(datasets)], np.ones(datasets, dtype=bool))

    def losses(self, names: tuple[str, ...], at: Point) -> list[tuple[float, float]]:
        """What each of these datasets alone is worth in a plan: mean and standard deviation."""
        columns = [i for i, one in enumerate(self._world.sets) if one.name in names]
        if not columns:
            return []
        gains, sds = self._worth(columns, at)
        return [(float(gain), float(sd)) for gain, sd in zip(gains, sds, strict=True)]

    def _worth(self, columns: list[int], at: Point) -> tuple[Array, Array]:
        assert self._objective is not None
        return self._objective.difference(*_one_less(columns, at))

    def beliefs(self, names: tuple[str, ...], at: Point) -> dict[str, Belief]:
        """What each dataset is worth in a plan that has all of them."""
        columns = [i for i, one in enumerate(self._world.sets) if one.name in names]
        if not columns:
            return {}
        gains, sds = self._worth(columns, at)
        whole, without = _one_less(columns, at)
        harm = {guard: model.difference(whole, without)[0] for guard, model in self._guards.items()}
        rows = self._spreads()
        return {
            self._world.sets[column].name: Belief(
                gain=float(gains[i]),
                sd=float(sds[i]),
                rows=float(rows[column]),
                guards={guard: float(change[i]) for guard, change in harm.items()},
            )
            for i, column in enumerate(columns)
        }

    def outlook(self, challenger: Point, incumbent: Point) -> tuple[float, float]:
        """What the objective of one plan is believed to be above another's: mean and standard deviation."""
        assert self._objective is not None
        mean, sd = self._objective.difference(challenger, incumbent)
        return float(mean[0]), float(sd[0])

    def _spreads(self) -> Array:
        """How far another draw of explore rows would move the effect of each dataset."""
        points, tables, count = Point.stacked(self._points), self._tables(), len(self._world.sets)
        columns = np.concatenate([points.strengths, points.settings, points.settings**2], axis=1)
        mapped = smoother(columns, self._value(tables), count)
        if mapped is None:
            return np.zeros(count)
        table, clusters = weighted_rows([(mapped @ tables[s.name], s.clusters, s.weight) for s in self._targets])
        own = (crossed(rows[None], clusters) for rows in table)
        return np.array([np.sqrt(one.row / one.rows) for one in own])

    def _tables(self) -> Mapping[str, Array]:
        return {name: np.concatenate(parts) for name, parts in self._scores.items()}

    def _value(self, tables: Mapping[str, Array]) -> Array:
        return _weighted(self._targets, tables)

    def _climbed(self, starts: list[Array], free: Array) -> Point:
        """Climb by the best single change, from each of these mixtures at the start's settings."""
        assert self._objective is not None
        value, datasets, settings = self._objective.mean(), len(free), len(self._world.settings)
        levels = np.linspace(0, 1, LEVELS).tolist()
        changes: list[tuple[int, float | None]] = [(i, None) for i in np.flatnonzero(free).tolist()]
        changes += [(datasets + j, level) for j in range(settings) for level in levels]
        best, height = np.zeros(datasets + settings), -np.inf
        for start in starts:
            here = np.concatenate([start, np.full(settings, 0.5)])
            high = float(value(here[None])[0])
            for _ in range(CLIMBS if changes else 0):
                tried = np.repeat(here[None], len(changes), axis=0)
                for row, (column, level) in enumerate(changes):
                    tried[row, column] = 1.0 - here[column] if level is None else level
                values = value(tried)
                if values.max() <= high + 1e-9:
                    break
                here, high = tried[int(values.argmax())], float(values.max())
            if high > height:
                best, height = here, high
        return Point(strengths=best[None, :datasets], settings=2 * best[None, datasets:] - 1)


def _one_less(columns: list[int], at: Point) -> tuple[Point, Point]:
    """A plan, once for each of these datasets, and it without that dataset."""
    whole = Point.stacked([at] * len(columns))
    left = whole.strengths.copy()
    left[np.arange(len(columns)), columns] = 0.0
    return whole, Point(strengths=left, settings=whole.settings)


def _features(point: Point) -> Array:
    return np.concatenate([point.strengths, (point.settings + 1) / 2], axis=1)


def _weighted(targets: tuple[KnownSlice, ...], tables: Mapping[str, Array]) -> Array:
    total = sum(s.weight for s in targets)
    return np.asarray(sum(s.weight / total * tables[s.name].mean(axis=1) for s in targets))
