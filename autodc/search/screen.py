"""The opening of a search: anchors first, everything under each recipe among them, then what was enqueued, then pairs.

A pair is a random balanced half of the candidates and its complement, at the same hyperparameters and the same seed:
their difference is about data alone, their mean about tuning alone. Where many datasets have clusters, whole clusters
move together first, smaller ones later, and in the last pairs every dataset by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc import seeds
from autodc.search.scales import CENTRE
from autodc.search.space import Space

Array = np.ndarray[Any, Any]

PLAIN = 0.7
NEAR_START = 0.5
LEAST, MOST = 2, 8


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A row of the opening; pair: the number of its fold-over pair, or −1."""

    row: Array
    origin: str
    pair: int = -1


def opening(space: Space, start: Array, enqueued: list[Array], seed: int, probed: bool = False) -> list[Opening]:
    """Return the opening in order; a row that is there already is left out, one of a pair never.

    probed: which datasets help is known well enough for the fewest pairs there may be.
    """
    rows = [Opening(row=start, origin="start")]
    if len(space.weights):
        rows.append(Opening(row=_uniform(space, start, 0.0), origin="anchor"))
        rows.append(Opening(row=_uniform(space, start, PLAIN), origin="anchor"))
        rows += [Opening(row=row, origin="anchor") for row in _at_work(space, start)]
    rows += [Opening(row=row, origin="enqueued") for row in enqueued]
    unique: list[Opening] = []
    for entry in rows:
        if not any(np.array_equal(entry.row, known.row) for known in unique):
            unique.append(entry)
    for pair in range(min(LEAST, pairs(space)) if probed else pairs(space)):
        first, second = fold_over(space, start, seed, pair)
        unique += [
            Opening(row=first, origin="screen", pair=pair),
            Opening(row=second, origin="screen", pair=pair),
        ]
    return unique


def pairs(space: Space) -> int:
    """How many fold-over pairs a space is opened with."""
    if not len(space.weights):
        return 0
    return int(min(max(LEAST, np.ceil(len(space.weights) / 4)), MOST))


def fold_over(space: Space, start: Array, seed: int, pair: int) -> tuple[Array, Array]:
    """Return a random balanced half of the candidates and its complement, at common hyperparameters.

    Where candidates are clustered, half of their clusters.
    """
    rng = seeds.generator(seed, "search", "pair", pair)
    first = space.random(rng, 1)[0]
    numbers = np.array([d.kind == "number" for d in space.dimensions])
    first = np.where(numbers, start + (first - start) * rng.uniform(NEAR_START, 1.0), first)
    second = first.copy()
    order = rng.permutation(len(space.weights))
    half = _together(space, order, pair)[: (len(order) + 1) // 2]
    strengths = rng.uniform(CENTRE, 1.0, len(space.weights))
    inside = np.isin(np.arange(len(space.weights)), half)
    first[space.weights] = np.where(inside, strengths, 0.0)
    second[space.weights] = np.where(inside, 0.0, strengths)
    both = space.snap(np.array([first, second]))
    return both[0], both[1]


def _together(space: Space, order: Array, pair: int) -> Array:
    """Positions of weights in this order, those of one cluster moved to the place of its first.

    Half of it then cuts through one cluster at most.
    """
    turn = pair * (len(space.clusters) + 1) // pairs(space)
    if turn >= len(space.clusters):
        return order
    cluster = -1 - np.arange(len(space.weights))
    for band in space.clusters[: turn + 1]:
        for one in band:
            cluster[np.isin(space.weights, one)] = one[0]
    place = np.empty(len(order), dtype=int)
    place[order] = np.arange(len(order))
    first = {c: int(place[cluster == c].min()) for c in np.unique(cluster)}
    return np.asarray(order[np.argsort([first[cluster[i]] for i in order], kind="stable")])


def _at_work(space: Space, start: Array) -> list[Array]:
    """Everything in under each recipe that does something with datasets, else at the start's settings.

    A recipe that is first met in a corner, or with few datasets, would be judged by these; and what harms under one
    recipe would be left out before it was seen under another.
    """
    rows = []
    for one in space.idle:
        row = start.copy()
        row[space.weights] = PLAIN
        row[one.column] = one.code
        row[np.intersect1d(one.needs, space.stages)] = 1.0
        rows.append(np.asarray(space.snap(row[None])[0]))
    return rows


def _uniform(space: Space, start: Array, u: float) -> Array:
    row = start.copy()
    row[space.weights] = u
    return np.asarray(space.snap(row[None])[0])
