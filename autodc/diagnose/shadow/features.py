"""What is known of a row without its target: how sure the model is, what it predicts, its attributes, where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import pandas as pd

from autodc.diagnose.shadow.columns import Columns
from autodc.diagnose.shadow.space import Space
from autodc.table import Inputs, Table

Array = np.ndarray[Any, Any]

FEW_CLASSES = 12
"""Of so few classes the log-odds of each are told."""
MOST_CLASSES = 250
"""Of so many the predicted one is a category."""
FEW_VALUES = 8
"""So many numbers of an output that is no class are told as they are."""
TINY = 1e-7


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """Which columns of the matrix of features are what, in this order."""

    proxies: tuple[str, ...]
    columns: Columns
    coordinates: int
    """0 where inputs have none; else the distance from the base follows them."""
    predicted: int | None
    """The proxy that is the predicted class."""

    @property
    def width(self) -> int:
        """How many there are."""
        return len(self.proxies) + len(self.columns) + self.coordinates + bool(self.coordinates)

    @property
    def attributes(self) -> slice:
        """The columns that a person reads."""
        return slice(len(self.proxies), len(self.proxies) + len(self.columns))

    @property
    def distance(self) -> int | None:
        """From the base."""
        return self.width - 1 if self.coordinates else None

    @property
    def categorical(self) -> Array:
        """Shape (width,) of booleans."""
        found = np.zeros(self.width, dtype=bool)
        found[self.attributes] = [one.is_category for one in self.columns.columns]
        if self.predicted is not None:
            found[self.predicted] = True
        return found

    @property
    def met(self) -> Array:
        """The columns that say under which conditions a row was met, not what the model makes of it; else all."""
        found = np.arange(self.width) >= len(self.proxies)
        return found if found.any() else ~found


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Featurer:
    """Makes the features of rows, the same way for validation and stream."""

    columns: Columns
    of_inputs: Array
    """Positions of the columns that are inputs of a table, shape (k,)."""
    space: Space | None
    is_classification: bool

    @classmethod
    def of(cls, columns: Columns, base: Inputs, about: pd.DataFrame, labels: Array | None, *, seed: int) -> Self:
        """Learn from the base where inputs lie.

        about: its metadata, of which inputs of a table are columns; labels: codes of its classes, or None.
        """
        names = base.names if isinstance(base, Table) and base.kind == "table" else ()
        of_inputs = np.array([at for at, one in enumerate(columns.columns) if one.source in names], dtype=int)
        chosen = Columns(columns=tuple(columns.columns[at] for at in of_inputs), left_out={})
        encoded = chosen.encode(about) if len(of_inputs) else None
        space = Space.of(base, chosen, encoded, labels, seed)
        return cls(columns=columns, of_inputs=of_inputs, space=space, is_classification=labels is not None)

    def features(self, outputs: Array, attributes: pd.DataFrame, x: Inputs) -> tuple[Array, Layout]:
        """Shape (n, width) float32. outputs: of the model, probabilities in classification."""
        sure, names, predicted = proxies(outputs, is_classification=self.is_classification)
        encoded = self.columns.encode(attributes)
        parts, size = [sure, encoded], 0
        if self.space is not None:
            coordinates = self.space.coordinates(x, encoded[:, self.of_inputs])
            size = coordinates.shape[1]
            distance, support = self.space.near(coordinates, outputs if self.is_classification else None)
            if support is not None:
                parts[0], names = np.concatenate([sure, support[:, None]], axis=1), (*names, "support")
            parts += [coordinates, distance[:, None]]
        layout = Layout(proxies=names, columns=self.columns, coordinates=size, predicted=predicted)
        return np.concatenate(parts, axis=1).astype(np.float32), layout


def proxies(outputs: Array, *, is_classification: bool) -> tuple[Array, tuple[str, ...], int | None]:
    """What the outputs alone say of how sure a model is: values (n, k), their names, which is the predicted class.

    Of a classifier the log-odds of the first class, the margin before the second, the entropy. Source: the proxies of
    Hendrycks and Gimpel 2017 and of Guillory et al. 2021.
    """
    if not is_classification:
        return _of_values(outputs)
    p = np.clip(np.asarray(outputs, dtype=np.float64), TINY, 1.0)
    p /= p.sum(axis=1, keepdims=True)
    order = np.sort(p, axis=1)
    first, second = np.clip(order[:, -1], TINY, 1 - TINY), order[:, -2]
    entropy = -(p * np.log(p)).sum(axis=1)
    columns = [np.log(first / (1 - first)), np.log(first / second), entropy]
    names = ["log-odds", "margin", "entropy"]
    predicted = None
    if p.shape[1] <= MOST_CLASSES:
        predicted = len(columns)
        columns.append(p.argmax(axis=1))
        names.append("predicted")
    if 2 < p.shape[1] <= FEW_CLASSES:
        columns += list(np.log(p).T)
        names += [f"log p{at}" for at in range(p.shape[1])]
    return np.stack(columns, axis=1).astype(np.float32), tuple(names), predicted


def _of_values(outputs: Array) -> tuple[Array, tuple[str, ...], int | None]:
    if outputs.dtype.kind not in "iufb":
        return np.zeros((len(outputs), 0), np.float32), (), None
    flat = np.asarray(outputs, dtype=np.float64).reshape(len(outputs), -1)
    if flat.shape[1] > FEW_VALUES:
        flat = np.stack([flat.mean(axis=1), flat.std(axis=1), flat.min(axis=1), flat.max(axis=1)], axis=1)
    return flat.astype(np.float32), tuple(f"output {at}" for at in range(flat.shape[1])), None
