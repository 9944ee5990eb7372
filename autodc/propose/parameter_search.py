"""Where a generator should make rows: its settings are tried, and those kept whose rows are surely failed on.

A forest learns from explore rows which attributes they have that are in the finding and failed on. Rows of a setting
are scored by it, less the further they lie from any explore row. Where every parameter has a value of no effect, each
is moved alone first and those that help together then, so that nothing is changed without need; else settings fill the
space evenly, and once more where they score best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.propose.parameters import Parameter, Setting, Value, spread

Array = np.ndarray[Any, Any]

TRIED, A_PARAMETER = 48, 8
"""Settings that are tried, at least; of each parameter so many."""
FIRST = 2 / 3
"""Share of them that looks everywhere; the others look where these scored best."""
HELPING = 3
"""So many parameters at most are moved together."""
NEAR_BEST = 0.15
"""A setting is as good as the best where it lacks so much of what the best gains at most, or half a standard error."""
TOP = 0.2
"""Of settings that fill the space the best fifth tells the region, at least."""
TREES, LEAF, FEATURES = 80, 4, 0.5
MOST_CATEGORIES = 50
MEETS = 0.25
"""A generator meets a finding where its rows come this part of the way from any explore row to its failing ones."""
NEAR = 5
"""A row is as far as its fifth nearest explore row."""
FAR = 0.95
"""Further than this share of the explore rows among themselves counts as far."""


@final
class Failures:
    """Says of rows how surely they are failed on and of the finding, by attributes that both sides have.

    rate: the share of the explore rows that are; level: how surely those are said to be, by trees that have not seen
    them.
    """

    def __init__(self, looked: pd.DataFrame, wanted: Array, seed: int) -> None:
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.neighbors import NearestNeighbors

        self._columns = {str(n): _codes(looked[n]) for n in looked.columns if looked[n].nunique() > 1}
        x = self._features(looked)
        self.rate = float(wanted.mean())
        self._forest = RandomForestClassifier(
            TREES, min_samples_leaf=LEAF, max_features=FEATURES, random_state=seed % 2**32, n_jobs=1, oob_score=True
        ).fit(x, wanted)
        unseen = self._forest.oob_decision_function_[:, list(self._forest.classes_).index(True)]
        self.level = float(np.nanmean(unseen[wanted]))
        weights = self._forest.feature_importances_
        self._weights = np.sqrt(weights / max(float(weights.max()), 1e-12))
        self._middle = np.nan_to_num(np.nanmedian(x, axis=0))
        quarter = np.nanquantile(x, [0.1, 0.9], axis=0)
        self._scale = np.where((width := np.nan_to_num(quarter[1] - quarter[0])) > 0, width, 1.0)
        points = self._points(x)
        self._nearest = NearestNeighbors(n_neighbors=min(NEAR, len(points))).fit(points)
        self._far = max(float(np.quantile(self._nearest.kneighbors(points)[0][:, -1], FAR)), 1e-9)

    @property
    def least(self) -> float:
        """How surely rows must be failed on to be of use: part of the way from any explore row to those."""
        return self.rate + MEETS * max(0.0, self.level - self.rate)

    @property
    def columns(self) -> tuple[str, ...]:
        """The attributes that it looks at."""
        return tuple(self._columns)

    def sure(self, frame: pd.DataFrame) -> Array:
        """Shape (n,), between 0 and 1."""
        x = self._features(frame)
        known = self._forest.predict_proba(x)[:, list(self._forest.classes_).index(True)]
        distance = self._nearest.kneighbors(self._points(x))[0][:, -1]
        return np.asarray(known * np.exp(-np.maximum(distance / self._far - 1, 0)))

    def _features(self, frame: pd.DataFrame) -> Array:
        parts = []
        for name, codes in self._columns.items():
            column = frame[name]
            if codes is None:
                parts.append(pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan))
            else:
                parts.append(np.array([codes.get(str(value), np.nan) for value in column], dtype=float))
        return np.where(np.isinf(found := np.column_stack(parts)), np.nan, found)

    def _points(self, x: Array) -> Array:
        steps = (np.where(np.isnan(x), self._middle, x) - self._middle) / self._scale
        return np.asarray(np.nan_to_num(steps) * self._weights)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Where rows are to be made."""

    region: Mapping[str, Parameter]
    sure: float
    """Mean score of the rows of the best settings."""
    usual: float
    """The same of the setting of no effect, or the median of all."""
    tried: int


Score = Callable[[Sequence[Setting]], Sequence[Array]]
"""The score of each row of a small batch, of every setting."""


def chosen(
    parameters: Mapping[str, Parameter], score: Score, seed: int, avoid: Sequence[Mapping[str, Any]] = ()
) -> Chosen:
    """Try settings and return the region of the best.

    avoid: regions, name → [low, high] or choices, whose settings did not help before. Raises what `score` raises.
    """
    free = {name: one for name, one in parameters.items() if not one.is_fixed}
    fixed = {name: one.value(0.0) for name, one in parameters.items() if one.is_fixed}

    def scored(settings: Sequence[Setting]) -> list[tuple[Setting, float, float]]:
        if not settings:
            return []
        found = score([{**fixed, **setting} for setting in settings])
        pairs = zip(settings, found, strict=True)
        return [(one, float(rows.mean()), float(rows.std() / math.sqrt(max(1, len(rows))))) for one, rows in pairs]

    def allowed(settings: Sequence[dict[str, Value]]) -> list[dict[str, Value]]:
        return [one for one in settings if not any(_inside({**fixed, **one}, region) for region in avoid)]

    if not free:
        _, best, _ = scored([{}])[0]
        return Chosen(region=dict(parameters), sure=best, usual=best, tried=1)
    sparse = all(one.identity is not None and one.has(one.identity) for one in free.values())
    search = _one_by_one if sparse else _everywhere
    region, best, usual, tried = search(free, scored, allowed, seed)
    return Chosen(region={**parameters, **region}, sure=best, usual=usual, tried=tried)


Scored = list[tuple[Setting, float, float]]
Trying = Callable[[Sequence[Setting]], Scored]
Allowed = Callable[[Sequence[dict[str, Value]]], list[dict[str, Value]]]
Region = tuple[dict[str, Parameter], float, float, int]


def _everywhere(free: Mapping[str, Parameter], scored: Trying, allowed: Allowed, seed: int) -> Region:
    most = max(TRIED, A_PARAMETER * len(free))
    first = spread(free, round(most * FIRST), seed)
    tried = scored(allowed(first) or first)
    usual = float(np.median([mean for _, mean, _ in tried]))
    box = _box(free, [one for one, _, _ in _best(tried, usual)])
    tried += scored(allowed(spread(box, most - len(first), seed + 1)))
    best = _best(tried, usual)
    return _box(free, [one for one, _, _ in best]), _mean(best), usual, len(tried)


def _best(tried: Scored, usual: float) -> Scored:
    """The best settings: those as good as the best, and a fifth of them at least."""
    good, share = _as_good(tried, usual), TOP * len(tried)
    return good if len(good) > share else sorted(tried, key=lambda one: -one[1])[: max(2, round(share))]


def _as_good(tried: Scored, usual: float) -> Scored:
    """The settings that are as good as the best, it first."""
    order = sorted(tried, key=lambda one: -one[1])
    _, top, error = order[0]
    least = top - max(error / 2, NEAR_BEST * max(0.0, top - usual))
    return [one for one in order if one[1] >= least]


def _box(free: Mapping[str, Parameter], settings: Sequence[Setting]) -> dict[str, Parameter]:
    """The least box around settings."""
    found = {}
    for name, one in free.items():
        values = [setting[name] for setting in settings]
        if one.is_number:
            found[name] = one.within(min(values), max(values))
        else:
            found[name] = one.among(values)
    return found


def _one_by_one(free: Mapping[str, Parameter], scored: Trying, allowed: Allowed, seed: int) -> Region:
    still = {name: one.identity for name, one in free.items()}
    most = max(TRIED, A_PARAMETER * len(free))
    levels = max(3, round(most * FIRST / len(free)))
    alone = {name: [{**still, name: value} for value in _levels(one, levels)] for name, one in free.items()}
    asked = [(name, setting) for name, settings in alone.items() for setting in allowed(settings)]
    (_, usual, error), *moved = scored([still, *(setting for _, setting in asked)])
    tried: dict[str, Scored] = {name: [] for name in free}
    for (name, _), one in zip(asked, moved, strict=True):
        tried[name].append(one)
    count = 1 + sum(map(len, tried.values()))
    gains = {name: max(mean for _, mean, _ in found) - usual for name, found in tried.items() if found}
    helping = [n for n in sorted(gains, key=lambda n: -gains[n]) if gains[n] > max(error, 1e-9)][:HELPING]
    region = {n: _at(one, still[n]) for n, one in free.items()}
    if not helping:
        return region, usual, usual, count
    near = {name: _about(free[name], [s[name] for s, _, _ in _as_good(tried[name], usual)], levels) for name in helping}
    sets = [helping[:1], *([helping[:2], [helping[0], helping[2]], helping] if len(helping) > 2 else [helping[:2]])]
    left = max(4, (most - count) // len(sets))
    rounds: list[tuple[list[str], Scored]] = [(helping[:1], tried[helping[0]])]
    for number, names in enumerate(sets):
        box = {name: near[name] for name in names}
        drawn = allowed([{**still, **one} for one in spread(box, left, seed + number)])
        found = scored(drawn)
        count += len(found)
        rounds.append((names, found))
    # more is moved only where that gains more than chance
    names, pool = rounds[0][0], [*rounds[0][1], *(one for n, found in rounds[1:] if n == rounds[0][0] for one in found)]
    best = _as_good(pool, usual)
    for others, found in rounds[1:]:
        if others != names and found:
            better = _as_good(found, usual)
            if _mean(better) > _mean(best) + max(better[0][2], NEAR_BEST * (_mean(best) - usual)):
                names, best = others, better
    settings = [one for one, _, _ in best]
    region |= {n: _about(free[n], [one[n] for one in settings], 2 * levels) for n in names}
    return region, _mean(best), usual, count


def _levels(one: Parameter, count: int) -> list[Value]:
    """Values over the range without the one of no effect."""
    values = list(one.choices) if not one.is_number else [one.value((at + 0.5) / count) for at in range(count)]
    return [value for value in dict.fromkeys(values) if value != one.identity]


def _at(one: Parameter, value: Value) -> Parameter:
    return one.within(value, value) if one.is_number else one.among([value])


def _about(one: Parameter, values: Sequence[Value], levels: int) -> Parameter:
    """The part of a parameter around some values, half a level wider, without the value of no effect.

    Where values lie on both sides of it, both sides are meant, and what is between them is left out.
    """
    if not one.is_number:
        return one.among(values)
    below = [v for v in values if v < one.identity]
    above = [v for v in values if v > one.identity]
    if not below or not above:
        ends = _wider(one, values, levels)
        return one.within(*ends)
    (low, left), (right, high) = _wider(one, below, levels), _wider(one, above, levels)
    return one.within(low, high).without(left, right)


def _wider(one: Parameter, values: Sequence[Value], levels: int) -> tuple[Value, Value]:
    """An interval around values of one side, half a level wider, at most half the way to the value of no effect."""
    low, high, still, step = one.unit(min(values)), one.unit(max(values)), one.unit(one.identity), 0.5 / levels
    down, up = max(0.0, low - step), min(1.0, high + step)
    if low > still:
        down = max(down, (still + low) / 2)
    if high < still:
        up = min(up, (still + high) / 2)
    return one.value(down), one.value(up)


def _inside(setting: Setting, region: Mapping[str, Any]) -> bool:
    """Whether a setting lies in a region."""
    for name, ends in region.items():
        value = setting.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            sides = [ends] if len(ends) < 4 else [ends[:2], ends[2:]]
            if not any(side[0] <= value <= side[-1] for side in sides):
                return False
        elif value not in ends:
            return False
    return True


def _mean(found: Scored) -> float:
    return float(np.mean([mean for _, mean, _ in found]))


def _codes(column: pd.Series[Any]) -> dict[str, float] | None:
    """Numbers for the values of a column of text; None of one that has numbers."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return None
    counts = column.dropna().map(str).value_counts()
    return {str(value): float(at) for at, value in enumerate(counts.index[:MOST_CATEGORIES])}
