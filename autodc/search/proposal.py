"""Where to look next: points near the best and points anywhere, one draw of the posterior, its maximum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from autodc.search.history import History
from autodc.search.space import Space
from autodc.search.surrogates.models import Model
from autodc.search.threads import single_threaded

Array = np.ndarray[Any, Any]

POINTS = 800
NEAR = 0.75
PARENTS = 6
GENERATIONS = 4
CHILDREN = 200
TEMPERATURE = 1.0
SPREAD = 0.15
FAR = 0.2
SAME = 1e-3


class Speaker(Protocol):
    """Gives models of a history: a `Modeller`, or one that weighs several objectives."""

    def objective(self, history: History) -> Model:
        """The model of what is searched for."""
        ...

    def slice(self, name: str, history: History) -> Model:
        """The model of one slice."""
        ...


@single_threaded
def thompson(
    space: Space,
    modeller: Speaker,
    history: History,
    guards: Mapping[str, float],
    start: Array,
    pending: Sequence[Array],
    excluded: Array,
    rng: np.random.Generator,
) -> Array:
    """Return the row that is best under one draw of the objective and of every guard.

    guards: slice → margin below the start; excluded: columns of weights fixed at 0.
    """
    model = modeller.objective(history)
    points = pool(space, model, history, excluded, rng)
    points = unseen(points, pending)
    if not len(points):
        return free(space, pending, excluded, rng)
    features = space.features(points)
    mean, _ = model.predict(features)
    value = mean + TEMPERATURE * (model.draw(features, rng) - mean)
    for name, margin in guards.items():
        if name in history.slices:
            value = value - _violation(modeller.slice(name, history), space, features, start, margin, rng)
    return np.asarray(points[int(np.argmax(value))])


def pool(space: Space, model: Model, history: History, excluded: Array, rng: np.random.Generator) -> Array:
    """Points to draw over: three quarters mutations of the best by posterior mean, a quarter random."""
    known = history.rows.copy()
    known[:, excluded] = 0.0
    known = space.snap(np.unique(known, axis=0))
    parents = climb(space, model, known, excluded, rng)
    near = mutate(space, parents[rng.integers(len(parents), size=round(POINTS * NEAR))], rng)
    points = np.vstack([near, space.random(rng, POINTS - len(near))])
    points[:, excluded] = 0.0
    return np.unique(space.snap(points), axis=0)


def climb(space: Space, model: Model, rows: Array, excluded: Array, rng: np.random.Generator) -> Array:
    """The best by posterior mean, after a few generations of mutations of the best that are known."""
    for generation in range(GENERATIONS + 1):
        mean, _ = model.predict(space.features(rows))
        rows = rows[np.argsort(-mean, kind="stable")[:PARENTS]]
        if generation < GENERATIONS:
            children = mutate(space, rows[rng.integers(len(rows), size=CHILDREN)], rng)
            children[:, excluded] = 0.0
            rows = np.unique(np.vstack([rows, space.snap(children)]), axis=0)
    return rows


def mutate(space: Space, rows: Array, rng: np.random.Generator) -> Array:
    """Change about two dimensions of every row: a weight in, out or elsewhere; a number a little or anywhere."""
    rows = rows.copy()
    count, width = rows.shape
    if not width:
        return rows
    change = rng.random((count, width)) < rng.choice([1.0, 2.0, 4.0], (count, 1)) / width
    change[np.arange(count), rng.integers(width, size=count)] = True
    jitter = rows + rng.normal(0.0, SPREAD, rows.shape)
    fresh = rng.random(rows.shape)
    far = rng.random(rows.shape) < FAR
    new = np.where(far, fresh, np.clip(jitter, 0.0, 1.0))
    for i, dimension in enumerate(space.dimensions):
        if dimension.kind == "choice":
            new[:, i] = rng.integers(len(dimension.choices), size=count)
        elif dimension.kind == "weight":
            flip = rng.random(count) < 0.5
            switched = np.where(rows[:, i] > 0, 0.0, rng.uniform(0.25, 1.0, count))
            new[:, i] = np.where(flip, switched, new[:, i])
    return np.where(change, new, rows)


def unseen(points: Array, pending: Sequence[Array]) -> Array:
    """The points that are not being trained already."""
    if not len(pending):
        return points
    busy = np.asarray(pending)
    same = (np.abs(points[:, None, :] - busy[None, :, :]) < SAME).all(2).any(1)
    return np.asarray(points[~same])


def free(space: Space, pending: Sequence[Array], excluded: Array, rng: np.random.Generator) -> Array:
    """A random row that is not being trained; in a space with nothing left, any row."""
    points = space.random(rng, 64)
    points[:, excluded] = 0.0
    points = space.snap(points)
    left = unseen(points, pending)
    return np.asarray(left[0] if len(left) else points[0])


def _violation(
    model: Model, space: Space, features: Array, start: Array, margin: float, rng: np.random.Generator
) -> Array:
    """How far a guard is below start − margin under one common draw of its error."""
    origin = np.repeat(space.features(start[None]), len(features), axis=0)
    mean, sd = model.difference(features, origin)
    drawn = mean + sd * rng.standard_normal()
    return np.maximum(0.0, -margin - drawn) * GUARD_WEIGHT


GUARD_WEIGHT = 3.0
