"""Rows of a table and texts: the nearest row that passes, and of what differs as much restored as success allows."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from autodc.diagnose.measured import numbers_of
from autodc.table import TEXT, Inputs, Table

Array = np.ndarray[Any, Any]
Passes = Callable[[Inputs, Array], Array]
"""(inputs, which rows of the view they stand for) → whether the model succeeds, both of m rows."""

PASSES = 3
"""Times that all columns are gone through; after the second hardly any is restored."""
PIECES = 60
"""Stretches of words of one text that are restored one by one, the shortest first."""


def columns_of(x: Inputs) -> pd.DataFrame:
    """A table's columns, or those of an array of shape (n, d)."""
    if isinstance(x, Table):
        return x.arrow.to_pandas().iloc[:, : len(x.types)]
    return pd.DataFrame(x, columns=[f"x{place}" for place in range(x.shape[1])])


def nearest_rows(frame: pd.DataFrame, rows: Array, among: Array) -> Array:
    """The nearest of `among` for each of `rows`, itself never: Gower's distance. All are positions in the frame."""
    parts = []
    for name in frame:
        numbers = numbers_of(frame[name])
        if numbers is None:
            codes = pd.factorize(frame[name].astype(object).map(str))[0].astype(np.float32)
            parts.append((codes[rows, None] != codes[None, among]).astype(np.float32))
            continue
        low, high = np.nanquantile(numbers, [0.05, 0.95]) if not np.isnan(numbers).all() else (0.0, 0.0)
        away = np.abs(numbers[rows, None] - numbers[None, among]) / max(float(high - low), 1e-12)
        gone = np.isnan(numbers[rows, None]) != np.isnan(numbers[None, among])
        parts.append(np.where(gone, 1.0, np.minimum(np.nan_to_num(away), 1.0)).astype(np.float32))
    distance = np.add.reduce(parts)
    distance[rows[:, None] == among[None]] = np.inf
    return np.asarray(among[distance.argmin(1)])


def nearest_texts(texts: list[str], rows: Array, among: Array) -> Array:
    """The same of texts: the largest cosine of their weighted words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    known = TfidfVectorizer(token_pattern=r"\S+", sublinear_tf=True).fit_transform(texts)
    alike = np.asarray((known[rows] @ known[among].T).todense())
    alike[rows[:, None] == among[None]] = -1.0
    return np.asarray(among[alike.argmax(1)])


def restored_columns(x: Inputs, rows: Array, donors: Array, passes: Passes) -> tuple[Inputs, Array]:
    """Rows with the fewest columns taken from their donors that still pass, and which columns, shape (m, columns)."""
    frame = columns_of(x)
    taken = _differs(frame, rows, donors)
    for _ in range(PASSES):
        before = taken.copy()
        for column in np.argsort(taken.sum(0), kind="stable").tolist():
            tried = np.flatnonzero(taken[:, column])
            if not len(tried):
                continue
            less = taken[tried].copy()
            less[:, column] = False
            good = passes(mixed(x, rows[tried], donors[tried], less), rows[tried])
            taken[tried[good], column] = False
        if (before == taken).all():
            break
    return mixed(x, rows, donors, taken), taken


def mixed(x: Inputs, rows: Array, donors: Array, taken: Array) -> Inputs:
    """Rows with these columns from their donors. taken: shape (m, columns)."""
    if not isinstance(x, Table):
        return np.where(taken, x[donors], x[rows])
    import pyarrow as pa
    import pyarrow.compute as pc

    own, other = x.arrow.take(pa.array(rows)), x.arrow.take(pa.array(donors))
    columns = {
        name: pc.if_else(pa.array(taken[:, place]), other.column(name), own.column(name))
        for place, name in enumerate(x.arrow.column_names[: len(x.types)])
    }
    return Table(x.kind, pa.table(columns, schema=x.arrow.schema), x.types)


def restored_words(texts: list[str], rows: Array, donors: Array, passes: Passes) -> list[str]:
    """Texts with as many of their own words put back into those of their donors as success allows."""
    own, other = ([texts[place].split() for place in places] for places in (rows, donors))
    steps = [difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes() for a, b in zip(own, other, strict=True)]
    order = [
        sorted((p for p, s in enumerate(all_) if s[0] != "equal"), key=lambda p, a=all_: a[p][2] - a[p][1])
        for all_ in steps
    ]
    taken = [set(places) for places in order]
    for turn in range(max((min(len(one), PIECES) for one in order), default=0)):
        tried = [row for row, places in enumerate(order) if turn < len(places)]
        less = [_joined(own[r], other[r], steps[r], taken[r] - {order[r][turn]}) for r in tried]
        good = passes(Table.of_texts(less), rows[tried])
        for row, fine in zip(tried, good.tolist(), strict=True):
            if fine:
                taken[row].discard(order[row][turn])
    return [_joined(*parts) for parts in zip(own, other, steps, taken, strict=True)]


def texts_of(x: Table) -> list[str]:
    """The texts, an empty one where none is."""
    return [one or "" for one in x.arrow.column(TEXT).to_pylist()]


def _joined(own: list[str], other: list[str], steps: list[Any], taken: set[int]) -> str:
    words: list[str] = []
    for place, (_, a, b, c, d) in enumerate(steps):
        words += other[c:d] if place in taken else own[a:b]
    return " ".join(words)


def _differs(frame: pd.DataFrame, rows: Array, donors: Array) -> Array:
    out = np.zeros((len(rows), frame.shape[1]), dtype=bool)
    for place, name in enumerate(frame):
        a, b = frame[name].iloc[rows].reset_index(drop=True), frame[name].iloc[donors].reset_index(drop=True)
        same = (a == b).fillna(False).to_numpy(bool) | (a.isna() & b.isna()).to_numpy(bool)
        out[:, place] = ~same
    return out
