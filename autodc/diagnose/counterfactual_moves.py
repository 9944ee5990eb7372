"""How an input is moved until the model succeeds: along a decoder's coordinates, column by column, or word by word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from autodc.diagnose.decoder import Decoder
from autodc.diagnose.restoring import (
    columns_of,
    mixed,
    mixed_words,
    nearest_rows,
    nearest_texts,
    restored_columns,
    restored_words,
)
from autodc.diagnose.view import View
from autodc.errors import DataError
from autodc.large import distinct_values
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]
Predict = Callable[[Inputs], Array]

LEARN = 4000
"""Rows that a decoder learns from."""
NEIGHBOURS = 4
CROWDS = (5, 20)
"""What a row is moved towards: its nearest passing rows of its class, and the means of so many of them."""
STEPS = (0.15, 0.3, 0.45, 0.6, 0.8, 1.0)
"""Shares of the way."""


@final
@dataclass(slots=True, kw_only=True)
class Asked:
    """The model that is asked, and what all ways of moving share."""

    view: View
    predict: Predict
    rng: np.random.Generator
    seed: int
    within: Array
    edge: float
    outputs: dict[str, Array] = field(default_factory=dict)

    def passes(self, x: Inputs, rows: Array) -> Array:
        """Whether the model succeeds on inputs that stand for these rows, shape (m,)."""
        return self.right(self.asked(x), rows)

    def asked(self, x: Inputs) -> Array:
        """What the model says of inputs. Raises DataError ADC-DIAG-040, 041."""
        try:
            out = np.asarray(self.predict(x))
        except Exception as problem:
            raise DataError(
                "ADC-DIAG-040", "the model cannot be asked about changed inputs", "predict", repr(problem)[:500]
            ) from problem
        if out.ndim == 0 or len(out) != len(x):
            raise DataError(
                "ADC-DIAG-041", "the model answers with another number of rows", "predict", f"{out.shape} for {len(x)}"
            )
        return out

    def told(self, out: Array) -> Array:
        """Predictions as the user would write them."""
        if self.view.is_classification and out.ndim == 2:
            return np.asarray(np.array([*self.view.classes, None], dtype=object)[:-1][out.argmax(1)])
        return out

    def right(self, out: Array, rows: Array) -> Array:
        """Whether these outputs succeed on these rows, shape (m,)."""
        truth = self.view.target[rows]
        if self.view.is_classification:
            return np.asarray(self.told(out).astype(str) == truth.astype(str))
        return np.asarray(error_of(out, truth) <= self.edge)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moved:
    """The rows that were moved with success, the nearest first, and their controls."""

    by: str
    rows: Array
    made: Inputs
    difference: Array | None
    controls: Array
    moved: Inputs
    """What became of the controls."""
    there: Inputs | None = None
    """What is measured, where the nearest success went but a part of the way to passing rows: it changes as little of
    the cause as it can."""
    needed: tuple[tuple[str, float], ...] = ()


def by_decoder(search: Asked, rows: Array, passing: Array, decoder: Decoder) -> Moved:
    """Arrays: along the coordinates of a decoder, applied as a difference."""
    x = np.asarray(search.view.x)
    flat = x.reshape(len(x), -1).astype(np.float32)
    low, high = float(np.nanmin(flat)), float(np.nanmax(flat))
    flat = np.nan_to_num(flat, nan=low)
    learned = some_of(np.arange(len(x)), LEARN, search.rng)
    decoder.fit(flat[learned], search.within[learned], search.seed)
    z = decoder.encode(flat, search.within)
    controls = _controls(search, rows, passing)

    def made(whose: Array, to: Array, share: Array) -> Array:
        near, kind = z[whose], search.within[whose]
        gone = decoder.decode(near + share[:, None] * (to - near), kind) - decoder.decode(near, kind)
        moved = np.clip(flat[whose] + gone, low, high)
        moved = np.round(moved) if np.issubdtype(x.dtype, np.integer) else moved
        return np.asarray(moved.reshape(len(whose), *x.shape[1:]).astype(x.dtype))

    towards, crowd = _towards(search, z, rows, passing), len(CROWDS) + NEIGHBOURS
    far = np.linalg.norm(towards - z[rows][:, None], axis=2)
    cost = (far[:, :, None] * np.array(STEPS)).reshape(len(rows), -1)
    who = np.repeat(np.arange(len(rows)), crowd * len(STEPS))
    goal = np.repeat(towards.reshape(len(rows) * crowd, -1), len(STEPS), axis=0)
    share = np.tile(STEPS, len(rows) * crowd)
    good = search.passes(made(rows[who], goal, share), rows[who]).reshape(len(rows), -1)
    cost = np.where(good, cost, np.inf)
    best = cost.argmin(1)
    hit = np.flatnonzero(np.isfinite(cost.min(1)))
    hit = hit[np.argsort(cost[hit].min(1), kind="stable")]
    way, step = np.divmod(best[hit], len(STEPS))
    share = np.array(STEPS)[step]
    result = made(rows[hit], towards[hit, way], share)
    whose = controls[hit]
    whole = np.ones(len(hit))
    moved = made(whose, z[_as_far(search, z, whose, passing, far[hit, way])], whole)
    there = made(rows[hit], towards[hit, way], whole)
    difference = result.astype(np.float64) - x[rows[hit]]
    return Moved(
        by=decoder.name, rows=rows[hit], made=result, difference=difference, controls=whose, moved=moved, there=there
    )


def _towards(search: Asked, z: Array, rows: Array, passing: Array) -> Array:
    """Where to move, shape (m, NEIGHBOURS + len(CROWDS), k): passing rows of the class but itself, and their means."""
    out = np.zeros((len(rows), NEIGHBOURS + len(CROWDS), z.shape[1]), dtype=z.dtype)
    for own, among in _class_by_class(search, rows, passing):
        square = (z[rows[own]] ** 2).sum(1)[:, None] - 2 * z[rows[own]] @ z[among].T + (z[among] ** 2).sum(1)
        if len(among) > 1:
            square[rows[own][:, None] == among[None]] = np.inf
        near = among[np.argsort(square, axis=1)[:, : max(CROWDS)]]
        for place in range(NEIGHBOURS):
            out[own, place] = z[near[:, min(place, near.shape[1] - 1)]]
        for place, many in enumerate(CROWDS):
            out[own, NEIGHBOURS + place] = z[near[:, :many]].mean(1)
    return out


def _as_far(search: Asked, z: Array, rows: Array, passing: Array, far: Array) -> Array:
    """Where controls are moved to: the passing row of the class that is as far away as that of the failing row."""
    out = np.zeros(len(rows), dtype=int)
    for own, among in _class_by_class(search, rows, passing):
        away = np.linalg.norm(z[rows[own]][:, None] - z[among][None], axis=2)
        out[own] = among[np.abs(away - far[own, None]).argmin(1)]
    return out


def by_columns(search: Asked, rows: Array, passing: Array) -> Moved:
    """Tables: the fewest columns of the nearest passing row."""
    x = search.view.x
    assert x is not None
    frame = columns_of(x)
    whose = _controls(search, rows, passing)
    donors, others = (_nearest(search, one, passing, lambda a, b: nearest_rows(frame, a, b)) for one in (rows, whose))
    able = search.passes(x[donors], rows)
    rows, donors, whose, others = rows[able], donors[able], whose[able], others[able]
    made, changed = restored_columns(x, rows, donors, search.passes)
    order = np.argsort(changed.sum(1), kind="stable")
    rows, changed = rows[order], changed[order]
    whose, others = whose[order], others[order]
    share = changed.mean(0) if len(rows) else np.zeros(frame.shape[1])
    needed = tuple((str(frame.columns[j]), float(share[j])) for j in np.argsort(-share) if share[j] > 0)
    moved = mixed(x, whose, others, changed)
    return Moved(
        by="columns", rows=rows, made=made[order], difference=changed, controls=whose, moved=moved,
        needed=needed,
    )  # fmt: skip


def by_words(search: Asked, rows: Array, passing: Array) -> Moved:
    """Texts: as few words of the nearest passing text."""
    assert isinstance(search.view.x, Table)
    texts = search.view.x.texts()
    whose = _controls(search, rows, passing)
    donors, others = (_nearest(search, one, passing, lambda a, b: nearest_texts(texts, a, b)) for one in (rows, whose))
    able = search.passes(Table.of_texts([texts[place] for place in donors]), rows)
    rows, donors, whose, others = rows[able], donors[able], whose[able], others[able]
    made, share = restored_words(texts, rows, donors, search.passes)
    order = np.argsort(share, kind="stable")
    made, kept = [made[place] for place in order], mixed_words(texts, whose, others, share, search.rng)
    rows, whose, kept = rows[order], whose[order], [kept[place] for place in order]
    return Moved(
        by="words", rows=rows, made=Table.of_texts(made), difference=None, controls=whose, moved=Table.of_texts(kept)
    )


def _controls(search: Asked, rows: Array, passing: Array) -> Array:
    """A passing row of the class of each, none twice where there are enough."""
    out = np.zeros(len(rows), dtype=int)
    for own, among in _class_by_class(search, rows, passing):
        out[own] = np.resize(search.rng.permutation(among), len(own))
    return out


def _nearest(search: Asked, rows: Array, passing: Array, nearest: Callable[[Array, Array], Array]) -> Array:
    out = np.zeros(len(rows), dtype=int)
    for own, among in _class_by_class(search, rows, passing):
        out[own] = nearest(rows[own], among)
    return out


def _class_by_class(search: Asked, rows: Array, passing: Array) -> Iterator[tuple[Array, Array]]:
    """Places among `rows` of those of a class, and the passing rows of that class."""
    for kind in distinct_values(search.within[rows]):
        yield np.flatnonzero(search.within[rows] == kind), np.flatnonzero(passing & (search.within == kind))


def some_of(rows: Array, most: int, rng: np.random.Generator) -> Array:
    """At most so many of the rows, rising."""
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def error_of(out: Array, truth: Array) -> Array:
    """Mean absolute error of each row, shape (n,)."""
    away = np.abs(
        np.asarray(out, dtype=float).reshape(len(truth), -1) - np.asarray(truth, dtype=float).reshape(len(truth), -1)
    )
    return np.asarray(away.mean(1))
