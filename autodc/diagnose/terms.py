"""Single conditions that rules are made of: tails and bands of numbers, values of categories, what is missing.

Of a column of few whole numbers also what lies outside of a band: weekdays, months and hours go round, so that Saturday
and Sunday, or the winter, lie at both of its ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.diagnose.rule import Among, Condition, Missing, Range, as_floats, rounded

Array = np.ndarray[Any, Any]

TAILS = (0.03, 0.05, 0.08, 0.12, 0.17, 0.23, 0.3, 0.4, 0.5)
"""Shares of the rows that a tail may have."""
BANDS = (0.05, 0.12, 0.23, 0.4, 0.6, 0.77, 0.88, 0.95)
"""Quantiles between which a band lies."""
WIDEST = 0.5
"""Share of the rows that what is said of numbers has at most: a wider range is the other side of a narrower one. What a
category or a missing value is has no other side to be named by, so these are held to leaving rows enough outside."""
FEW_VALUES = 24
"""A column of so many different numbers may be cut between any two of them,"""
FEW_BANDS = 8
"""and one of so many may have a band between any two cuts; of others bands are coarse until they are sharpened."""
MOST_CATEGORIES = 40
SLACK = 0.003
"""A bound may move by so much of the rows to be a shorter number,"""
REACH = 0.01
"""and by so much into a gap that is as wide as everything else around it."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terms:
    """Conditions and the rows that meet them."""

    conditions: tuple[Condition, ...]
    masks: Array
    """Shape (conditions, n) of booleans."""
    kinds: Array
    """Shape (conditions,): conditions of one attribute and one side have one number."""
    attributes: Array
    """Shape (conditions,): those of one attribute have one number."""

    def __len__(self) -> int:
        return len(self.conditions)


def terms_of(frame: pd.DataFrame, least: float) -> Terms:
    """All conditions on the columns that `least` rows meet at least; each set of rows of a column once.

    What is said of numbers is met by half of the rows at most, categories and gaps by all but `least`.

    Columns of dates, of lists and of anything else that is no number, boolean or text are left out.
    """
    conditions: list[Condition] = []
    masks: list[Array] = []
    kinds: list[int] = []
    attributes: list[int] = []
    for place, name in enumerate(frame.columns):
        seen: set[bytes] = set()
        column = frame[name]
        values = numbers(column)
        for side, condition in _of_column(column, values, str(name)):
            known = values is not None and isinstance(condition, Range)
            mask = condition.holds(values, column) if known else condition.mask(frame)  # type: ignore[union-attr, arg-type]
            content = np.packbits(mask).tobytes()
            of_numbers = values is not None and not isinstance(condition, Missing)
            widest = WIDEST * len(frame) if of_numbers else len(frame) - least
            if least <= mask.sum() <= widest and content not in seen:
                seen.add(content)
                conditions.append(condition)
                masks.append(mask)
                kinds.append(4 * place + side)
                attributes.append(place)
    return Terms(
        conditions=tuple(conditions),
        masks=np.array(masks, dtype=bool).reshape(len(masks), len(frame)),
        kinds=np.array(kinds, dtype=int),
        attributes=np.array(attributes, dtype=int),
    )


def cuts(values: Array, shares: Sequence[float]) -> list[float]:
    """Bounds below which about these shares of the values lie, as short numbers, rising. values: finite, sorted."""
    n = len(values)
    if n < 2:
        return []
    slack = int(SLACK * n)
    found = []
    for share in shares:
        at = int(np.clip(round(share * n), 1, n - 1))
        above = int(np.searchsorted(values, values[at], "left"))  # a cut lies between two different numbers
        if above == 0:
            above = int(np.searchsorted(values, values[at], "right"))
        if 0 < above < n:
            below, above = _gap(values, above) or (max(0, above - 1 - slack), min(n - 1, above + slack))
            found.append(short(values[below], values[above]))
    return sorted(set(found))


def short(below: float, above: float) -> float:
    """The number of fewest digits in (below, above], near the middle; of two neighbouring whole numbers the upper."""
    if above - below == 1 and float(above).is_integer() and below < rounded(above) <= above:
        return rounded(above)
    middle = below / 2 + above / 2
    for digits in range(1, 5):
        number = float(f"{middle:.{digits}g}")
        if below < number <= above:
            return number
    return rounded(above)


def numbers(column: pd.Series) -> Array | None:
    """A column as floats with NaN, shape (n,); None where it is none of numbers."""
    if pd.api.types.is_bool_dtype(column.dtype) or isinstance(column.dtype, pd.CategoricalDtype):
        return None
    if column.dtype == object and not pd.api.types.infer_dtype(column, skipna=True).startswith(
        ("integer", "floating", "mixed-integer-float", "decimal")
    ):
        return None
    if column.dtype != object and not pd.api.types.is_numeric_dtype(column.dtype):
        return None
    return as_floats(column)


def is_category(column: pd.Series) -> bool:
    """Whether a column is of text, booleans or categories."""
    return isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.infer_dtype(column, skipna=True) in (
        "string",
        "boolean",
    )


def _gap(values: Array, above: int) -> tuple[int, int] | None:
    """Positions of the two values beside a gap near a cut, where one is."""
    reach = max(1, int(REACH * len(values)))
    start = max(0, above - 1 - reach)
    steps = np.diff(values[start : above + reach + 1])
    widest = int(steps.argmax())
    return (start + widest, start + widest + 1) if steps[widest] > steps.sum() / 2 else None


LOW, BAND, HIGH, OTHER = range(4)


def _of_column(column: pd.Series, values: Array | None, name: str) -> Iterator[tuple[int, Condition]]:
    """Side and condition. values: `numbers` of the column."""
    if column.isna().any():
        yield OTHER, Missing(attribute=name)
    if values is not None:
        yield from _of_numbers(np.sort(values[np.isfinite(values)]), name)
    elif is_category(column):
        known = column.astype(object).dropna()
        for value in known.value_counts().index[:MOST_CATEGORIES]:
            if isinstance(value, str | bool | np.bool_):
                yield OTHER, Among(attribute=name, values=(value,))


def _of_numbers(values: Array, name: str) -> Iterator[tuple[int, Condition]]:
    """values: finite, sorted."""
    if len(values) < 2 or values[0] == values[-1]:
        return
    different = np.unique(values)
    if len(different) <= FEW_VALUES:
        edges = [short(a, b) for a, b in pairwise(different)]
        inner = edges if len(different) <= FEW_BANDS else cuts(values, BANDS)
    else:
        edges = cuts(values, [*TAILS, *(1 - share for share in TAILS)])
        inner = cuts(values, BANDS)
    for edge in edges:
        yield LOW, Range(attribute=name, high=edge)
        yield HIGH, Range(attribute=name, low=edge)
    for low, high in combinations(inner, 2):
        yield BAND, Range(attribute=name, low=low, high=high)
    if len(different) <= FEW_VALUES and not (different % 1).any():
        for low, high in combinations(edges, 2):
            outside = different[(different < low) | (different >= high)]
            yield OTHER, Among(attribute=name, values=tuple(int(value) for value in outside))
