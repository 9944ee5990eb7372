"""Plants candidates of known worth beside a base: what every world of pictures or tables has in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

CONVENTION = {1: 7, 4: 9, 2: 3}
"""Classes that another office calls by another name."""

PRETRAIN_ROWS, RENAMED = 3600, 3
"""Size of a pretrain_only set, and how far its labels are moved."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Rows to train on. x: (n, d) float32; y: (n,) class numbers."""

    x: Array
    y: Array

    def __len__(self) -> int:
        return len(self.y)

    def at(self, positions: Array | slice) -> Rows:
        """Some of them."""
        return Rows(x=self.x[positions], y=self.y[positions])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """Rows held back. slices: name → positions, rising; groups: (n,) rows of one scan share a number."""

    rows: Rows
    slices: Mapping[str, Array]
    groups: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Planted:
    """A world's data and truth. kinds: candidate → what was planted; cures: the candidates the oracle adds;
    twins: candidate that has rows of a cure → that cure; targets: target slices; guards: guard slice → margin."""

    base: Rows
    candidates: Mapping[str, Rows]
    kinds: Mapping[str, str]
    cures: frozenset[str]
    twins: Mapping[str, str]
    validation: Held
    test: Held
    targets: tuple[str, ...]
    guards: Mapping[str, float]
    classes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Where rows come from. targets: class of every raw example; training, validation, test: raw examples of each
    split, disjoint; take: (raw examples, condition, generator) → inputs (n, d); scramble: inputs that mean nothing."""

    targets: Array
    training: Array
    validation: Array
    test: Array
    take: Callable[[Array, str, np.random.Generator], Array]
    scramble: Callable[[int, np.random.Generator], Array]

    def rows(self, raw: Array, condition: str, rng: np.random.Generator) -> Rows:
        """These raw examples under a condition."""
        return Rows(x=self.take(raw, condition, rng), y=self.targets[raw].astype(np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Rows of the base, of a cure, and of the other sets."""

    base: int
    cure: int
    other: int


def plant(
    supply: Supply,
    conditions: Sequence[str],
    sizes: Sizes,
    recipe: Sequence[tuple[str, int]],
    rng: np.random.Generator,
    margins: tuple[float, float] = (0.02, 0.03),
) -> Planted:
    """Plant a world.

    conditions: the target slices; recipe: (kind, condition's number), one a candidate, in any order. Kinds:
    cure: rows of the condition · duplicate: the very rows of that condition's cure · redundant: half of them ·
    interacting: the rows of half of the classes; alone everything there is taken for one of these classes ·
    mislabelled: rows of all conditions, the label file one row off · trade_off: half a cure's rows, fresh, and plain
    ones under another label convention · pretrain_only: many rows of all conditions, every label under the name of
    another class: good for a hidden layer, bad for a head · off_domain: inputs that mean nothing, labels by chance ·
    copy: rows of the base · useless: as many rows of the base drawn with replacement; its few heavy rows may move a
    slice by a point or two either way · resample: nine tenths of the base, class by class, without replacement: what is
    nearest to nothing.
    """
    training = rng.permutation(supply.training)
    base_raw, rest = training[: sizes.base], training[sizes.base :]
    maker = _Maker(supply, conditions, sizes, supply.rows(base_raw, "plain", rng), rest, rng)
    order = [int(i) for i in rng.permutation(len(recipe))]
    names = {place: f"set_{number:02d}" for number, place in enumerate(order)}
    made = {names[place]: maker.make(*recipe[place]) for place in range(len(recipe))}
    kinds = {names[place]: recipe[place][0] for place in range(len(recipe))}
    cure_of = {number: names[place] for place, (kind, number) in enumerate(recipe) if kind == "cure"}
    twins = {names[i]: cure_of[n] for i, (kind, n) in enumerate(recipe) if kind in ("duplicate", "redundant")}
    validation, test = (_held(supply, raw, conditions, rng) for raw in (supply.validation, supply.test))
    mean, scale = maker.base.x.mean(0), float(maker.base.x.std())

    def scaled(rows: Rows) -> Rows:
        """Less the base's mean, in the base's standard deviations."""
        return Rows(x=((rows.x - mean) / scale).astype(np.float32), y=rows.y)

    return Planted(
        base=scaled(maker.base),
        candidates={name: scaled(made[name]) for name in sorted(made)},
        kinds={name: kinds[name] for name in sorted(kinds)},
        cures=frozenset(name for name, kind in kinds.items() if kind in ("cure", "interacting", "pretrain_only")),
        twins=twins,
        validation=replace(validation, rows=scaled(validation.rows)),
        test=replace(test, rows=scaled(test.rows)),
        targets=tuple(conditions),
        guards={"overall": margins[0], "clean": margins[1]},
        classes=int(supply.targets.max()) + 1,
    )


class _Maker:
    """Makes candidates; remembers the cures that others copy."""

    def __init__(
        self, supply: Supply, conditions: Sequence[str], sizes: Sizes, base: Rows, rest: Array, rng: np.random.Generator
    ) -> None:
        self.base = base
        self._supply, self._conditions, self._sizes, self._rest, self._rng = supply, conditions, sizes, rest, rng
        self._classes = int(supply.targets.max()) + 1
        self._cures = {c: self._fresh(c, sizes.cure) for c in conditions}
        self._halves = {c: rng.permutation(self._classes) for c in conditions}
        self._taken: set[int] = set()

    def make(self, kind: str, number: int) -> Rows:
        """One candidate."""
        condition, sizes, rng = self._conditions[number % len(self._conditions)], self._sizes, self._rng
        if kind in ("cure", "duplicate"):
            return self._cures[condition]
        if kind == "redundant":
            return self._cures[condition].at(slice(0, sizes.cure // 2))
        if kind == "interacting":
            return self._half(number % len(self._conditions))
        if kind == "mislabelled":
            each = sizes.other // len(self._conditions) + 1
            rows = [self._fresh(c, each) for c in self._conditions]
            return _join(*(Rows(x=r.x, y=np.roll(r.y, 1)) for r in rows))
        if kind == "trade_off":
            return _join(self._fresh(condition, sizes.cure // 2), self._other_convention(sizes.other // 2))
        if kind == "pretrain_only":  # more pictures than raw examples: some are taken again, in another light
            count, take = PRETRAIN_ROWS // len(self._conditions), self._supply.rows
            rows = _join(*(take(rng.choice(self._rest, count), c, rng) for c in self._conditions))
            return Rows(x=rows.x, y=(rows.y + RENAMED) % self._classes)
        if kind == "off_domain":
            y = rng.integers(self._classes, size=sizes.other)
            return Rows(x=self._supply.scramble(sizes.other, rng), y=y)
        if kind == "copy":
            return self.base.at(rng.permutation(len(self.base))[: sizes.other])
        if kind == "useless":
            return self.base.at(rng.integers(len(self.base), size=sizes.other))
        if kind == "resample":
            places = [np.flatnonzero(self.base.y == label) for label in np.unique(self.base.y)]
            return self.base.at(np.concatenate([rng.permutation(p)[: round(0.9 * len(p))] for p in places]))
        raise ValueError(f"nobody knows how to plant {kind!r}")

    def _fresh(self, condition: str, count: int) -> Rows:
        return self._supply.rows(self._rng.permutation(self._rest)[:count], condition, self._rng)

    def _half(self, number: int) -> Rows:
        """The first call gives the rows of one half of the classes, the second those of the other half."""
        classes = self._halves[self._conditions[number]]
        half = len(classes) // 2
        mine = classes[half:] if number in self._taken else classes[:half]
        self._taken.add(number)
        raw = self._rng.permutation(self._rest[np.isin(self._supply.targets[self._rest], mine)])
        return self._supply.rows(raw[: self._sizes.cure], self._conditions[number], self._rng)

    def _other_convention(self, count: int) -> Rows:
        raw = self._rest[np.isin(self._supply.targets[self._rest], list(CONVENTION))]
        rows = self._supply.rows(self._rng.permutation(raw)[:count], "plain", self._rng)
        return Rows(x=rows.x, y=np.array([CONVENTION[int(label)] for label in rows.y], dtype=np.int64))


def _held(supply: Supply, raw: Array, conditions: Sequence[str], rng: np.random.Generator) -> Held:
    """Every raw example once plain and once under every condition."""
    names = ("clean", *conditions)
    parts = [supply.rows(raw, "plain" if name == "clean" else name, rng) for name in names]
    slices = {name: np.arange(i * len(raw), (i + 1) * len(raw)) for i, name in enumerate(names)}
    everything = {"overall": np.arange(len(raw) * len(names))}
    return Held(rows=_join(*parts), slices={**everything, **slices}, groups=np.tile(raw, len(names)))


def _join(*parts: Rows) -> Rows:
    return Rows(x=np.concatenate([p.x for p in parts]), y=np.concatenate([p.y for p in parts]))
