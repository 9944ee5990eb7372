"""The search space as a cube: every dimension is a column, every point a row, conditions are masks.

A weight is searched as u in [0, 1] with weight = cap·u², and u below `OUT` is exactly out: zero is an ordinary value.
A number is searched on its own scale (logarithmic where it says so), a choice by its index.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, Literal, final

import numpy as np

from autodc.plan.plan import Value
from autodc.search.columns import feature_columns, feature_plan, runs_of
from autodc.search.scales import CENTRE, logarithmic, place_of
from autodc.studyfile.values import ParameterSpec, frozen

Array = np.ndarray[Any, Any]
DimensionKind = Literal["weight", "number", "choice"]
Condition = Callable[[Array, Array], Array]

OUT = 0.05
DIGITS = 6
RECIPE = "recipe"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One column."""

    name: str
    kind: DimensionKind
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    step: float | None = None
    integer: bool = False
    choices: tuple[Value, ...] = ()
    when: tuple[tuple[str, Any], ...] = ()
    """Other dimension → the value it must have, or a tuple of those it may have."""
    stage_of: str = ""
    """The weight whose stage this choice is."""
    idle: tuple[tuple[Value, tuple[str, ...]], ...] = ()
    """Choice → other dimensions: with all of them at their default it does nothing that `rest` does not."""
    rest: Value = None

    @property
    def default(self) -> float:
        """The cube value where the dimension is inactive, which is also where a study starts."""
        return CENTRE if self.kind == "number" else 0.0

    def value(self, x: float) -> Value:
        """Decode a cube value."""
        if self.kind == "choice":
            return self.choices[round(x)]
        if self.kind == "weight":
            return 0.0 if x < OUT else round(self.high * x * x, 4)
        number = logarithmic(self.low, self.high, x) if self.log else self.low + (self.high - self.low) * x
        if self.step is not None:
            number = self.low + self.step * round((number - self.low) / self.step)
        if self.integer:
            return int(min(max(round(number), self.low), self.high))
        return float(min(max(float(f"{number:.{DIGITS}g}"), self.low), self.high))

    def unit(self, value: Value) -> float:
        """Encode a value; a weight above the cap gives more than 1, other values are clipped into the range."""
        if self.kind == "choice":
            return float(self.choices.index(value)) if value in self.choices else 0.0
        number = float(value)
        if self.kind == "weight":
            return float(np.sqrt(max(number, 0.0) / self.high))
        if self.high <= self.low:
            return CENTRE
        if self.log:
            return float(min(max(place_of(self.low, self.high, max(number, self.low)), 0.0), 1.0))
        return float(min(max((number - self.low) / (self.high - self.low), 0.0), 1.0))

    @property
    def grid(self) -> bool:
        """Whether only some values of the range can be had."""
        return self.kind == "number" and (self.integer or self.step is not None)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Columns that have no choice, and the cube values they have: weights above the cap among them, u above 1."""

    columns: Array
    values: Array


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Idle:
    """A choice that does nothing while some columns are at their default."""

    column: int
    code: float
    rest: float
    """The choice it is no other than."""
    needs: Array
    """Columns of which one must be away from its default."""


@final
class Space:
    """Dimensions in an order where a condition comes after what it looks at."""

    def __init__(
        self,
        dimensions: Sequence[Dimension],
        constants: Mapping[str, Value] | None = None,
        clusters: Sequence[Sequence[Sequence[str]]] = (),
    ) -> None:
        """clusters: for every band of a tree of datasets, coarsest first, its clusters as dimensions of weights."""
        self.dimensions = _parents_first(dimensions)
        self.constants = dict(constants or {})
        self.index = {d.name: i for i, d in enumerate(self.dimensions)}
        self.defaults = np.array([d.default for d in self.dimensions], dtype=float)
        self.weights = np.array([i for i, d in enumerate(self.dimensions) if d.kind == "weight"], dtype=int)
        self.stages = np.array([i for i, d in enumerate(self.dimensions) if d.stage_of], dtype=int)
        self.tuning = np.array(
            [i for i, d in enumerate(self.dimensions) if d.kind != "weight" and not d.stage_of], dtype=int
        )
        self.clusters = tuple(tuple(np.array([self.index[n] for n in one]) for one in band) for band in clusters)
        self.features_of = feature_plan(self)
        self._columns = feature_columns(self)
        kinds = np.array([d.kind for d in self.dimensions], dtype="<U6")
        last = np.array([len(d.choices) - 1 for d in self.dimensions], dtype=float)
        self._choice_runs = [(run, last[run]) for run in runs_of(np.flatnonzero(kinds == "choice"))]
        self._weight_runs = runs_of(self.weights)
        self._numbers = np.flatnonzero(kinds == "number")
        self.parents = [
            self.index[n] for n in sorted({n for d in self.dimensions for n, _ in d.when}) if n in self.index
        ]
        """The columns that conditions look at."""
        self._grids = [i for i, d in enumerate(self.dimensions) if d.grid]
        self.idle = [
            Idle(column=i, code=d.unit(choice), rest=d.unit(d.rest), needs=np.array([self.index[n] for n in names]))
            for i, d in enumerate(self.dimensions)
            for choice, names in d.idle
        ]

    def __len__(self) -> int:
        return len(self.dimensions)

    def encode(self, values: Mapping[str, Value]) -> Array:
        """Return the row of these values; names that are missing get their default, names not known are ignored."""
        row = np.array(
            [d.unit(values[d.name]) if d.name in values else d.default for d in self.dimensions], dtype=float
        )
        return np.asarray(self.snap(row[None], clip=False)[0])

    def decode(self, row: Array) -> dict[str, Value]:
        """Return the values of the active dimensions of a row."""
        active = self.active(row[None])[0]
        return {d.name: d.value(float(row[i])) for i, d in enumerate(self.dimensions) if active[i]}

    def active(self, rows: Array) -> Array:
        """Say which dimensions count, shape (n, D): conditions hold and, for a stage, the weight is above 0."""
        mask = np.ones(rows.shape, dtype=bool)
        for columns, conditions, weights in self._conditions:
            for condition in conditions:
                mask[:, columns] &= condition(rows, mask)[:, None]
            if weights is not None:
                mask[:, columns] &= rows[:, weights] >= OUT
        return mask

    def snap(self, rows: Array, clip: bool = True) -> Array:
        """Return the rows on the grid: small u exactly 0, whole choices, inactive dimensions at their default.

        Choices that do nothing become those they are no other than, so that one training has one row.
        """
        rows = np.array(rows, dtype=float)
        if clip:
            np.maximum(rows, 0.0, out=rows)
        for run in self._weight_runs:
            strengths = rows[:, run]
            np.copyto(strengths, 0.0, where=strengths < OUT)
            if clip:
                np.minimum(strengths, 1.0, out=strengths)
        for run, last in self._choice_runs:
            choices = rows[:, run]
            np.clip(np.round(choices, out=choices), 0, last, out=choices)
        rows[:, self._numbers] = np.clip(rows[:, self._numbers], 0.0, 1.0)
        for i in self._grids:
            dimension, values = self.dimensions[i], rows[:, i].tolist()
            known = {x: dimension.unit(dimension.value(x)) for x in set(values)}
            rows[:, i] = [known[x] for x in values]
        if self._conditions:
            np.copyto(rows, self.defaults, where=~self.active(rows))
        return self._rested(rows) if self.idle else rows

    def moving(self, fixed: Fixed) -> Array:
        """The columns that are left to move."""
        return np.setdiff1d(np.arange(len(self)), fixed.columns)

    def hold(self, rows: Array, fixed: Fixed, clip: bool = True) -> Array:
        """Return the rows on the grid with some columns at given values, whatever is in them."""
        rows = np.array(rows, dtype=float)
        rows[:, fixed.columns] = fixed.values
        rows = self.snap(rows, clip)
        rows[:, fixed.columns] = fixed.values
        return rows

    def random(self, rng: np.random.Generator, count: int) -> Array:
        """Draw rows on the grid: about a random share of the weights in, the rest of the cube uniform."""
        return self.snap(self.drawn(rng, count))

    def drawn(self, rng: np.random.Generator, count: int) -> Array:
        """The same rows before they are on the grid."""
        rows = rng.random((count, len(self)))
        share = rng.uniform(0.1, 0.9, (count, 1))
        if len(self.weights):
            inside = rng.random((count, len(self.weights))) < share
            rows[:, self.weights] = np.where(inside, rng.uniform(0.25, 1.0, inside.shape), 0.0)
        for i, dimension in enumerate(self.dimensions):
            if dimension.kind == "choice":
                rows[:, i] = rng.integers(len(dimension.choices), size=count)
        return rows

    def features(self, rows: Array) -> Array:
        """Return what a surrogate sees, shape (n, F).

        The strength of every dataset, and again where it is of the second stage, numbers around 0, choices as
        contrasts; everything inactive is 0.
        """
        plan = self._columns
        out = rows[:, plan.of]
        out[:, plan.staged] *= (rows[:, plan.stage] > CENTRE) | ~plan.later
        out[:, plan.numbers] -= CENTRE
        out[:, plan.chosen] = (np.round(out[:, plan.chosen]) == plan.choice) - plan.share
        if self._conditions:
            out[:, plan.counted] *= self.active(rows)[:, plan.of[plan.counted]]
        return np.asarray(out)

    @property
    def data_features(self) -> Array:
        """Which features are strengths of datasets, shape (F,)."""
        return np.array([self.dimensions[i].kind == "weight" for i, _, _ in self.features_of], dtype=bool)

    @property
    def strengths(self) -> Array:
        """Which features are the strengths of datasets whatever their stage, one for each, shape (F,)."""
        whole: Array = np.array([stage < 0 or not later for _, stage, later in self.features_of], dtype=bool)
        return self.data_features & whole

    @property
    def cluster_features(self) -> tuple[Array, ...]:
        """Which features are summed in which cluster, for every band (F, clusters): every strength once."""
        of = np.where(self.strengths, [i for i, _, _ in self.features_of], -1)
        return tuple(np.column_stack([np.isin(of, one) for one in band]).astype(float) for band in self.clusters)

    def _rested(self, rows: Array) -> Array:
        """Rows of one's own, with choices that do nothing as those they are no other than."""
        changed = False
        for one in self.idle:
            chosen = np.flatnonzero(rows[:, one.column] == one.code)
            idle = (rows[np.ix_(chosen, one.needs)] == self.defaults[one.needs]).all(axis=1)
            rows[chosen[idle], one.column] = one.rest
            changed |= bool(idle.any())
        return np.where(self.active(rows), rows, self.defaults) if changed and self._conditions else rows

    @cached_property
    def _conditions(self) -> list[tuple[Array, list[Condition], Array | None]]:
        """Columns that do not always count: their conditions, and the weights whose stages they are.

        Stages that follow one another and have the same conditions are looked at together.
        """
        alike = groupby(
            (i for i, d in enumerate(self.dimensions) if d.when or d.stage_of),
            lambda i: (self.dimensions[i].when, True) if self.dimensions[i].stage_of else (i, False),
        )
        together = [(np.array(list(columns)), of_stages) for (_, of_stages), columns in alike]
        return [
            (
                columns,
                [self._condition(*one) for one in self.dimensions[columns[0]].when],
                np.array([self.index[self.dimensions[i].stage_of] for i in columns]) if of_stages else None,
            )
            for columns, of_stages in together
        ]

    def _condition(self, other: str, wanted: object) -> Condition:
        """Whether a dimension counts and has a value that is wanted: rows and what counts in them → shape (n,)."""
        allowed = wanted if isinstance(wanted, (list, tuple)) else [wanted]
        if other not in self.index:
            holds = other in self.constants and self.constants[other] in allowed
            return lambda rows, mask: np.full(len(rows), holds)
        i = self.index[other]
        dimension = self.dimensions[i]
        if dimension.kind != "choice":
            return lambda rows, mask: (
                mask[:, i] & np.array([dimension.value(float(x)) in allowed for x in rows[:, i]], dtype=bool)
            )
        hits = np.array([k for k, choice in enumerate(dimension.choices) if choice in allowed], dtype=float)
        if len(hits) == 1:
            return lambda rows, mask: mask[:, i] & (np.round(rows[:, i]) == hits)
        return lambda rows, mask: mask[:, i] & (np.round(rows[:, i])[:, None] == hits).any(1)


def dimension_of(name: str, spec: ParameterSpec) -> Dimension:
    """Read one hyperparameter of a study file as a dimension."""
    when = tuple((other, frozen(spec.when[other])) for other in sorted(spec.when))
    if spec.type == "categorical":
        return Dimension(name=name, kind="choice", choices=tuple(spec.choices or ()), when=when)
    assert spec.low is not None
    assert spec.high is not None
    step = spec.step
    high = spec.low + step * np.floor((spec.high - spec.low) / step + 1e-9) if step is not None else spec.high
    return Dimension(
        name=name,
        kind="number",
        low=spec.low,
        high=float(high),
        log=spec.log,
        step=step,
        integer=spec.type == "int",
        when=when,
    )


def start_hyperparameters(hyperparameters: Mapping[str, ParameterSpec], recipe: str) -> dict[str, Value]:
    """Return where a study starts: the centre of every range, the first choice.

    The centre is the geometric one where log. Only what is active under `recipe` is in it.
    """
    space = Space([dimension_of(name, spec) for name, spec in hyperparameters.items()], {RECIPE: recipe})
    return space.decode(space.snap(space.defaults[None])[0])


def _parents_first(dimensions: Sequence[Dimension]) -> tuple[Dimension, ...]:
    """Order by condition; a condition that looks at nothing known, or in a circle, stays where it is."""
    left = list(dimensions)
    placed: list[Dimension] = []
    names = {d.name for d in dimensions}
    while left:
        done = {d.name for d in placed}
        ready = [
            d
            for d in left
            if all(o in done or o not in names for o, _ in d.when) and (not d.stage_of or d.stage_of in done)
        ]
        placed += ready or left
        left = [d for d in left if d not in placed]
    return tuple(placed)
