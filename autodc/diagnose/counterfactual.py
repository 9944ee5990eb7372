"""Counterfactuals: the nearest input on which the model succeeds, and which measured attributes change on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import pandas as pd

from autodc import seeds
from autodc.diagnose.causes import comparable
from autodc.diagnose.decoder import Components, Decoder
from autodc.diagnose.measured import strata
from autodc.diagnose.restoring import (
    columns_of,
    mixed,
    mixed_words,
    nearest_rows,
    nearest_texts,
    restored_columns,
    restored_words,
    texts_of,
)
from autodc.diagnose.shifts import Shift, shifts
from autodc.diagnose.view import View
from autodc.errors import DataError
from autodc.large import taken
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]
Predict = Callable[[Inputs], Array]
Measure = Callable[[Inputs], pd.DataFrame]

ROWS = 100
"""Failing rows that are looked at."""
LEARN = 4000
"""Rows that a decoder learns from."""
NEIGHBOURS = 4
CROWDS = (5, 20)
"""What a row is moved towards: its nearest passing rows of its class, and the means of so many of them."""
STEPS = (0.15, 0.3, 0.45, 0.6, 0.8, 1.0)
"""Shares of the way."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counterfactuals:
    """What would have to be different for the model to succeed. m rows, those it was found for, the nearest first."""

    by: str
    """The decoder, or `columns`, `words`."""
    tried: int
    """Failing rows it was looked for."""
    rows: Array
    """Positions in the view, shape (m,)."""
    inputs: Inputs
    counterfactuals: Inputs
    difference: Array | None
    """Counterfactual minus input, of numbers; of a table which columns had to change, shape (m, columns)."""
    prediction: Array
    """Of the inputs, shape (m, ...)."""
    new_prediction: Array
    truth: Array
    shifts: tuple[Shift, ...] = ()
    left_out: tuple[DataError, ...] = ()
    """What could not be done, and why."""
    needed: tuple[tuple[str, float], ...] = ()
    """Of a table: the columns that had to change, with the share of the rows, the most frequent first."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form: the table, no examples."""
        return {
            "by": self.by,
            "tried": self.tried,
            "found": len(self.rows),
            "shifts": [one.to_dict() for one in self.shifts],
            **({"needed": {name: round(share, 4) for name, share in self.needed}} if self.needed else {}),
            **({"left_out": [f"{one.code}: {one.problem}" for one in self.left_out]} if self.left_out else {}),
        }


@final
@dataclass(slots=True, kw_only=True)
class _Search:
    """What all searches share."""

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
        truth = self.view.target[rows]
        if self.view.is_classification:
            return np.asarray(self.told(out).astype(str) == truth.astype(str))
        return np.asarray(_error(out, truth) <= self.edge)


def counterfactuals(
    view: View,
    inside: Array,
    predict: Predict,
    measure: Measure,
    *,
    decoder: Decoder | None = None,
    rows: int = ROWS,
    alpha: float = 0.05,
    seed: int = 0,
) -> Counterfactuals:
    """Look for the nearest inputs on which the model succeeds, and tell which attributes change on the way.

    Images and other arrays are moved in the coordinates of a decoder towards passing rows of their class, and what is
    decoded is applied as a difference, so that blur cancels, clamped to the range of the inputs. The nearest success
    is shown, and the shifts are those of the whole way in its direction. Rows of a table and texts take as little as
    success allows from the nearest passing row. Controls are passing rows of the same classes, moved as far, in the
    same columns or by the same share of what differs. Outside classification success is an error of at most the passing
    rows' median.

    inside: shape (n,) of booleans. predict: inputs of any number of rows → outputs, class scores of a classifier;
    measure: inputs → the attributes. decoder: of arrays; principal components where it is left out. What cannot be done
    is in `left_out` (ADC-DIAG-040 to 044), nothing is raised.
    """
    try:
        return _searched(view, np.asarray(inside, dtype=bool), predict, measure, decoder, rows, alpha, seed)
    except DataError as problem:
        none = np.zeros(0, dtype=int)
        some = np.zeros(0) if view.x is None else taken(view.x, none)
        return Counterfactuals(
            by="none", tried=0, rows=none, inputs=some, counterfactuals=some, difference=None,
            prediction=none, new_prediction=none, truth=none, left_out=(problem,),
        )  # fmt: skip


def _searched(
    view: View,
    inside: Array,
    predict: Predict,
    measure: Measure,
    decoder: Decoder | None,
    most: int,
    alpha: float,
    seed: int,
) -> Counterfactuals:
    x = view.x
    if x is None or (isinstance(x, Table) and x.kind == "files") or not _has_success(view):
        raise DataError(
            "ADC-DIAG-044", "counterfactuals need inputs that can be changed, and success that can be told",
            "inputs", "none" if x is None else type(x).__name__ if not isinstance(x, Table) else x.kind,
        )  # fmt: skip
    within = strata(view)
    failing, passing = comparable(within, inside & view.failed, ~view.failed)
    if not failing.any():
        raise DataError(
            "ADC-DIAG-043", "no failing row has a passing row of its class to go to", "rows",
            f"{int((inside & view.failed).sum())} failing, {int((~view.failed).sum())} passing",
        )  # fmt: skip
    rng = seeds.generator(seed, "counterfactuals")
    edge = 0.0 if view.is_classification else float(np.median(_error(view.prediction, view.target)[passing]))
    search = _Search(view=view, predict=predict, rng=rng, seed=seed, within=within, edge=edge)
    rows = _some(np.flatnonzero(failing), most, rng)
    if isinstance(x, Table) or x.ndim == 2:
        found = _by_words(search, rows, passing) if isinstance(x, Table) and x.kind == "text" else None
        found = found or _by_columns(search, rows, passing)
    else:
        found = _by_decoder(search, rows, passing, decoder or Components())
    return _with_shifts(search, found, measure, len(rows), alpha)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
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


def _by_decoder(search: _Search, rows: Array, passing: Array, decoder: Decoder) -> _Found:
    x = np.asarray(search.view.x)
    flat = x.reshape(len(x), -1).astype(np.float32)
    low, high = float(np.nanmin(flat)), float(np.nanmax(flat))
    flat = np.nan_to_num(flat, nan=low)
    learned = _some(np.arange(len(x)), LEARN, search.rng)
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
    return _Found(
        by=decoder.name, rows=rows[hit], made=result, difference=difference, controls=whose, moved=moved, there=there
    )


def _towards(search: _Search, z: Array, rows: Array, passing: Array) -> Array:
    """Where to move, shape (m, NEIGHBOURS + len(CROWDS), k): passing rows of the class but itself, and their means."""
    out = np.zeros((len(rows), NEIGHBOURS + len(CROWDS), z.shape[1]), dtype=z.dtype)
    for kind in np.unique(search.within[rows]):
        own, among = np.flatnonzero(search.within[rows] == kind), np.flatnonzero(passing & (search.within == kind))
        square = (z[rows[own]] ** 2).sum(1)[:, None] - 2 * z[rows[own]] @ z[among].T + (z[among] ** 2).sum(1)
        if len(among) > 1:
            square[rows[own][:, None] == among[None]] = np.inf
        near = among[np.argsort(square, axis=1)[:, : max(CROWDS)]]
        for place in range(NEIGHBOURS):
            out[own, place] = z[near[:, min(place, near.shape[1] - 1)]]
        for place, many in enumerate(CROWDS):
            out[own, NEIGHBOURS + place] = z[near[:, :many]].mean(1)
    return out


def _as_far(search: _Search, z: Array, rows: Array, passing: Array, far: Array) -> Array:
    """Where controls are moved to: the passing row of the class that is as far away as that of the failing row."""
    out = np.zeros(len(rows), dtype=int)
    for kind in np.unique(search.within[rows]):
        own, among = np.flatnonzero(search.within[rows] == kind), np.flatnonzero(passing & (search.within == kind))
        away = np.linalg.norm(z[rows[own]][:, None] - z[among][None], axis=2)
        out[own] = among[np.abs(away - far[own, None]).argmin(1)]
    return out


def _by_columns(search: _Search, rows: Array, passing: Array) -> _Found:
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
    return _Found(
        by="columns", rows=rows, made=made[order], difference=changed, controls=whose, moved=moved,
        needed=needed,
    )  # fmt: skip


def _by_words(search: _Search, rows: Array, passing: Array) -> _Found:
    assert isinstance(search.view.x, Table)
    texts = texts_of(search.view.x)
    whose = _controls(search, rows, passing)
    donors, others = (_nearest(search, one, passing, lambda a, b: nearest_texts(texts, a, b)) for one in (rows, whose))
    able = search.passes(Table.of_texts([texts[place] for place in donors]), rows)
    rows, donors, whose, others = rows[able], donors[able], whose[able], others[able]
    made, share = restored_words(texts, rows, donors, search.passes)
    order = np.argsort(share, kind="stable")
    made, kept = [made[place] for place in order], mixed_words(texts, whose, others, share, search.rng)
    rows, whose, kept = rows[order], whose[order], [kept[place] for place in order]
    return _Found(
        by="words", rows=rows, made=Table.of_texts(made), difference=None, controls=whose, moved=Table.of_texts(kept)
    )


def _with_shifts(search: _Search, found: _Found, measure: Measure, tried: int, alpha: float) -> Counterfactuals:
    view, rows = search.view, found.rows
    assert view.x is not None
    inputs = view.x[rows]
    problems, table = list[DataError](), tuple[Shift, ...]()
    try:
        pair = (rows, found.controls)
        frames = [
            _measured_by(measure, one)
            for one in (inputs, view.x[found.controls], found.made if found.there is None else found.there, found.moved)
        ]
        within, groups = (tuple(one[place] for place in pair) for one in (search.within, view.groups))
        table = shifts(
            (frames[0], frames[1]), (frames[2], frames[3]), (within[0], within[1]), (groups[0], groups[1]),
            alpha=alpha, seed=search.seed,
        )  # fmt: skip
    except DataError as problem:
        problems.append(problem)
    return Counterfactuals(
        by=found.by,
        tried=tried,
        rows=rows,
        inputs=inputs,
        counterfactuals=found.made,
        difference=found.difference,
        prediction=view.prediction[rows],
        new_prediction=search.told(search.asked(found.made)) if len(rows) else view.prediction[rows],
        truth=view.target[rows],
        shifts=table,
        left_out=tuple(problems),
        needed=found.needed,
    )


def _measured_by(measure: Measure, x: Inputs) -> pd.DataFrame:
    try:
        frame = measure(x)
    except Exception as problem:
        raise DataError(
            "ADC-DIAG-042", "the attributes of changed inputs cannot be measured", "measure", repr(problem)[:500]
        ) from problem
    if len(frame) != len(x):
        raise DataError(
            "ADC-DIAG-045", "measuring gives another number of rows", "measure", f"{len(frame)} for {len(x)}"
        )
    return frame.reset_index(drop=True)


def _controls(search: _Search, rows: Array, passing: Array) -> Array:
    """A passing row of the class of each, none twice where there are enough."""
    out = np.zeros(len(rows), dtype=int)
    for kind in np.unique(search.within[rows]):
        own, among = np.flatnonzero(search.within[rows] == kind), np.flatnonzero(passing & (search.within == kind))
        out[own] = np.resize(search.rng.permutation(among), len(own))
    return out


def _nearest(search: _Search, rows: Array, passing: Array, nearest: Callable[[Array, Array], Array]) -> Array:
    out = np.zeros(len(rows), dtype=int)
    for kind in np.unique(search.within[rows]):
        own, among = np.flatnonzero(search.within[rows] == kind), np.flatnonzero(passing & (search.within == kind))
        out[own] = nearest(rows[own], among)
    return out


def _some(rows: Array, most: int, rng: np.random.Generator) -> Array:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _has_success(view: View) -> bool:
    return view.is_classification or all(np.asarray(one).dtype.kind in "biuf" for one in (view.target, view.prediction))


def _error(out: Array, truth: Array) -> Array:
    away = np.abs(
        np.asarray(out, dtype=float).reshape(len(truth), -1) - np.asarray(truth, dtype=float).reshape(len(truth), -1)
    )
    return np.asarray(away.mean(1))
