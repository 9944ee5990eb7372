"""Training, validation and test rows of one source: groups whole, or the newest rows last, or classes alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from pydantic import JsonValue

from autodc import seeds
from autodc.data.dataset import Dataset
from autodc.data.overlap import related
from autodc.data.split import split
from autodc.data.times import dates
from autodc.errors import InputError

Array = np.ndarray[Any, Any]

TRAIN, VALIDATION, TEST = "train", "validation", "test"
VALIDATION_SHARE, TEST_SHARE = 0.25, 0.15
LEAST_VALIDATION, ENOUGH_VALIDATION, MOST_SHARE = 40, 55, 0.36
"""Rows of which those that the search does not see are enough for the gate to say anything; of which both have enough,
where that is no larger a share."""
LEAST_TEST = 20
MOST_HELD = 40_000
"""More rows than this in validation or test make every training longer and tell nothing more."""
LEAST_ROWS = 60
RARE = 4
"""A class with fewer rows than this is in the training rows alone."""
MANY = 20_000
"""Of more rows in groups chance gives each part its share of the classes, and evening them out takes minutes."""
OFF = 0.5
"""A cut in time is moved to where the time changes, up to this share of the rows of a part."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """Who has which rows."""

    parts: dict[str, Array]
    """train, validation and, where there are rows for one, test → positions, rising."""
    why: str
    """How it was made, for a person."""
    options: dict[str, JsonValue] = field(default_factory=dict)
    """By which the parts are read, beside others."""


def cut_rows(data: Dataset, time: str | None, seed: int, *, has_test: bool) -> Cut:
    """Cut a dataset. time: the column by which; None: by groups where it has them, else by class.

    has_test: a test set is there already. Raises InputError ADC-INIT-005 where the rows are too few, DataError where
    they cannot be cut.
    """
    if len(data) < LEAST_ROWS:
        hint = f"from {LEAST_ROWS} rows on there is something to cut; or put a file called validation beside it"
        raise InputError("ADC-INIT-005", "too few rows to cut a validation set from", "--from", f"{len(data)}", hint)
    validation, test = _sizes(len(data), has_test)
    options: dict[str, JsonValue] = {}
    if time is not None:
        options = {"time": time} if data.metadata[time].notna().all() else {}
        parts = _by_time(dates(data.metadata[time]).to_numpy(dtype="datetime64[us]"), validation, test)
        why = f"cut in time by {time}, the newest rows last"
    else:
        parts = _at_random(data, validation, test, seed)
        why = "cut at random" + (", classes alike" if _classes(data) is not None else "")
        why = "cut by groups, each whole on one side" if data.groups is not None else why
    return Cut(parts=_with_all_classes(data, parts), why=why, options=options)


def _classes(data: Dataset) -> Array | None:
    """The class of each row; None where targets are numbers or several."""
    y = data.y
    return y if y is not None and y.ndim == 1 and y.dtype.kind in "iubU" else None


def _sizes(rows: int, has_test: bool) -> tuple[int, int]:
    least = max(LEAST_VALIDATION, min(ENOUGH_VALIDATION, round(MOST_SHARE * rows)))
    validation = min(max(least, round(VALIDATION_SHARE * rows)), MOST_HELD, rows - LEAST_TEST)
    test = 0 if has_test else min(round(TEST_SHARE * rows), MOST_HELD)
    return validation, test if test >= LEAST_TEST else 0


def _at_random(data: Dataset, validation: int, test: int, seed: int) -> dict[str, Array]:
    rows = np.arange(len(data))
    if (y := _classes(data)) is not None:
        _, label, count = np.unique(y, return_inverse=True, return_counts=True)
        rows = rows[count[label.ravel()] >= RARE]
    parts = {}
    for name, size in ((TEST, test), (VALIDATION, validation)):
        if size:
            share = min(max(size / len(rows), 0.01), 0.9)
            part = data.take(rows)
            few = len(rows) <= MANY or related(part) is None
            rest, own = split(part, 1 - share, seeds.integer(seed, "init", name), stratify=few)
            parts[name], rows = rows[own], rows[rest]
    held = np.concatenate(list(parts.values()))
    return {TRAIN: np.setdiff1d(np.arange(len(data)), held), **{name: parts[name] for name in reversed(parts)}}


def _by_time(times: Array, validation: int, test: int) -> dict[str, Array]:
    """Rows without a time are the oldest."""
    order = np.argsort(
        np.where(np.isnat(times), np.datetime64(0, "us") - np.timedelta64(10**17, "us"), times), kind="stable"
    )
    last = len(order) - test
    last = _moved(times[order], last, test) if test else last
    first = _moved(times[order], last - validation, validation)
    parts = {TRAIN: order[:first], VALIDATION: order[first:last], TEST: order[last:]}
    return {name: np.sort(rows) for name, rows in parts.items() if len(rows)}


def _moved(times: Array, place: int, size: int) -> int:
    """The place nearest to this where the time changes, unless it is too far away."""
    changes = np.flatnonzero(times[1:] != times[:-1]) + 1
    if not len(changes):
        return place
    near = int(changes[np.argmin(np.abs(changes - place))])
    return near if abs(near - place) <= OFF * size else place


def _with_all_classes(data: Dataset, parts: dict[str, Array]) -> dict[str, Array]:
    """A class that no training row has is moved there: nobody can be tested on what nobody could learn."""
    if (y := _classes(data)) is None:
        return parts
    known = np.unique(y[parts[TRAIN]])
    kept = {name: rows[np.isin(y[rows], known)] for name, rows in parts.items()}
    held = np.concatenate([rows for name, rows in kept.items() if name != TRAIN])
    return {**kept, TRAIN: np.setdiff1d(np.arange(len(data)), held)}
