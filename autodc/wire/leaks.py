"""Looks for answers to validation rows in training datasets, where a gain looks too good to be honest.

What is looked for: copies and near copies of the rows that got better, with their label; their groups and ids; and a
column of the inputs that is the label in disguise. A hit must reach enough of the rows to explain the gain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np

from autodc.data.catalogue import Catalogue
from autodc.data.chance import copied
from autodc.data.dataset import Dataset
from autodc.data.overlap import near, numbered
from autodc.evaluation.slices import held_parts
from autodc.gate.types import Leak, LeakKind, Leaks
from autodc.plan.mixture import BASE

Array = np.ndarray[Any, Any]

ENOUGH = 0.05
"""Share of the rows that got better below which what is found explains nothing."""
LEAST_ROWS = 3
TELLS = 0.98
"""Share of the validation rows whose label a column must tell."""
MOSTLY_UNIQUE = 0.9
"""Share of distinct values from which a metadata column may be one of ids."""


@final
class LeakSearch:
    """Looks through the datasets of a study, as they are after rows that are also held out were left out."""

    def __init__(self, catalogue: Catalogue, later: Callable[[str], Dataset] | None = None) -> None:
        """later: the training dataset of a name that was admitted while the study ran."""
        self._catalogue, self._later = catalogue, later
        self._held = held_parts(catalogue)

    def __call__(self, datasets: tuple[str, ...], better: Mapping[str, Array]) -> Leaks:
        """Look for leaks. better: part → positions of the rows that got better."""
        looked: dict[LeakKind, None] = {}
        found: list[Leak] = []
        of = sum(len(rows) for rows in better.values())
        for name in datasets:
            training = self._training(name)
            counts: dict[tuple[LeakKind, str], int] = {}
            for part, rows in better.items():
                if not len(rows):
                    continue
                held = self._held[part].take(rows)
                common = _common(self._held[part])
                for kind, column, count in self._in_part(name, training, held, _copied(training, self._held[part])):
                    looked[kind] = None
                    expected = 2 * common * len(held) if kind in ("exact", "near") else 0.0
                    counts[kind, column] = counts.get((kind, column), 0) + (count if count > expected else 0)
            found += [
                Leak(dataset=name, kind=kind, rows=count, of=of, column=column)
                for (kind, column), count in counts.items()
                if count >= max(LEAST_ROWS, ENOUGH * of)
            ]
        return Leaks(datasets=datasets, looked=tuple(looked), found=tuple(found))

    def _training(self, name: str) -> Dataset:
        known = name in (BASE, *self._catalogue.candidates)
        return self._catalogue[name] if known or self._later is None else self._later(name)

    def _in_part(
        self, name: str, training: Dataset, held: Dataset, copied_rows: Array
    ) -> list[tuple[LeakKind, str, int]]:
        """What was looked for, in which column, and how many of these held rows it reaches."""
        hashes = held.hashes
        same = np.isin(hashes, training.hashes)
        found: list[tuple[LeakKind, str, int]] = [("exact", "", int(np.isin(hashes, copied_rows).sum()))]
        copies = near(held, training)  # this way round a column that candidates hardly vary has the scale of others
        row, copy = copies.training, copies.held
        answered = _agree(training, held, copy, row) & ~same[row]
        found.append(("near", "", len(np.unique(row[answered]))))
        if training.groups is not None and held.groups is not None:
            shared = np.isin(held.groups.astype(str), training.groups.astype(str))
            found.append(("group", "", int(shared.sum())))
        found += _ids(training, held)
        base = None if name == BASE else self._catalogue.base
        found += _columns(training, held, base)
        return found


def _copied(training: Dataset, held: Dataset) -> Array:
    """Hashes of the training rows that are copies of held rows: equal inputs that chance explains are no answers."""
    mine, theirs = training.hashes, held.hashes
    return mine[copied(training, held, *numbered([mine, theirs]))]


def _common(held: Dataset) -> float:
    """Share of held-out rows that repeat another: in a coarse table copies are no sign of anything."""
    return 1.0 - len(np.unique(held.hashes)) / max(1, len(held))


def _agree(training: Dataset, held: Dataset, known: Array, asked: Array) -> Array:
    """Whether pairs of rows have the same label."""
    if training.y is None or held.y is None or training.y.ndim > 1:
        return np.ones(len(known), dtype=bool)
    return np.asarray(np.asarray(training.y)[known] == np.asarray(held.y)[asked])


def _ids(training: Dataset, held: Dataset) -> list[tuple[LeakKind, str, int]]:
    """Metadata columns of ids that both have, and how many held rows share theirs; a mere count of rows is no id."""
    found: list[tuple[LeakKind, str, int]] = []
    for column in training.metadata.columns:
        if column not in held.metadata.columns:
            continue
        mine, theirs = (data.metadata[column].dropna() for data in (training, held))
        if not len(mine) or mine.nunique() < MOSTLY_UNIQUE * len(mine) or mine.dtype.kind == "f":
            continue
        if mine.dtype.kind in "iu" and int(mine.max()) - int(mine.min()) + 1 == mine.nunique():
            continue
        found.append(("id", str(column), int(theirs.astype(str).isin(set(mine.astype(str))).sum())))
    return found


def _columns(training: Dataset, held: Dataset, base: Dataset | None) -> list[tuple[LeakKind, str, int]]:
    """Columns of a table that are the label in disguise, in training and in the held rows, but not in the base."""
    x, y = np.asarray(training.x), training.y
    if x.ndim != 2 or x.dtype.kind not in "fiub" or y is None or held.y is None or np.asarray(y).dtype.kind not in "iu":
        return []
    told: list[tuple[LeakKind, str, int]] = []
    for column in range(x.shape[1]):
        cuts = _cuts(x[:, column], np.asarray(y))
        if cuts is None:
            continue
        if base is not None and base.y is not None and _told(cuts, np.asarray(base.x)[:, column], base.y) >= TELLS:
            continue
        share = _told(cuts, np.asarray(held.x)[:, column], held.y)
        told.append(("column", str(column), round(share * len(held)) if share >= TELLS else 0))
    return told or [("column", "", 0)]


def _cuts(values: Array, y: Array) -> tuple[Array, Array] | None:
    """Where to cut a column to read off the label, and the classes between the cuts; None where it is no disguise.

    The classes must lie apart by as much as the widest of them is wide: a feature that happens to separate them has
    values up to the border, a label with noise on it has not.
    """
    classes = np.unique(y)
    if len(classes) < 2 or not np.isfinite(values).all():
        return None
    low = np.array([values[y == k].min() for k in classes], dtype=np.float64)
    high = np.array([values[y == k].max() for k in classes], dtype=np.float64)
    order = np.argsort(low)
    low, high = low[order], high[order]
    gaps = low[1:] - high[:-1]
    if gaps.min() <= 0 or gaps.min() < (high - low).max():
        return None
    return 0.5 * (low[1:] + high[:-1]), classes[order]


def _told(cuts: tuple[Array, Array], values: Array, y: Array) -> float:
    """Share of rows whose label the cuts read off."""
    places, classes = cuts
    return float(np.mean(classes[np.searchsorted(places, values)] == np.asarray(y))) if len(values) else 0.0
