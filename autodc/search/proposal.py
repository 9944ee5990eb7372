"""Where to look next: the best row under one draw of the posterior, guards drawn with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodc.search.coordinate_exchange import ascend
from autodc.search.history import History
from autodc.search.space import Fixed, Space
from autodc.search.surrogates.guards import FEW, Guards
from autodc.search.surrogates.modeller import Modeller
from autodc.search.threads import single_threaded

Array = np.ndarray[Any, Any]

KNOWN = 128
STARTS = 64
NEAR = 32
PARENTS = 2
ROUNDS = 6
GUARD_WEIGHT = 10.0
SAME = 1e-3


@single_threaded
def thompson(
    space: Space,
    modeller: Modeller,
    history: History,
    guards: Mapping[str, float],
    start: Array,
    pending: Sequence[Array],
    fixed: Fixed,
    rng: np.random.Generator,
    moving: Array | None = None,
) -> Array:
    """Return the row that is best under one draw of the objective and of every guard.

    guards: slice → margin below the start; fixed: columns that are not searched; moving: those that the climb
    looks at, all where it is left out.
    """

    def held(rows: Array) -> Array:
        return space.hold(rows, fixed)

    best = history.rows[np.argsort(-history.objective, kind="stable")[:KNOWN]]
    origin = space.features(start[None])
    drawn = modeller.objective(history).sampled(rng)
    names = [n for n in guards if n in history.slices]
    if (together := modeller.guards(history)) is not None:
        names = nearest(together, guards, origin, space.features(best[:NEAR]))
    checked = [(modeller.slice(n, history).sampled(rng), guards[n]) for n in names]

    def value(rows: Array) -> Array:
        features = space.features(rows)
        worth = drawn(features)
        for guard, margin in checked:
            worth = worth - GUARD_WEIGHT * np.maximum(0.0, guard(origin) - margin - guard(features))
        return np.asarray(worth)

    starts = np.vstack([best, space.random(rng, STARTS)])
    rows, values = ascend(space, value, starts, held, rng, PARENTS, ROUNDS, moving)
    rows = unseen(rows[np.argsort(-values, kind="stable")], pending)
    return np.asarray(rows[0]) if len(rows) else free(space, pending, fixed, rng)


def nearest(together: Guards, margins: Mapping[str, float], origin: Array, features: Array) -> list[str]:
    """The guards that are believed to be nearest to their margins at some of these rows: those that are drawn."""
    below = together.means(origin) - together.means(features) - np.array([margins[n] for n in together.names])
    worst = (below / together.scales).max(axis=0)
    return [together.names[i] for i in np.sort(np.argsort(-worst, kind="stable")[:FEW])]


def unseen(points: Array, pending: Sequence[Array] | Array) -> Array:
    """The points that are not being trained already."""
    if not len(pending):
        return points
    busy = np.asarray(pending)
    same = (np.abs(points[:, None, :] - busy[None, :, :]) < SAME).all(2).any(1)
    return np.asarray(points[~same])


def free(space: Space, pending: Sequence[Array] | Array, fixed: Fixed, rng: np.random.Generator) -> Array:
    """A random row that is not being trained; in a space with nothing left, any row."""
    drawn = space.drawn(rng, 64)
    points = (space.hold(space.snap(row[None]), fixed) for row in drawn)  # one is enough, nearly always
    left = (point for point in points if len(unseen(point, pending)))
    found = next(left, None)
    return np.asarray((space.hold(space.snap(drawn[:1]), fixed) if found is None else found)[0])
