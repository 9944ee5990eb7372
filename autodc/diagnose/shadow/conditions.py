"""Conditions under which failures gather, as rules that a person reads: the leaves of a small tree over attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from autodc.diagnose.rule import Among, Condition, Missing, Range, Rule, rounded
from autodc.diagnose.shadow.columns import OTHER, Columns

Array = np.ndarray[Any, Any]

LEAVES = 8
LEAST_GAIN = 0.001
"""By so much a split lowers the impurity (Gini) of all rows, or it is none."""
LEAST_SHARE = 0.02
LEAST_ROWS = 20
WORSE = 1.25
"""A leaf is a condition where failures are so many times as common as in all rows."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """Where failures gather in validation."""

    rule: Rule
    rows: int
    failures: float
    """Share of the rows."""


def gatherings(columns: Columns, frame: pd.DataFrame, failed: Array, seed: int) -> tuple[Gathering, ...]:
    """Split validation by attributes until failures are told apart; the worst leaf first. frame: of m rows."""
    columns = Columns(columns=tuple(one for one in columns.columns if not one.sums_up), left_out={})
    encoded = columns.encode(frame)
    least = max(LEAST_ROWS, int(LEAST_SHARE * len(failed)))
    if not len(columns) or len(failed) < 2 * least or not 0 < failed.sum() < len(failed):
        return ()
    order = [_order(encoded[:, at], failed) if one.is_category else None for at, one in enumerate(columns.columns)]
    x = np.stack(
        [encoded[:, at] if ranks is None else _ranked(encoded[:, at], ranks) for at, ranks in enumerate(order)], axis=1
    )
    filled = np.where(np.isnan(x), -3e38, x)  # a missing value stands below all others, so that a rule can say so
    tree = DecisionTreeClassifier(
        max_leaf_nodes=LEAVES, min_samples_leaf=least, min_impurity_decrease=LEAST_GAIN, random_state=seed
    ).fit(filled, failed)
    found = []
    for path in _paths(tree.tree_):
        rule = _rule(columns, order, path)
        inside = np.zeros(len(failed), dtype=bool) if rule is None else rule.mask(frame)
        if rule is not None and inside.sum() >= least and failed[inside].mean() >= WORSE * failed.mean():
            found.append(Gathering(rule=rule, rows=int(inside.sum()), failures=float(failed[inside].mean())))
    return tuple(sorted(found, key=lambda one: -one.failures))


def which(rules: tuple[Rule, ...], attributes: pd.DataFrame) -> Array:
    """The first rule that holds in each row, shape (n,); −1 where none does."""
    found = np.full(len(attributes), -1)
    for at in reversed(range(len(rules))):
        found[rules[at].mask(attributes)] = at
    return found


def _order(codes: Array, failed: Array) -> Array:
    """The rank of each code by its share of failures, drawn to that of all."""
    known = ~np.isnan(codes)
    values = codes[known].astype(int)
    size = int(values.max(initial=0)) + 1
    count = np.bincount(values, minlength=size)
    rate = (np.bincount(values, weights=failed[known], minlength=size) + 5 * failed.mean()) / (count + 5)
    return np.argsort(np.argsort(rate, kind="stable"), kind="stable")


def _ranked(codes: Array, ranks: Array) -> Array:
    known = ~np.isnan(codes)
    found = np.full(len(codes), np.nan)
    found[known] = ranks[codes[known].astype(int)]
    return found


def _paths(tree: Any) -> list[list[tuple[int, float, bool]]]:
    """(column, bound, whether above it), from the root to every leaf."""
    found, todo = [], [(0, list[tuple[int, float, bool]]())]
    while todo:
        node, path = todo.pop()
        if tree.children_left[node] == tree.children_right[node]:
            found.append(path)
            continue
        column, bound = int(tree.feature[node]), float(tree.threshold[node])
        todo.append((int(tree.children_left[node]), [*path, (column, bound, False)]))
        todo.append((int(tree.children_right[node]), [*path, (column, bound, True)]))
    return found


def _rule(columns: Columns, order: list[Array | None], path: list[tuple[int, float, bool]]) -> Rule | None:
    """The path to a leaf as conditions on columns; None where one of them is no column of its own."""
    conditions: list[Condition] = []
    for at in dict.fromkeys(column for column, _, _ in path):
        one, ranks = columns.columns[at], order[at]
        low = max((bound for column, bound, above in path if column == at and above), default=None)
        high = min((bound for column, bound, above in path if column == at and not above), default=None)
        if one.part:
            return None
        if ranks is None:
            if high is not None and high < -1e38:
                conditions.append(Missing(attribute=one.source))
                continue
            real = None if low is None or low < -1e38 else rounded(low)
            conditions.append(Range(attribute=one.source, low=real, high=None if high is None else rounded(high)))
            continue
        inside = [c for c, rank in enumerate(ranks) if (low is None or rank > low) and (high is None or rank <= high)]
        values: tuple[Any, ...] = tuple((*(one.values or ()), OTHER)[code] for code in inside)
        if not values or OTHER in values:
            return None
        values = tuple(value == "true" for value in values) if one.truth else values
        conditions.append(Among(attribute=one.source, values=values))
    return Rule(tuple(conditions)) if conditions else None
