"""The best row of a function of the cube, by coordinate exchange.

Every change of one dimension at once, then as many of the improving ones together as still improve (Meyer and
Nachtsheim 1995, there for designs).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from autodc.search.space import Space

Array = np.ndarray[Any, Any]
Value = Callable[[Array], Array]

LEVELS = (0.0, 0.4, 0.55, 0.7, 0.85, 1.0)
FRESH = 3
NEAR = 0.1
STEPS = (-0.12, -0.04, 0.04, 0.12)
MOVES = 420
"""At most so many changes a round: with more dimensions, a random part of them."""

SWITCH = 0.7
SWITCHES = 48
"""At most so many changes of a whole cluster a round."""


def ascend(
    space: Space,
    value: Value,
    starts: Array,
    held: Callable[[Array], Array],
    rng: np.random.Generator,
    parents: int,
    rounds: int,
    moving: Array | None = None,
) -> tuple[Array, Array]:
    """Climb from the best `parents` of `starts`; return all rows seen on the way up, shape (n, D), and their values.

    value: rows → what is maximised; held: brings rows back to what is allowed, whatever was changed; moving: the
    columns that may change, all where it is left out.
    """
    rows = held(starts)
    values = value(rows)
    order = np.argsort(-values, kind="stable")[:parents]
    seen, worth = [rows], [values]
    moving = np.arange(len(space)) if moving is None else moving
    if not len(moving):
        return rows, values
    for parent in order:
        row, height = rows[parent], float(values[parent])
        for _ in range(rounds):
            found, better = _exchange(space, value, row, height, held, rng, moving)
            seen.append(found)
            worth.append(better)
            best = int(np.argmax(better))
            if better[best] <= height:
                break
            row, height = found[best], float(better[best])
    return np.vstack(seen), np.concatenate(worth)


def _exchange(
    space: Space,
    value: Value,
    row: Array,
    height: float,
    held: Callable[[Array], Array],
    rng: np.random.Generator,
    moving: Array,
) -> tuple[Array, Array]:
    """Rows near `row` that are better: with one dimension changed, with several, and with a cluster of datasets."""
    columns, levels = _moves(space, row, rng, moving)
    opened = _opened(space, row)
    single = np.repeat(row[None], len(columns), axis=0)
    single[np.arange(len(columns)), columns] = levels
    for i, column in enumerate(columns):
        for other, needed in opened.get(int(column), ()):
            single[i, other] = needed
    single = held(single)
    values = value(single)
    switched = np.vstack([_switches(space, row, rng, moving), _at_work(space, row, rng, moving)])
    if len(switched):
        switched = held(switched)
        heights = value(switched)
        top = int(np.argmax(heights))
        found, better = _combined(value, row, height, held, single, values, columns, levels, opened)
        return np.vstack([found, switched[top]]), np.append(better, heights[top])
    return _combined(value, row, height, held, single, values, columns, levels, opened)


def _combined(
    value: Value,
    row: Array,
    height: float,
    held: Callable[[Array], Array],
    single: Array,
    values: Array,
    columns: Array,
    levels: Array,
    opened: Mapping[int, Sequence[tuple[int, float]]],
) -> tuple[Array, Array]:
    """As many of the improving changes of one dimension together as still improve; where one improves, it alone."""
    best: dict[int, int] = {}
    for i in np.argsort(-values, kind="stable"):
        if values[i] > height:
            best.setdefault(int(columns[i]), int(i))
    if len(best) < 2:
        top = np.argsort(-values, kind="stable")[:1]
        return single[top], values[top]
    chosen = list(best.items())
    counts = sorted({len(chosen), *(2**k for k in range(len(chosen).bit_length()) if 2**k <= len(chosen))})
    several = np.repeat(row[None], len(counts), axis=0)
    for j, count in enumerate(counts):
        for column, i in chosen[:count]:
            several[j, column] = levels[i]
            for other, needed in opened.get(column, ()):
                several[j, other] = needed
    several = held(several)
    return several, value(several)


def _opened(space: Space, row: Array) -> dict[int, list[tuple[int, float]]]:
    """Inactive dimension → what makes it count: (column, level) of its conditions, and of the weight it stages.

    A change of a dimension that does not count changes nothing; together with its conditions it does.
    """
    active = space.active(row[None])[0]
    found: dict[int, list[tuple[int, float]]] = {}
    if active.all():
        return found
    known = {space.dimensions[i].name: space.dimensions[i].value(float(row[i])) for i in space.parents if active[i]}
    for i in np.flatnonzero(~active):
        needs: dict[int, float] = {}
        _need(space, row, known, int(i), needs)
        found[int(i)] = list(needs.items())
    return found


def _need(space: Space, row: Array, known: Mapping[str, Any], column: int, needs: dict[int, float]) -> None:
    dimension = space.dimensions[column]
    for name, wanted in dimension.when:
        allowed = list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]
        other = space.index.get(name)
        if other is not None and other not in needs and (name not in known or known[name] not in allowed):
            needs[other] = space.dimensions[other].unit(allowed[0])
            _need(space, row, known, other, needs)
    if dimension.stage_of:
        weight = space.index[dimension.stage_of]
        needs[weight] = max(float(row[weight]), SWITCH)


def _switches(space: Space, row: Array, rng: np.random.Generator, moving: Array) -> Array:
    """Rows with a whole cluster of datasets in or out, shape (M, D); none where none may change."""
    every = [one for band in space.clusters for one in band if np.isin(one, moving).any()]
    if not every:
        return np.zeros((0, len(row)))
    some = rng.permutation(2 * len(every))[:SWITCHES]
    rows = np.repeat(row[None], len(some), axis=0)
    for i, k in enumerate(some):
        rows[i, every[k // 2]] = SWITCH * (k % 2)
    return rows


def _at_work(space: Space, row: Array, rng: np.random.Generator, moving: Array) -> Array:
    """Rows with a choice that does nothing here, and one or all of the datasets with which it does, shape (M, D)."""
    rows = []
    for one in space.idle:
        needs = one.needs[np.isin(one.needs, moving)]
        if one.column not in moving or not len(needs) or (row[one.needs] != space.defaults[one.needs]).any():
            continue
        some = rng.permutation(needs)[:SWITCHES].tolist()
        for columns in [[c] for c in some] + ([needs.tolist()] if len(needs) > 1 else []):
            changed = row.copy()
            changed[one.column] = one.code
            for column in columns:
                stage_of = space.dimensions[column].stage_of
                weight = space.index[stage_of] if stage_of else column
                changed[weight] = max(changed[weight], SWITCH)
                if stage_of:
                    changed[column] = 1.0
            rows.append(changed)
    return np.array(rows).reshape(len(rows), len(row))


def _moves(space: Space, row: Array, rng: np.random.Generator, moving: Array) -> tuple[Array, Array]:
    """Every change of one dimension that is looked at: (column, level), each of shape (M,)."""
    columns: list[int] = []
    levels: list[float] = []
    kinds = [space.dimensions[i].kind for i in moving.tolist()]
    drawn = iter(rng.random(kinds.count("weight") + FRESH * kinds.count("number")).tolist())
    for i in moving.tolist():
        dimension = space.dimensions[i]
        if dimension.kind == "choice":
            new = [float(k) for k in range(len(dimension.choices)) if k != row[i]]
        elif dimension.kind == "weight":
            new = [*LEVELS, row[i] + (2 * NEAR * next(drawn) - NEAR)]
        else:
            new = [*(row[i] + step for step in STEPS), *islice(drawn, FRESH)]
        columns += [i] * len(new)
        levels += new
    if len(columns) <= MOVES:
        return np.array(columns, dtype=int), np.array(levels, dtype=float)
    some = np.sort(rng.choice(len(columns), MOVES, replace=False))
    return np.array(columns, dtype=int)[some], np.array(levels, dtype=float)[some]
