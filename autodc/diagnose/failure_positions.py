"""Where rows that fail lie beside those that pass, over the one or two attributes of a rule, with the rule's range.

Numbers are drawn as densities (density.py), categories and numbers of a few values as shares. Of two conditions it
also tells how much of the error each of them has alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.diagnose.density import Density, density
from autodc.diagnose.measured import words_of
from autodc.diagnose.rule import Range, Rule
from autodc.diagnose.view import View

Array = np.ndarray[Any, Any]

ATTRIBUTES = 2
"""Attributes that are drawn, the first of a rule."""
VALUES = 8
"""Values of a category that are told, those of the rule and the most frequent."""
CELLS = 28
"""Of a map, along each attribute."""
FEW = 6
"""Different numbers up to which each is told apart: a density over flags or counts would have hills between them."""
MISSING = "(missing)"
"""What rows without a value are called among categories."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Along:
    """One attribute: m cells between edges, or m values; of failing and of passing rows the share in each."""

    attribute: str
    rule: str
    """What the rule asks of it, SQL; empty where nothing is asked."""
    failing: tuple[float, ...]
    passing: tuple[float, ...]
    edges: tuple[float, ...] = ()
    """Of cells, m + 1 numbers; empty of categories."""
    values: tuple[str, ...] = ()
    """Of categories."""
    chosen: tuple[str, ...] = ()
    """Those of the values that the rule asks for."""
    low: float | None = None
    high: float | None = None
    """low, high: the range the rule asks for, None where it is open or there is none."""
    inside: tuple[float, float] | None = None
    """Share of all failing and of all passing rows that meet what the rule asks; None where nothing is asked."""
    left_out: int = 0
    """Rows without a number."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "attribute": self.attribute,
            "rule": self.rule,
            "failing": [round(v, 6) for v in self.failing],
            "passing": [round(v, 6) for v in self.passing],
            "edges": [float(f"{v:.6g}") for v in self.edges],
            "values": list(self.values),
            "chosen": list(self.chosen),
            "low": self.low,
            "high": self.high,
            "inside": None if self.inside is None else [round(v, 4) for v in self.inside],
            "left_out": self.left_out,
        }


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows that meet both conditions of a rule, one of them alone, or none."""

    first: bool
    second: bool
    rows: int
    error: float
    """Mean, NaN where there is no row."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        error = round(self.error, 6) if self.rows else None
        return {"first": self.first, "second": self.second, "rows": self.rows, "error": error}


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FailurePositions:
    """What is drawn of one finding."""

    is_share: bool
    """Whether an error is a wrong class."""
    along: tuple[Along, ...]
    together: Density | None = None
    """Over two attributes that are numbers."""
    parts: tuple[Part, ...] = ()
    """Of a rule over two attributes, four."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        seen = self.together
        error = None if seen is None else [None if v != v else round(float(v), 4) for v in seen.error.ravel()]
        return {
            "is_share": self.is_share,
            "along": [one.to_dict() for one in self.along],
            "error": error,
            "shape": [] if seen is None else list(seen.error.shape),
            "parts": [one.to_dict() for one in self.parts],
        }


def lying(view: View, rule: Rule, others: Sequence[str] = ()) -> FailurePositions | None:
    """Tell where failing and passing rows lie; None where none fails, none passes, or there is nothing to draw.

    view: the explore rows; others: attributes that are drawn where the rule has none, as that of a cluster may.
    """
    if not view.failed.any() or view.failed.all():
        return None
    named = [n for n in (rule.attributes or tuple(others)) if n in view.attributes][:ATTRIBUTES]
    asked = {n: Rule(tuple(one for one in rule.conditions if one.attribute == n)) for n in named}
    along = [one for n in named if (one := _along(view, n, asked[n])) is not None]
    if not along:
        return None
    is_pair = len(along) == ATTRIBUTES
    return FailurePositions(
        is_share=view.is_classification,
        along=tuple(along),
        together=density(view, named, CELLS) if is_pair and all(one.edges for one in along) else None,
        parts=_parts(view, *asked.values()) if is_pair and len(rule.attributes) == ATTRIBUTES else (),
    )


def _along(view: View, name: str, asked: Rule) -> Along | None:
    inside = None
    if asked.conditions:
        mask = asked.mask(view.attributes)
        inside = (float(mask[view.failed].mean()), float(mask[~view.failed].mean()))
    numeric = all(isinstance(one, Range) for one in asked.conditions)
    seen = density(view, [name]) if numeric and view.attributes[name].nunique() > FEW else None
    if seen is None:
        return _by_value(view, name, asked, inside)
    lows = [one.low for one in asked.conditions if isinstance(one, Range) and one.low is not None]
    highs = [one.high for one in asked.conditions if isinstance(one, Range) and one.high is not None]
    return Along(
        attribute=name,
        rule=asked.sql,
        failing=tuple(seen.failed.tolist()),
        passing=tuple(seen.passed.tolist()),
        edges=tuple(seen.edges[0].tolist()),
        low=max(lows, default=None),
        high=min(highs, default=None),
        inside=inside,
        left_out=seen.left_out,
    )


def _by_value(view: View, name: str, asked: Rule, inside: tuple[float, float] | None) -> Along | None:
    column = view.attributes[name]
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    said = column.astype(object).map("{:g}".format, na_action="ignore") if is_number else words_of(column)
    words = said.where(column.notna(), MISSING).to_numpy(object)
    frequent = pd.Series(words).value_counts()
    chosen = set(words[asked.mask(view.attributes)]) if asked.conditions else set()
    told = [*(v for v in frequent.index if v in chosen), *(v for v in frequent.index if v not in chosen)][:VALUES]
    if is_number:
        told.sort(key=lambda one: float("inf") if one == MISSING else float(one))
    if len(frequent) < 2 or (not asked.conditions and frequent.iloc[0] < 2):
        return None
    shares = [[float((words[side] == v).mean()) for v in told] for side in (view.failed, ~view.failed)]
    return Along(
        attribute=name,
        rule=asked.sql,
        failing=tuple(shares[0]),
        passing=tuple(shares[1]),
        values=tuple(map(str, told)),
        chosen=tuple(v for v in told if v in chosen),
        inside=inside,
    )


def _parts(view: View, first: Rule, second: Rule) -> tuple[Part, ...]:
    one, two = first.mask(view.attributes), second.mask(view.attributes)
    found = []
    for a, b in ((True, True), (True, False), (False, True), (False, False)):
        rows = (one == a) & (two == b)
        error = float(view.error[rows].mean()) if rows.any() else float("nan")
        found.append(Part(first=a, second=b, rows=int(rows.sum()), error=error))
    return tuple(found)
