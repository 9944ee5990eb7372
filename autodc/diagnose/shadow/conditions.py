"""Conditions under which failures gather, as rules that a person reads: the leaves of a small tree over attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from autodc.diagnose.rule import Among, Condition, Missing, Range, Rule, rounded
from autodc.diagnose.shadow.columns import OTHER, Columns
from autodc.diagnose.unlabelled import Unlabelled
from autodc.errors import DataError

Array = np.ndarray[Any, Any]

PREDICTED = "(predicted)"
"""Beside the attributes of rows: the label that the model gives them."""
LEAVES = 8
LEAST_GAIN = 0.001
"""By so much a split lowers the impurity (Gini) of all rows, or it is none."""
LEAST_SHARE = 0.02
LEAST_ROWS = 20
WORSE = 1.25
"""A leaf is a condition where failures are so many times as common as in all rows."""


class Where(Protocol):
    """Says of rows whether they are meant."""

    @property
    def sql(self) -> str:
        """As a person reads it."""
        ...

    def mask(self, frame: pd.DataFrame) -> Array:
        """Shape (n,) of booleans."""
        ...


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """A finding of the study, by what is known of rows without labels."""

    way: Unlabelled

    @property
    def sql(self) -> str:
        """Its condition on attributes."""
        return self.way.where

    def mask(self, frame: pd.DataFrame) -> Array:
        """Shape (n,). frame: attributes, and PREDICTED. Raises DataError where the rule names what is not there."""
        return self.way.mask(frame.drop(columns=[PREDICTED]), frame[PREDICTED].to_numpy())


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """Where failures gather in validation."""

    rule: Where
    rows: int
    failures: float
    """Share of the rows."""
    finding: str = ""
    """Its id, where the study found it and confirmed it on rows of its own."""

    @property
    def predicted(self) -> tuple[Any, ...]:
        """What the model says of the rows, where that is part of it."""
        return self.rule.way.predicted if isinstance(self.rule, Before) else ()


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


def found_before(
    findings: Mapping[str, Unlabelled], columns: Columns, frame: pd.DataFrame, failed: Array
) -> tuple[tuple[Gathering, ...], dict[str, str]]:
    """The findings of a study that hold somewhere, in their order, and those that cannot be looked for: id → why.

    columns: those that validation and stream share; frame: of the rows that `failed` is of, with PREDICTED.
    """
    found, left = list[Gathering](), dict[str, str]()
    if not findings:
        return (), left
    seen = frame[[PREDICTED, *dict.fromkeys(one.source for one in columns.columns)]]
    for name, way in findings.items():
        rule = Before(way=way)
        try:
            inside = rule.mask(seen)
        except DataError as error:
            left[name] = error.problem
            continue
        if inside.any():
            failures = float(failed[inside].mean())
            found.append(Gathering(rule=rule, rows=int(inside.sum()), failures=failures, finding=name))
    return tuple(found), left


def which(rules: Sequence[Where], attributes: pd.DataFrame, unread: dict[int, str] | None = None) -> Array:
    """The first rule that holds in each row, shape (n,); −1 where none does.

    unread: gets the rules that these rows cannot be asked, as one about text where they have numbers, and why; such a
    rule holds in none of them. None: it raises DataError.
    """
    found = np.full(len(attributes), -1)
    for at in reversed(range(len(rules))):
        try:
            found[rules[at].mask(attributes)] = at
        except DataError as error:
            if unread is None:
                raise
            unread[at] = error.problem
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
