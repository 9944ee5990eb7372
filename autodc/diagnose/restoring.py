"""Rows of a table and texts: the nearest row that passes, and of what differs as much restored as success allows."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, final

import numpy as np
import pandas as pd

from autodc.diagnose.measured import numbers_of
from autodc.table import Inputs, Table

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
        return x.frame()
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
        for place, name in enumerate(x.names)
    }
    return Table(x.kind, pa.table(columns, schema=x.arrow.schema), x.types)


def restored_words(texts: list[str], rows: Array, donors: Array, passes: Passes) -> tuple[list[str], Array]:
    """Texts with as many of their own words put back into those of their donors as success allows.

    Beside them the share of what differs that is still the donor's, shape (m,).
    """
    pairs = [_Pair(texts[a], texts[b]) for a, b in zip(rows, donors, strict=True)]
    order = [sorted(one.places, key=one.length) for one in pairs]
    kept = [set(places) for places in order]
    for turn in range(max((min(len(one), PIECES) for one in order), default=0)):
        tried = [row for row, places in enumerate(order) if turn < len(places)]
        less = [pairs[row].joined(kept[row] - {order[row][turn]}) for row in tried]
        good = passes(Table.of_texts(less), rows[tried])
        for row, fine in zip(tried, good.tolist(), strict=True):
            if fine:
                kept[row].discard(order[row][turn])
    share = np.array([len(some) / max(len(all_), 1) for some, all_ in zip(kept, order, strict=True)])
    return [one.joined(places) for one, places in zip(pairs, kept, strict=True)], share


def mixed_words(texts: list[str], rows: Array, donors: Array, share: Array, rng: np.random.Generator) -> list[str]:
    """Texts with such a share of what differs taken from their donors, by chance. share: shape (m,)."""
    out = []
    for a, b, part in zip(rows, donors, share, strict=True):
        pair = _Pair(texts[a], texts[b])
        places = rng.permutation(np.array(pair.places, dtype=int))
        out.append(pair.joined(set(places[: round(part * len(places))].tolist())))
    return out


@final
class _Pair:
    """A text and its donor, as stretches of words that are the same or not."""

    def __init__(self, own: str, other: str) -> None:
        self.own, self.other = own.split(), other.split()
        self.steps = difflib.SequenceMatcher(None, self.own, self.other, autojunk=False).get_opcodes()
        self.places = [place for place, step in enumerate(self.steps) if step[0] != "equal"]

    def length(self, place: int) -> int:
        """Words of either side of a stretch."""
        _, a, b, c, d = self.steps[place]
        return b - a + d - c

    def joined(self, taken: set[int]) -> str:
        """The text with these stretches from the donor."""
        words: list[str] = []
        for place, (_, a, b, c, d) in enumerate(self.steps):
            words += self.other[c:d] if place in taken else self.own[a:b]
        return " ".join(words)


def _differs(frame: pd.DataFrame, rows: Array, donors: Array) -> Array:
    out = np.zeros((len(rows), frame.shape[1]), dtype=bool)
    for place, name in enumerate(frame):
        a, b = frame[name].iloc[rows].reset_index(drop=True), frame[name].iloc[donors].reset_index(drop=True)
        same = (a == b).fillna(False).to_numpy(bool) | (a.isna() & b.isna()).to_numpy(bool)
        out[:, place] = ~same
    return out
