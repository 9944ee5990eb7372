"""What a finder may see: some validation rows, what is known of them, and what one model made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, final

import numpy as np
import pandas as pd

from autodc.diagnose.rule import TARGET
from autodc.large import taken
from autodc.table import Inputs

Array = np.ndarray[Any, Any]

FEW = 5
"""Rows below which a class has no mean error of its own."""
WORST = 0.2
"""Share of the rows, those of largest error, that count as failed where no class is right or wrong."""
LEAST_GROUPS = 40
"""Groups of rows below which nothing is cut in two: nothing found on the one half could be confirmed on the other."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """n rows of validation that search and diagnosis may look at."""

    ids: Array
    """Positions in validation, shape (n,)."""
    error: Array
    """Shape (n,), up is worse: 1 where the class is wrong and 0 where it is right; elsewhere the error of the row."""
    failed: Array
    """Shape (n,) of booleans."""
    target: Array
    """As the user wrote them, shape (n,) or (n, ...)."""
    prediction: Array
    """As the user would write them, shape (n,) or (n, ...)."""
    attributes: pd.DataFrame
    """n rows: the metadata columns and what enrichers add, of numbers, booleans, text; missing values are NaN or None.
    The target is never among them."""
    groups: Array
    """Shape (n,) of integers: rows of one number stay on one side of a cut and count as one observation."""
    probabilities: Array | None = None
    """Shape (n, classes), of a classifier."""
    classes: tuple[Any, ...] = ()
    """Labels in the order of the probabilities."""
    embeddings: Mapping[str, Array] = field(default_factory=dict)
    """Name → coordinates, shape (n, d), float32 without NaN."""
    known: Array | None = None
    """Shape (n,) of integers from 0: what is known of where the model fails; rows of one number are held against each
    other alone. None where nothing is known."""
    x: Inputs | None = None
    """The inputs, n rows, of those who show or change them."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def is_classification(self) -> bool:
        """Whether a row is right or wrong."""
        return bool(self.classes)

    @property
    def labels(self) -> Array | None:
        """The class of each row as a number from 0, shape (n,); None where a row has no class."""
        if not self.is_classification or self.target.ndim != 1:
            return None
        return np.unique(self.target.astype(str), return_inverse=True)[1]

    @property
    def strata(self) -> Array | None:
        """The class of each row and what is known of it as one number, shape (n,); None where there is neither."""
        label = self.labels
        if self.known is None or label is None:
            return label if self.known is None else self.known
        return np.unique(self.known * (label.max(initial=0) + 1) + label, return_inverse=True)[1].ravel()

    @property
    def columns(self) -> pd.DataFrame:
        """What conditions may be about: the attributes, and the class of a row as `target` where rows have one."""
        if self.labels is None:
            return self.attributes
        return self.attributes.assign(**{TARGET: np.asarray(self.target, dtype=object)})

    @property
    def excess(self) -> Array:
        """Error beyond what the class of a row, and what is known of it, explain, shape (n,)."""
        return beyond(self.error, self.strata)

    def take(self, rows: Array) -> Self:
        """The same of these rows, in this order. rows: positions among the n, or n booleans."""
        index = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows)
        return replace(
            self,
            ids=self.ids[index],
            error=self.error[index],
            failed=self.failed[index],
            target=self.target[index],
            prediction=self.prediction[index],
            attributes=self.attributes.iloc[index].reset_index(drop=True),
            groups=self.groups[index],
            probabilities=None if self.probabilities is None else self.probabilities[index],
            embeddings={name: one[index] for name, one in self.embeddings.items()},
            known=None if self.known is None else self.known[index],
            x=None if self.x is None else taken(self.x, index),
        )

    def halves(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Positions of two halves, rising, groups whole: on the one is found, on the other confirmed.

        Each half has its share of the failures, as well as groups allow.
        """
        units, place = np.unique(self.groups, return_inverse=True)
        worst = np.zeros(len(units))
        np.maximum.at(worst, place, self.failed.astype(float))
        first = np.zeros(len(units), dtype=bool)
        for kind in (0.0, 1.0):
            alike = rng.permutation(np.flatnonzero(worst == kind))
            first[alike[: len(alike) // 2]] = True
        return np.flatnonzero(first[place]), np.flatnonzero(~first[place])


def beyond(error: Array, label: Array | None) -> Array:
    """Errors less the mean error of each class, shape (n,); classes of a few rows are explained together.

    label: the class of each row as a number from 0, shape (n,); None where rows have none.
    """
    if not len(error) or label is None:
        return error - (error.mean() if len(error) else 0.0)
    place = np.where(np.bincount(label)[label] < FEW, label.max() + 1, label)
    count, total = np.bincount(place), np.bincount(place, weights=error)
    return np.asarray(error - (total / np.maximum(count, 1))[place])


def failed_rows(error: Array, *, is_classification: bool) -> Array:
    """Which rows count as failed, shape (n,): the wrong ones, or the fifth of largest error."""
    if is_classification:
        return np.asarray(error > 0)
    if not len(error):
        return np.zeros(0, dtype=bool)
    edge = np.quantile(error, 1 - WORST)
    return np.asarray((error >= edge) & (error > error.min()))
