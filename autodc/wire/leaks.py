"""Looks for answers to validation rows in training datasets, where a gain looks too good to be honest.

What is looked for: copies and near copies of the rows that got better, with their label; their groups and ids; and a
column of the inputs that is the label in disguise. A hit must reach enough of the rows to explain the gain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np

from autodc.data.catalogue import Catalogue
from autodc.data.copies import copies_of
from autodc.data.dataset import Dataset
from autodc.data.hashing import among
from autodc.data.ids import as_ids, is_count, with_ids_of
from autodc.data.near import IMAGE_TOLERANCE, TABLE_TOLERANCE, near
from autodc.data.nearness import SAMPLED, Nearness, beyond
from autodc.data.views import is_pictures
from autodc.evaluation.slices import held_parts
from autodc.gate.types import Leak, LeakKind, Leaks
from autodc.large import distinct_values
from autodc.plan.mixture import BASE
from autodc.wire.disguised_labels import disguises

Array = np.ndarray[Any, Any]

ENOUGH = 0.05
"""Share of the rows that got better below which what is found explains nothing."""
LEAST_ROWS = 3
MOSTLY_UNIQUE = 0.9
"""Share of distinct values from which a metadata column may be one of ids."""


@final
class LeakSearch:
    """Looks through the datasets of a study, as they are after rows that are also held out were left out."""

    def __init__(
        self,
        catalogue: Catalogue,
        later: Callable[[str], Dataset] | None = None,
        parents: Callable[[str], tuple[str, ...]] = lambda name: (),
    ) -> None:
        """later: the training dataset of a name that was admitted while the study ran.

        parents: the datasets that it was made of, whose rows are no news in it.
        """
        self._catalogue, self._later, self._parents = catalogue, later, parents
        self._held = held_parts(catalogue)

    def __call__(self, datasets: tuple[str, ...], better: Mapping[str, Array]) -> Leaks:
        """Look for leaks. better: part → positions of the rows that got better."""
        looked: dict[LeakKind, None] = {}
        found: list[Leak] = []
        of = sum(len(rows) for rows in better.values())
        for name in datasets:
            training = self._training(name)
            if not len(training):
                continue
            counts: dict[tuple[LeakKind, str], int] = {}
            for part, rows in better.items():
                if not len(rows):
                    continue
                common = _common(self._held[part])
                for kind, column, count in self._in_part(name, training, self._held[part], rows):
                    looked[kind] = None
                    expected = 2 * common * len(rows) if kind in ("exact", "near") else 0.0
                    counts[kind, column] = counts.get((kind, column), 0) + (count if count > expected else 0)
            found += [
                Leak(dataset=name, kind=kind, rows=count, of=of, column=column)
                for (kind, column), count in counts.items()
                if count >= max(LEAST_ROWS, ENOUGH * of)
            ]
        return Leaks(datasets=datasets, looked=tuple(looked), found=tuple(found))

    def _training(self, name: str) -> Dataset:
        known = name in (BASE, *self._catalogue.candidates)
        if known or self._later is None:
            return self._catalogue[name]
        found = with_ids_of(self._later(name), self._catalogue.base)
        for parent in self._parents(name):
            if parent in (BASE, *self._catalogue.candidates):
                found = _without(found, self._catalogue[parent])
        return found

    def _in_part(self, name: str, training: Dataset, part: Dataset, better: Array) -> list[tuple[LeakKind, str, int]]:
        """What was looked for, in which column, and how many of the rows of a part that got better it reaches."""
        held, copied_rows = part.take(better), _copied(training, part)
        hashes = held.hashes
        same = among(hashes, training.hashes)
        found: list[tuple[LeakKind, str, int]] = [("exact", "", int(np.isin(hashes, copied_rows).sum()))]
        copies = near(held, training)  # this way round a column that candidates hardly vary has the scale of others
        row, copy = copies.training, copies.held
        answered = _agree(training, held, copy, row) & ~same[row]
        nearness = Nearness(training, part)
        usual = IMAGE_TOLERANCE if is_pictures(training.x) else TABLE_TOLERANCE
        count = beyond(len(distinct_values(row[answered])), len(held), nearness.by_chance(usual))
        found.append(("near", "", max(count, _with_noise(nearness, training, held, same))))
        if training.groups is not None and held.groups is not None:
            shared = np.isin(held.groups.astype(str), training.groups.astype(str))
            found.append(("group", "", int(shared.sum())))
        found += _ids(training, held)
        base = None if name == BASE else self._catalogue.base
        found += [("column", column, count) for column, count in disguises(training, part, held, base)]
        return found


def _without(data: Dataset, parent: Dataset) -> Dataset:
    """The rows that are not of another dataset, with the same target."""
    same = among(data.hashes, parent.hashes)
    if data.y is not None and parent.y is not None and data.y.ndim == 1 == parent.y.ndim:
        first, place = np.unique(parent.hashes, return_index=True)
        at = np.minimum(np.searchsorted(first, data.hashes), max(0, len(first) - 1))
        same &= np.asarray(parent.y)[place[at]] == np.asarray(data.y)
    return data.take(np.flatnonzero(~same)) if same.any() else data


def _copied(training: Dataset, held: Dataset) -> Array:
    """Hashes of the training rows that are copies of held rows: equal inputs that chance explains are no answers."""
    return training.hashes[copies_of(training, held).rows]


def _common(held: Dataset) -> float:
    """Share of held-out rows that repeat another: in a coarse table copies are no sign of anything."""
    return 1.0 - len(distinct_values(held.hashes)) / max(1, len(held))


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
        if is_count(mine):
            continue
        found.append(("id", str(column), int(as_ids(theirs).isin(set(as_ids(mine))).sum())))
    return found


def _with_noise(nearness: Nearness, training: Dataset, held: Dataset, same: Array) -> int:
    """How many held rows are a training row of their label with noise on it."""
    held_rows, rows, within = nearness.huddled(held)
    answered = _agree(training, held, rows, held_rows) & ~same[held_rows]
    looked = min(len(held), SAMPLED)
    found = beyond(len(distinct_values(held_rows[answered])), looked, nearness.by_chance(within))
    return round(found * len(held) / max(1, looked))
