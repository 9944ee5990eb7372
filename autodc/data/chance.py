"""How many equal rows chance explains: in a table of a few small integers or categories they are different people.

Equal pairs inside a set tell how often two independent rows of it are equal; two sets drawn independently then share
at most the geometric mean of what each has inside (Cauchy and Schwarz), however unlike they are. So that records which
a set holds twice do not pass for chance, equal pairs count only as far as rows that are not equal explain them: where
rows often differ in a few columns alone, rows that differ in none are to be expected. A short text may be said twice, a
long one is a copy, and so is a file of the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from autodc.data.dataset import Dataset
from autodc.data.views import columns as columns_of
from autodc.data.views import width as width_of
from autodc.large import distinct_values
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

SLACK = 30.0
"""Columns hang together: so many times what independent columns would give still counts as chance."""
DEVIATIONS = 4.0
"""Standard deviations beyond what chance gives, from which on rows are copies."""
VALUES = 4_000_000
"""At most so many values of distinct rows are looked at."""
WIDEST = 65_536
"""Rows of more values than this are never equal by chance."""
SINGLES, SUBSETS = 32, 24
"""Columns left out one at a time, and sets of columns left out together."""
CROWDED = 4
"""One column alone is coarse where a value has so many rows on average."""
SHORT = 50
"""Characters of a text from which on no two people write the same."""
UNIQUE = 0.9
"""Metadata with so large a share of distinct values in a set names its rows rather than describes them."""


def copied(training: Dataset, held: Dataset, same_training: Array, same_held: Array) -> Mask:
    """Mark the training rows, shape (n,), that the held set also holds and chance does not explain.

    same_training, same_held: numbers that are the same where the inputs are. Where chance explains equal inputs, rows
    are copies if their target and the metadata both sets have are the same beyond chance too; that is asked with and
    without metadata that names rows. A target that is sealed is not looked at.
    """
    parts, same, equal = [training, held], [same_training, same_held], np.isin(same_training, same_held)
    marked = equal & singular(training.x)
    if not marked[equal].all():
        marked |= _beyond_chance(parts, same)
    names = shared_metadata(parts)
    for chosen in dict.fromkeys((names, _describing(parts, names))):
        if not marked[equal].all():
            marked |= _beyond_chance(parts, whole_rows(parts, same, chosen), chosen)
    return marked


def singular(x: Inputs) -> Mask:
    """Mark the rows that no chance makes equal, shape (n,): long texts, and files."""
    if not isinstance(x, Table) or x.kind == "table":
        return np.zeros(len(x), dtype=bool)
    if x.kind == "files":
        return np.ones(len(x), dtype=bool)
    return np.array([len(text) >= SHORT for text in x.texts()], dtype=bool)


def possible(parts: Sequence[Dataset], same: Sequence[Array]) -> bool:
    """Whether chance could at most make as many rows of two sets equal as are."""
    size = int(max(one.max() for one in same)) + 1
    mine, theirs = (np.bincount(one, minlength=size).astype(np.float64) for one in same)
    return float(mine @ theirs) <= _chance(parts, same, None) * len(same[0]) * len(same[1])


def explained(parts: Sequence[Dataset], same: Sequence[Array], names: Sequence[str] | None = None) -> bool:
    """Whether chance explains the equal rows inside these sets. names: `same` is of all but other metadata."""
    pairs = sum(_pairs(np.unique(one, return_counts=True)[1]) for one in same)
    return pairs <= _chance(parts, same, names) * sum(_all_pairs(len(one)) for one in same)


def shared_metadata(parts: Sequence[Dataset]) -> tuple[str, ...]:
    """Metadata columns that all sets have, and that are no inputs."""
    inputs = {name for part in parts for name in part.features}
    everywhere = (name for name in parts[0].metadata.columns if all(name in part.metadata for part in parts))
    return tuple(name for name in everywhere if name not in inputs)


def whole_rows(parts: Sequence[Dataset], same: Sequence[Array], names: Sequence[str]) -> list[Array]:
    """Number the rows of several sets: equal where inputs, target and these columns of metadata are equal.

    same: numbers of the inputs, for each set.
    """
    codes = np.concatenate(same)
    for column in _further(parts, names):
        codes, _ = pd.factorize(codes * (int(column.max()) + 1) + column)
    return np.split(codes, np.cumsum([len(one) for one in same])[:-1])


def _beyond_chance(parts: Sequence[Dataset], same: Sequence[Array], names: Sequence[str] | None = None) -> Mask:
    """Of the rows of the first set that the second also has, as many as chance does not explain, the rarest first.

    Asked of all equal pairs, and of rows that stand once in either set beside those that stand twice in one alone:
    there the crowd of the commonest rows hides nothing.
    """
    size = int(max(one.max() for one in same)) + 1
    mine, theirs = (np.bincount(one, minlength=size).astype(np.float64) for one in same)
    marked = np.zeros(len(same[0]), dtype=bool)
    shared = float(mine @ theirs)
    if not shared:
        return marked
    most = _chance(parts, same, names) * np.array([_all_pairs(len(one)) for one in same])
    spread = len(same[0]) * np.var(theirs[same[0]]) + len(same[1]) * np.var(mine[same[1]])
    beyond = _excess(shared, [_pairs(mine), _pairs(theirs)], most, float(spread))
    matched = np.flatnonzero(theirs[same[0]] > 0)
    order = matched[np.argsort((mine + theirs)[same[0][matched]], kind="stable")]
    before = np.cumsum(theirs[same[0][order]]) - theirs[same[0][order]]
    marked[order[before < beyond]] = True
    once = (mine == 1) & (theirs == 1)
    twice = [float(np.sum((a == 2) & (b == 0))) for a, b in ((mine, theirs), (theirs, mine))]
    beyond = _excess(float(once.sum()), twice, most, float(once.sum()))
    marked[np.flatnonzero(once[same[0]])[: int(np.ceil(beyond))]] = True
    return marked


def _excess(shared: float, inside: Sequence[float], most: Array, spread: float) -> float:
    """How many more are equal across two sets than chance explains, 0 where that may be chance.

    inside: equal pairs in each set; most: so many of them chance may have made; spread: variance of `shared`.
    """
    by_chance = 2 * np.sqrt(np.prod(np.minimum(inside, most)))
    bound = 2 * np.sqrt(np.prod(np.minimum([pairs + 3 * np.sqrt(pairs + 1) for pairs in inside], most)))
    bound += DEVIATIONS * np.sqrt(spread * min(1.0, bound / max(shared, 1.0)))
    return float(shared - by_chance) if shared > bound else 0.0


def _chance(parts: Sequence[Dataset], same: Sequence[Array], names: Sequence[str] | None) -> float:
    """The largest share of equal pairs that chance may give rows like these. names: see `explained`."""
    codes = np.concatenate(same)
    distinct = len(distinct_values(codes))
    width = width_of(parts[0].x)
    if distinct < 2 or width > WIDEST:
        return 0.0
    if isinstance(parts[0].x, Table) and parts[0].x.kind != "table":
        return float(parts[0].x.kind == "text")
    rng = np.random.default_rng(distinct)
    rows = np.arange(len(codes))
    if len(rows) > (most := max(64, VALUES // max(1, width))):
        rows = np.sort(rng.choice(rows, most, replace=False))
    columns = _columns(parts, rows, names)
    if len(columns) == 1:
        return 1.0 if len(codes) >= CROWDED * distinct and not _fine(parts, width) else 0.0
    return min(1.0, SLACK * _rate(columns, rng))


def _fine(parts: Sequence[Dataset], width: int) -> bool:
    """Whether rows have several values with decimals.

    Every one singles out its row, as in records that stand there many times. Such columns say the same without being
    coarse, as those of one category in dummies do.
    """
    return width > 1 and any(_has_decimals(part.x) for part in parts)


def _has_decimals(x: Inputs) -> bool:
    if not isinstance(x, Table):
        return x.dtype.kind == "f" and bool(np.any(x % 1))
    fine = (x.column(name).to_numpy() for name, kind in x.schema.items() if kind == "number")
    return any(bool(np.any(np.nan_to_num(column) % 1)) for column in fine)


def _rate(columns: list[Array], rng: np.random.Generator) -> float:
    """The share of equal pairs that independent draws would give, from rows that differ, one array of codes a column.

    Pairs that differ in some columns alone, times the odds that these are equal: the largest over sets of columns.
    Pairs that differ in nothing do not count, but a row counts as often as it stands there: one that many people share
    is near many.
    """
    if not columns:
        return 0.0
    words = np.stack([_mixed(codes, number) for number, codes in enumerate(columns)])
    total = words.sum(axis=0, dtype=np.uint64)
    count = len(columns)
    singles = rng.permutation(count)[:SINGLES]
    sets = [np.array([one]) for one in singles]
    for number in range(SUBSETS if count > 2 else 0):
        sets.append(rng.permutation(count)[: max(1, count // (2, 3, 4)[number % 3])])
    identical = _pairs(np.unique(total, return_counts=True)[1])
    every, best = _all_pairs(len(total)) - identical, 0.0
    for chosen in sets if every else ():
        part = words[chosen].sum(axis=0, dtype=np.uint64)
        rest_equal = _pairs(np.unique(total - part, return_counts=True)[1]) - identical
        equal = (_pairs(np.unique(part, return_counts=True)[1]) - identical) / every
        best = max(best, rest_equal * equal / max(1 - equal, 1 / every))
    return best / every if every else 0.0


def _columns(parts: Sequence[Dataset], rows: Array, names: Sequence[str] | None) -> list[Array]:
    """Codes of each column of these rows of all sets; constant columns and those that say the same are left out."""
    starts = np.cumsum([0, *(len(part) for part in parts)])
    inside = [rows[(rows >= a) & (rows < b)] - a for a, b in pairwise(starts)]
    inputs = _joined([part.x[mine] for part, mine in zip(parts, inside, strict=True)])
    found: dict[bytes, Array] = {}
    further = () if names is None else (column[rows] for column in _further(parts, names))
    for column in (*inputs, *further):
        codes, values = pd.factorize(column, use_na_sentinel=False)
        if len(values) > 1:
            found.setdefault(hashlib.blake2b(codes, digest_size=16).digest(), codes)
    return list(found.values())


def _joined(sets: Sequence[Inputs]) -> Iterable[Any]:
    """The columns of the rows of several sets, one set after the other."""
    arrays = [x for x in sets if not isinstance(x, Table)]
    if len(arrays) == len(sets):
        width = int(np.prod(arrays[0].shape[1:]))
        return np.ascontiguousarray(np.concatenate([x.reshape(len(x), width) for x in arrays]).T)
    picked = [columns_of(x) for x in sets]
    return [pd.concat([pd.Series(one) for one in column], ignore_index=True) for column in zip(*picked, strict=True)]


def _further(parts: Sequence[Dataset], names: Sequence[str]) -> Iterable[Array]:
    """Codes, over all rows of all sets, of the target where no set hides it, and of these columns of metadata."""
    if all(part.y is not None for part in parts):
        for values in zip(*(_flat(part.y) for part in parts), strict=True):
            yield pd.factorize(np.concatenate(values), use_na_sentinel=False)[0]
    for name in names:
        column = pd.concat([part.metadata[name] for part in parts], ignore_index=True)
        yield pd.factorize(column, use_na_sentinel=False)[0]


def _describing(parts: Sequence[Dataset], names: Sequence[str]) -> tuple[str, ...]:
    """Of these columns those that a copy would keep.

    Numbers and names of rows differ in every copy that was written anew, and so does what no row of one set has in
    common with another, such as the name of the file.
    """
    found = []
    for name in names:
        columns = [part.metadata[name] for part in parts]
        is_fine = all(pd.api.types.is_float_dtype(column) for column in columns)
        naming = any(column.nunique() >= UNIQUE * max(1, len(column)) for column in columns)
        apart = len(parts) > 1 and not columns[0].isin(columns[1]).any()
        if not (apart or (naming and not is_fine)):
            found.append(name)
    return tuple(found)


def _flat(y: Array | None) -> list[Array]:
    """Targets of a row as a few columns; images as one, their bytes."""
    assert y is not None
    if y.ndim == 1:
        return [y]
    flat = np.ascontiguousarray(y.reshape(len(y), -1))
    if flat.shape[1] <= SINGLES:
        return list(flat.T)
    return [np.array([row.tobytes() for row in flat], dtype=object)]


def _mixed(codes: Array, salt: int) -> Array:
    """64 well mixed bits for each code, others for each column (splitmix64)."""
    word = codes.astype(np.uint64) + np.uint64((salt + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        word = (word ^ (word >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(word ^ (word >> np.uint64(31)))


def _pairs(counts: Array) -> float:
    return float(np.sum(counts.astype(np.float64) * (counts - 1.0)) / 2)


def _all_pairs(rows: int) -> float:
    return rows * (rows - 1) / 2
