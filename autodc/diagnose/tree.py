"""Rules by a regression tree of what the class of a row does not explain: each leaf is one, less what it needs not say.

Beside the beam, whose rules have two conditions at most: leaves have as many as they need, and are small and pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.diagnose.finder import Suspicion, alike
from autodc.diagnose.rule import Among, Condition, Missing, Range, Rule
from autodc.diagnose.sharpen import apart
from autodc.diagnose.terms import MOST_CATEGORIES, is_category, numbers, short
from autodc.diagnose.view import View
from autodc.diagnose.weight import Errors

Array = np.ndarray[Any, Any]

LEAVES = 30
"""Of a tree, at most; it is grown where it explains most."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Looks at the leaves of one tree, the worst first."""

    name: str = "tree"

    def find(self, view: View, k: int, seed: int) -> Sequence[Suspicion]:
        """At most k rules, of leaves whose rows no rule before them has; seed: decides between cuts that are level."""
        from sklearn.tree import DecisionTreeRegressor

        errors = Errors.of(view)
        if k < 1 or len(view) < 2 * errors.least or errors.deviation == 0:
            return ()
        columns = list(_columns(view.attributes))
        if not columns:
            return ()
        tree = DecisionTreeRegressor(
            max_leaf_nodes=LEAVES,
            min_weight_fraction_leaf=min(0.5, errors.least / errors.weights.sum()),
            random_state=seed,
        )
        tree.fit(np.column_stack([one.values for one in columns]), errors.excess, sample_weight=errors.weights)
        frame = view.attributes
        rules = [_simple(bounds, frame, errors) for bounds in _leaves(tree.tree_, columns)]
        return tuple(_worst([rule for rule in rules if rule.conditions], frame, errors, k, self.name))


def _worst(rules: list[Rule], frame: pd.DataFrame, errors: Errors, k: int, name: str) -> Iterator[Suspicion]:
    """Those of the largest mean error, each once: what they are worth together is not the finder's."""
    masks = [rule.mask(frame) for rule in rules]
    counts = [float(errors.weights[mask].sum()) for mask in masks]
    lifts = [
        float(errors.weights[mask] @ errors.excess[mask]) / max(count, 1e-9) - errors.mean
        for mask, count in zip(masks, counts, strict=True)
    ]
    told: list[Array] = []
    for place in np.argsort(-np.array(lifts), kind="stable"):
        mask = masks[place]
        if len(told) >= k or lifts[place] <= 0:
            return
        if counts[place] >= errors.least and not any(alike(mask, other) for other in told):
            told.append(mask)
            yield Suspicion(rule=rules[place], score=lifts[place], by=name)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Column:
    """Numbers that a tree cuts, shape (n,), and what being above and below a cut says of a row."""

    values: Array
    attribute: str
    above: Condition | None = None
    """Of a column of 0 and 1; None where the column is one of numbers."""


def _columns(frame: pd.DataFrame) -> Iterator[_Column]:
    """Numbers as they are, each category and what is missing as 0 or 1; whatever else is no condition is left out."""
    for name in map(str, frame.columns):
        column = frame[name]
        missing = column.isna().to_numpy(bool)
        values = numbers(column)
        if values is not None:
            known = np.isfinite(values)
            if known.any() and np.ptp(values[known]) > 0:
                yield _Column(values=np.where(known, values, np.median(values[known])), attribute=name)
        elif is_category(column):
            for value in column.astype(object).dropna().value_counts().index[:MOST_CATEGORIES]:
                one = Among(attribute=name, values=(value,))
                yield _Column(values=one.mask(frame).astype(float), attribute=name, above=one)
        if missing.any() and not missing.all():
            yield _Column(values=missing.astype(float), attribute=name, above=Missing(attribute=name))


def _leaves(tree: Any, columns: Sequence[_Column]) -> Iterator[list[Condition]]:
    """The bounds on the way to each leaf, each alone; that a category is not there is none."""
    waiting: list[tuple[int, list[Condition]]] = [(0, [])]
    while waiting:
        node, bounds = waiting.pop()
        if tree.children_left[node] < 0:
            yield bounds
            continue
        column = columns[tree.feature[node]]
        below, above = _sides(column, float(tree.threshold[node]))
        waiting.append((int(tree.children_right[node]), [*bounds, *above]))
        waiting.append((int(tree.children_left[node]), [*bounds, *below]))


def _sides(column: _Column, threshold: float) -> tuple[list[Condition], list[Condition]]:
    if column.above is not None:
        return [], [column.above]
    low, high = column.values[column.values <= threshold], column.values[column.values > threshold]
    edge = short(float(low.max()), float(high.min())) if len(low) and len(high) else threshold
    return [Range(attribute=column.attribute, high=edge)], [Range(attribute=column.attribute, low=edge)]


def _simple(bounds: list[Condition], frame: pd.DataFrame, errors: Errors) -> Rule:
    """The bounds as conditions, one an attribute, less those that leave out rows which err as much."""
    kept = _narrowest(bounds)
    while kept:
        masks = [one.mask(frame) for one in kept]
        inside = np.logical_and.reduce(masks)
        tells = []
        for place in range(len(kept)):
            others = [mask for i, mask in enumerate(masks) if i != place]
            wider = np.logical_and.reduce(others) if others else np.ones(len(frame), dtype=bool)
            tells.append(apart(inside, wider & ~inside, errors))
        least = int(np.argmin(tells))
        if tells[least] > 0:
            break
        del kept[least]
    return Rule(tuple(_joined(kept)))


def _narrowest(bounds: list[Condition]) -> list[Condition]:
    """The narrowest bound of each attribute and side."""
    narrow: dict[tuple[str, str, Any], Condition] = {}
    for one in bounds:
        side = "" if not isinstance(one, Range) else "low" if one.low is not None else "high"
        key = (one.attribute, side, one.values if isinstance(one, Among) else type(one))
        before = narrow.get(key)
        if isinstance(one, Range) and isinstance(before, Range):
            if side == "low":
                one = replace(one, low=max(one.low or 0.0, before.low or 0.0))
            else:
                one = replace(one, high=min(one.high or 0.0, before.high or 0.0))
        narrow[key] = one
    return list(narrow.values())


def _joined(bounds: list[Condition]) -> Iterator[Condition]:
    """Two sides of one attribute as a band."""
    done: set[str] = set()
    for one in bounds:
        if not isinstance(one, Range):
            yield one
        elif one.attribute not in done:
            done.add(one.attribute)
            both = [b for b in bounds if isinstance(b, Range) and b.attribute == one.attribute]
            low = next((b.low for b in both if b.low is not None), None)
            high = next((b.high for b in both if b.high is not None), None)
            yield Range(attribute=one.attribute, low=low, high=high)
