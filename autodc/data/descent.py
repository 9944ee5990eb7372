"""What rows were made of: nothing that is held out, by name, by content and by group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from autodc.data.catalogue import TEST, VALIDATION, Catalogue
from autodc.data.dataset import Dataset
from autodc.data.shared import shared_rows
from autodc.errors import DataError

Array = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

MADE_OF_HELD = "rows were made of rows that are held out"
FROM_TRAINING = "make them of rows of the base, the pool or a dataset of the roster"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Descent:
    """Which made rows may be trained on."""

    kept: Array | None = None
    """Positions of the rows whose parent nobody holds out; None where that is all of them."""
    left_out: int = 0
    warnings: tuple[str, ...] = ()


def refuse_descent(
    name: str,
    parents: Sequence[str],
    parent: Array,
    position: Array,
    catalogue: Catalogue,
    *,
    joined: Callable[[str], Dataset | None] = lambda name: None,
    group: str | None = None,
    place: str = "",
) -> Descent:
    """Leave out the rows of a made dataset whose parent is held out, or has the content or group of what is.

    name: of the made dataset; parents: names of the datasets its rows were made of; parent, position: shape (n,), row i
    comes from row `position[i]` of `parents[parent[i]]`, -1 where it was made of none (`propose.made.Origin`); joined:
    a dataset that joined while the study ran, None where there is none of that name; group: the column of groups, which
    stored datasets have among their metadata; place: what a message names.
    Raises DataError ADC-PROP-063 where a parent is validation, test or a slice's own set, or nothing is left, 064 where
    a parent is no dataset of the study or has no such row.
    """
    parent, position = np.asarray(parent), np.asarray(position)
    refused, copies, related = np.zeros(len(parent), dtype=bool), 0, 0
    _refuse_misfit(parents, parent, position, place)
    for at, source in enumerate(parents):
        rows = np.flatnonzero(parent == at)
        if not len(rows):
            continue
        data = _training(source, catalogue, joined, place)
        _refuse_beyond(source, position[rows], len(data), place)
        content, groups = _held_rows(data, catalogue), _held_groups(data, catalogue, group)
        copies += int(content[position[rows]].sum())
        related += int((groups & ~content)[position[rows]].sum())
        refused[rows] = (content | groups)[position[rows]]
    count = int(refused.sum())
    if not count:
        return Descent()
    how = [f"{copies} of copies of held-out rows"] if copies else []
    how += [f"{related} of rows whose group is held out"] if related else []
    told = f"{count} of {len(refused)} rows of `{name}` were made {' and '.join(how)}"
    if count == len(refused):
        raise DataError("ADC-PROP-063", MADE_OF_HELD, place, told, FROM_TRAINING)
    return Descent(kept=np.flatnonzero(~refused), left_out=count, warnings=(f"{told}; they are left out of training",))


def held_out(data: Dataset, catalogue: Catalogue, group: str | None = None) -> Mask:
    """Rows that nothing may be made of, shape (n,): held-out sets have them, or rows of their group.

    group: the column of groups, where the rows have them among their metadata.
    """
    return np.asarray(_held_rows(data, catalogue) | _held_groups(data, catalogue, group))


def _training(name: str, catalogue: Catalogue, joined: Callable[[str], Dataset | None], place: str) -> Dataset:
    """A dataset that may be a parent."""
    known = catalogue.training
    found = known.get(name) or joined(name)
    if found is not None:
        return found
    if name in (VALIDATION, TEST, *catalogue.slice_sets):
        raise DataError("ADC-PROP-063", MADE_OF_HELD, place, f"`{name}`", FROM_TRAINING)
    got = f"`{name}`; known are {', '.join(known)}"
    raise DataError("ADC-PROP-064", "rows were made of what is no dataset of the study", place, got, FROM_TRAINING)


def _refuse_misfit(parents: Sequence[str], parent: Array, position: Array, place: str) -> None:
    if len(parent) == len(position) and np.array_equal(parent < 0, position < 0) and np.all(parent < len(parents)):
        return
    got = f"{len(parent)} parents, {len(position)} positions, {len(parents)} datasets"
    hint = "give both for every row, -1 for both where a row was made of none"
    raise DataError("ADC-PROP-064", "the origin of made rows does not fit together", place, got, hint)


def _refuse_beyond(source: str, position: Array, count: int, place: str) -> None:
    if (highest := int(position.max())) >= count:
        got = f"row {highest} of `{source}`, which has {count}"
        hint = "count rows from 0, as the dataset was handed out"
        raise DataError("ADC-PROP-064", "rows were made of rows that are not there", place, got, hint)


def _held_rows(data: Dataset, catalogue: Catalogue) -> Mask:
    """Rows that held-out sets also hold, as `data.overlap: allow` lets them be."""
    return shared_rows(data, catalogue.held, 0.0).rows


def _held_groups(data: Dataset, catalogue: Catalogue, group: str | None) -> Mask:
    """Rows of groups that have rows in a held-out set."""
    mine = data.groups
    if mine is None and group is not None and group in data.metadata:
        mine = data.metadata[group].to_numpy()
    theirs = [np.unique(one.groups.astype(str)) for one in catalogue.held if one.groups is not None]
    if mine is None or not theirs:
        return np.zeros(len(data), dtype=bool)
    return np.isin(mine.astype(str), np.concatenate(theirs))
