"""Many datasets and settings whose truth is known, and trainings of any mixture of them, on the rows of the user.

A dataset changes the expected scores of slices, and unevenly single rows; datasets that are alike fix the same rows, so
that together they are worth no more than the strongest. Settings move single rows too: a search picks the luckiest.
A training is a draw as in lab/slices.py. Gains of datasets that are not alike add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, final

import numpy as np
from scipy.special import ndtr

from autodc.lab.slices import BEST_HITS, Draws, KnownSlice, SliceSet
from autodc.large import distinct_values

Array = np.ndarray[Any, Any]
Side = Literal["explore", "gate", "all"]

UNEVEN = 0.3
"""A dataset moves single rows so much, in units of what a training moves them; so does a setting at its end."""
WHOLE_UNEVEN = 1.0
"""All datasets together move them no more than that: many dilute one another."""
SUPPORT = 256
"""A slice's rows are summed up by so many points where their shift is worked out."""
NEWTON = 12


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One dataset, or one setting, and what it does."""

    name: str
    kind: str
    gains: Mapping[str, float] = field(default_factory=dict)
    """Slice → change of its expected score, in metric units. A row that is in two slices moves with the first."""
    like: str | None = None
    """Datasets of one word fix the same rows."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Point:
    """What trainings are made of: shape (n, datasets) of strengths, 0 to 1, and (n, settings), −1 to 1, start at 0."""

    strengths: Array
    settings: Array

    def __len__(self) -> int:
        return len(self.strengths)

    @classmethod
    def stacked(cls, points: Sequence[Point]) -> Point:
        """Several one after the other."""
        return cls(
            strengths=np.concatenate([p.strengths for p in points]),
            settings=np.concatenate([p.settings for p in points]),
        )


class World:
    """Slices, datasets and settings. Their uneven effects on rows are drawn once."""

    def __init__(
        self,
        known: SliceSet,
        explored: Array | None,
        sets: Sequence[Planted],
        settings: Sequence[Planted],
        rng: np.random.Generator,
    ) -> None:
        """explored: row numbers of `known` that the search sees; None where search and gate see the same rows."""
        self.slices = known.slices
        self.sets, self.settings = tuple(sets), tuple(settings)
        self._draws = Draws(known)
        rows = distinct_values(np.concatenate([_rows(s) for s in known.slices]))
        seen = rows if explored is None else np.intersect1d(rows, explored)
        rest = rows if explored is None else np.setdiff1d(rows, explored)
        self._numbers: dict[Side, Array] = {"explore": seen, "gate": rest, "all": rows}
        self.is_cut = explored is not None
        words = [one.like or one.name for one in self.sets]
        self._first = np.unique(words, return_index=True)[1]
        self._group = np.unique(words, return_inverse=True)[1].ravel()
        count = len(self._first) + len(self.settings)
        uneven = min(UNEVEN, WHOLE_UNEVEN / np.sqrt(max(1, len(self._first))))
        self._sizes = np.concatenate([np.full(len(self._first), uneven), np.full(len(self.settings), UNEVEN)])
        self._patterns = self._draws.many(rng, count, rows)
        effects = [self.sets[i] for i in self._first] + list(self.settings)
        names = [s.name for s in self.slices]
        self._gains = np.array([[one.gains.get(n, 0.0) for n in names] for one in effects]).reshape(count, len(names))
        self._regions = _regions(self.slices)
        self._sides: dict[Side, tuple[KnownSlice, ...]] = {
            side: tuple(_only(s, np.isin(_rows(s), among)) for s in self.slices)
            for side, among in self._numbers.items()
        }
        self._places: dict[Side, dict[str, Array]] = {
            side: {s.name: np.flatnonzero(np.isin(_rows(s), among)) for s in self.slices}
            for side, among in self._numbers.items()
        }
        self._cuts = {
            (side, k): [
                (int(number), np.flatnonzero(region[places[s.name]] == number))
                for number in distinct_values(region[places[s.name]])
            ]
            for side, places in self._places.items()
            for k, (s, region) in enumerate(zip(self.slices, self._regions, strict=True))
        }
        self._parts = {
            (k, number): _Part(s, np.flatnonzero(region == number))
            for k, (s, region) in enumerate(zip(self.slices, self._regions, strict=True))
            for number in distinct_values(region)
        }

    def on(self, side: Side) -> tuple[KnownSlice, ...]:
        """The slices with these rows alone, whose names, roles, margins, weights and clusters are told."""
        return self._sides[side]

    def places(self, side: Side) -> Mapping[str, Array]:
        """Slice → where its rows on this side are among all its rows."""
        return self._places[side]

    def truth(self, point: Point) -> dict[str, Array]:
        """Slice → true change against the start, shape (n,)."""
        goals = self._coefficients(point) @ self._gains
        found = {}
        for k, s in enumerate(self.slices):
            total = np.zeros(len(point))
            for number in distinct_values(self._regions[k]):
                part = self._parts[k, number]
                total += part.room(goals[:, number]) * len(part.at) / len(s.base)
            found[s.name] = total
        return found

    def train(self, rng: np.random.Generator, point: Point, side: Side) -> dict[str, Array]:
        """Train each once: slice → scores, shape (n, rows of that side)."""
        coefficients = self._coefficients(point)
        goals = coefficients @ self._gains
        uneven = coefficients * self._sizes
        spread = np.sqrt((uneven**2).sum(axis=1))
        numbers = self._numbers[side]
        place = np.searchsorted(self._numbers["all"], numbers)
        moved = uneven @ self._patterns[:, place]
        seeds, rest = self._draws.seeds(rng, len(point)), self._draws.many(rng, len(point), numbers)
        found = {}
        for k, s in enumerate(self.slices):
            here = self._places[side][s.name]
            at = np.searchsorted(numbers, _rows(s)[here])
            noise = s.noise_sd[here] if isinstance(s.noise_sd, np.ndarray) else s.noise_sd
            latent = s.base[here] + s.scale() * moved[:, at] + s.seed_sd * seeds[:, [k]] + noise * rest[:, at]
            for number, among in self._cuts[side, k]:
                latent[:, among] += self._parts[k, number].shift(goals[:, number], spread)[:, None]
            found[s.name] = (latent > 0).astype(np.float64) if s.hits else latent
        return found

    def _coefficients(self, point: Point) -> Array:
        """How much of each effect a training has, shape (n, groups of datasets and settings)."""
        strongest = np.zeros((len(point), len(self._first)))
        np.maximum.at(strongest.T, self._group, point.strengths.T)
        return np.concatenate([strongest, point.settings], axis=1)


class _Part:
    """Rows of a slice that move together, summed up."""

    def __init__(self, s: KnownSlice, at: Array) -> None:
        self.at, self._hits, self._seed = at, s.hits, s.seed_sd
        values, counts = np.unique(s.base[at], return_counts=True)
        if len(values) > SUPPORT:
            values = np.array([part.mean() for part in np.array_split(np.sort(s.base[at]), SUPPORT)])
            counts = np.ones(SUPPORT, dtype=counts.dtype)
        self._values, self._weights = values, counts / counts.sum()
        self._now = self._expected(np.zeros(1), np.zeros(1))[0]

    def room(self, goal: Array) -> Array:
        """The changes nearest to these that there is room for."""
        return goal if not self._hits else np.clip(self._now + goal, 1 - BEST_HITS, BEST_HITS) - self._now

    def shift(self, goal: Array, uneven: Array) -> Array:
        """The shifts that move the expected score so much, whatever rows are hit by unevenness, each of shape (n,)."""
        if not self._hits:
            return goal
        wanted, spread = self._now + self.room(goal), np.sqrt(1 + self._seed**2 + uneven**2)
        x = np.zeros(len(goal))
        for _ in range(NEWTON):
            place = (self._values + x[:, None]) / spread[:, None]
            ahead = ndtr(place) @ self._weights - wanted
            slope = np.exp(-0.5 * place * place) @ self._weights / (spread * np.sqrt(2 * np.pi))
            step = np.clip(ahead / np.maximum(slope, 1e-9), -1.0, 1.0)
            x -= step
            if np.abs(step).max() < 1e-9:
                break
        return x

    def _expected(self, shift: Array, uneven: Array) -> Array:
        spread = np.sqrt(1 + self._seed**2 + uneven**2)
        if not self._hits:
            return np.asarray(self._values @ self._weights + shift)
        return np.asarray(ndtr((self._values + shift[:, None]) / spread[:, None]) @ self._weights)


def _regions(slices: Sequence[KnownSlice]) -> list[Array]:
    """Of each slice, which slice each row moves with: the first it is in, targets before guards."""
    order = sorted(range(len(slices)), key=lambda k: slices[k].role != "target")
    first: dict[int, int] = {}
    for k in order:
        for row in _rows(slices[k]).tolist():
            first.setdefault(row, k)
    return [np.array([first[row] for row in _rows(s).tolist()]) for s in slices]


def _only(s: KnownSlice, stays: Array) -> KnownSlice:
    return replace(
        s,
        base=s.base[stays],
        rows=_rows(s)[stays],
        noise_sd=s.noise_sd[stays] if isinstance(s.noise_sd, np.ndarray) else s.noise_sd,
        clusters=None if s.clusters is None else s.clusters[stays],
    )


def _rows(s: KnownSlice) -> Array:
    assert s.rows is not None
    return s.rows
