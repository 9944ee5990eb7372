"""Cutting a dataset in two: related rows stay on one side, classes keep their shares."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from autodc.data.dataset import Dataset
from autodc.data.overlap import related
from autodc.errors import DataError

Array = np.ndarray[Any, Any]

MAX_FOLDS = 20
"""A stratified split by groups is made of folds; its share is the nearest fraction with at most this denominator."""


def split(data: Dataset, share: float, rng_seed: int, stratify: bool = True) -> tuple[Array, Array]:
    """Return two sorted arrays of row positions that cover the dataset; the first has about `share` of the rows.

    Rows of one group, and rows of the same inputs, are never on both sides. Classes keep their shares where the
    targets are whole numbers or text and every class has two rows.
    Raises DataError ADC-DATA-029 where the rows cannot be cut in two.
    """
    if not 0 < share < 1:
        raise ValueError(f"a share lies between 0 and 1, found {share}")
    together = related(data)
    units = len(data) if together is None else int(together.max()) + 1
    if units < 2:
        raise DataError("ADC-DATA-029", f"`{data.name}` cannot be cut in two: its rows are one group")
    seed = int(rng_seed % 2**32)
    labels = _strata(data) if stratify else None
    if together is None:
        first, second = _by_rows(labels, len(data), share, seed)
    elif labels is None:
        first, second = _by_groups(together, share, seed, len(data))
    else:
        first, second = _by_stratified_groups(labels, together, share, seed)
        if not (len(first) and len(second)):
            first, second = _by_groups(together, share, seed, len(data))
    return np.sort(first), np.sort(second)


def _strata(data: Dataset) -> Array | None:
    if data.y is None or data.y.ndim != 1 or data.y.dtype.kind not in "iubU":
        return None
    _, labels, counts = np.unique(data.y, return_inverse=True, return_counts=True)
    return labels if len(counts) > 1 and counts.min() >= 2 else None


def _by_rows(labels: Array | None, rows: int, share: float, seed: int) -> tuple[Array, Array]:
    from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

    size = min(max(round(share * rows), 1), rows - 1)
    if labels is not None and min(size, rows - size) > labels.max():
        cut = StratifiedShuffleSplit(1, train_size=size, test_size=rows - size, random_state=seed)
        first, second = next(cut.split(np.zeros(rows), labels))
    else:
        cut = ShuffleSplit(1, train_size=size, test_size=rows - size, random_state=seed)
        first, second = next(cut.split(np.zeros(rows)))
    return first, second


def _by_groups(together: Array, share: float, seed: int, rows: int) -> tuple[Array, Array]:
    from sklearn.model_selection import GroupShuffleSplit

    units = int(together.max()) + 1
    size = min(max(round(share * units), 1), units - 1)
    cut = GroupShuffleSplit(1, train_size=size, test_size=units - size, random_state=seed)
    first, second = next(cut.split(np.zeros(rows), groups=together))
    return first, second


def _by_stratified_groups(labels: Array, together: Array, share: float, seed: int) -> tuple[Array, Array]:
    """Join as many of the folds of a stratified, grouped k-fold as the share needs."""
    from sklearn.model_selection import StratifiedGroupKFold

    most = min(MAX_FOLDS, int(together.max()) + 1, int(np.bincount(labels).min()))
    wanted = Fraction(share).limit_denominator(max(most, 2))
    folds = wanted.denominator
    if folds < 2 or not 0 < wanted < 1:
        wanted, folds = Fraction(1 if share < 0.5 else most - 1, max(most, 2)), max(most, 2)
    cut = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    parts = [held for _, held in cut.split(np.zeros(len(labels)), labels, together)]
    count = int(wanted * folds)
    return np.concatenate(parts[:count]), np.concatenate(parts[count:])
