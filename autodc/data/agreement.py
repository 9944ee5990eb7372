"""Does a dataset agree with the base: shape, kind of numbers, columns of a table, kind of target, classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from autodc.data.dataset import Dataset
from autodc.data.renaming import renaming
from autodc.errors import DataError
from autodc.large import BESIDE, pieces_of, room
from autodc.table import Table
from autodc.values import encoded as encoded_values
from autodc.values import is_json

Array = np.ndarray[Any, Any]
Label = int | str | bool
Classes = tuple[Label, ...]

ALIKE = "convert and scale both alike, or the model sees numbers of another size"
KINDS_HINT = (
    "all datasets of a study have inputs of one kind; options: {text: column} reads text, {size: [h, w]} images as "
    "arrays"
)
KINDS = {
    "f": "decimal numbers",
    "i": "whole numbers",
    "u": "unsigned whole numbers",
    "b": "true or false",
    "U": "text",
    "S": "JSON values",
}


def agreed(data: Dataset, base: Dataset, place: str) -> tuple[Dataset, list[DataError]]:
    """Fit a dataset to the base: columns in its order, inputs in its dtype. What does not fit is told, not mended.

    Where the targets of the base are JSON values, numbers are too.
    """
    if data.y is not None and base.y is not None and is_json(base.y) and not is_json(data.y):
        data = replace(data, y=encoded_values(data.y), fingerprint="")
    if isinstance(data.x, Table) or isinstance(base.x, Table):
        data, misfits = _same_columns(data, base, place)
        return data, [*misfits, *_same_target(data, base, place)]
    problems: list[DataError] = []
    if data.x.shape[1:] != base.x.shape[1:]:
        got = f"{data.x.shape[1:]}, the base has {base.x.shape[1:]}"
        problems.append(DataError("ADC-DATA-020", "inputs of another shape than the base's", place, got))
    if kind_of(data.x) != kind_of(base.x):
        got = f"{data.x.dtype}, the base has {base.x.dtype}"
        problems.append(DataError("ADC-DATA-021", "inputs of another type than the base's", place, got, ALIKE))
    problems += _same_target(data, base, place)
    if problems or data.x.dtype == base.x.dtype:
        return data, problems
    x, lost = _cast(data.x, base.x.dtype)
    if lost is not None:
        got = f"{_where(data, lost)}: {data.x[lost]}; these inputs are {data.x.dtype}, the base's {base.x.dtype}"
        return data, [DataError("ADC-DATA-021", "inputs that the base's type cannot hold", place, got, ALIKE)]
    return replace(data, x=x, fingerprint=""), []


def class_labels(base: Dataset, place: str) -> Classes:
    """The classes of the base in the order of their codes. Raises DataError ADC-DATA-025 below two."""
    assert base.y is not None
    labels: Classes = tuple(counted(base.y)[0].tolist())
    if len(labels) < 2:
        raise DataError("ADC-DATA-025", "a classification needs two classes or more", place, f"{labels[0]!r} alone")
    return labels


def encoded(data: Dataset, classes: Classes, place: str) -> Dataset:
    """The dataset with its labels as codes 0 … C−1. Raises DataError ADC-DATA-023 for a class the base lacks."""
    assert data.y is not None
    known = np.asarray(classes)
    labels, counts = counted(data.y)
    foreign = ~np.isin(labels, known)
    if foreign.any():
        got = ", ".join(
            f"{label!r} ({count} rows)"
            for label, count in zip(labels[foreign].tolist(), counts[foreign].tolist(), strict=True)
        )
        hint = renaming(labels[foreign], classes)
        raise DataError("ADC-DATA-023", "classes that the base does not have", place, got, hint)
    codes = room((len(data),), np.dtype(np.int64), BESIDE)
    for rows in pieces_of(len(data)):
        codes[rows] = np.searchsorted(known, data.y[rows])
    return replace(data, y=codes, fingerprint="")


def counted(y: Array) -> tuple[Array, Array]:
    """Labels, rising, and how often each is there."""
    pieces = [np.unique(y[rows], return_counts=True) for rows in pieces_of(len(y))]
    labels, back = np.unique(np.concatenate([each for each, _ in pieces] or [y]), return_inverse=True)
    counts = np.zeros(len(labels), dtype=np.int64)
    np.add.at(counts, back.ravel(), np.concatenate([count for _, count in pieces] or [counts]))
    return labels, counts


def kind_of(values: Array) -> str:
    """Whole numbers are of one kind, signed or not; true and false, and decimal numbers, are others."""
    return "i" if values.dtype.kind in "iu" else values.dtype.kind


def _cast(values: Array, dtype: np.dtype[Any]) -> tuple[Array, tuple[int, ...] | None]:
    """The values in another dtype, and the position of the first that it would wrap or make infinite."""
    if dtype.kind in "iu":
        ends = np.iinfo(dtype)
        if ends.min <= int(values.min()) and int(values.max()) <= ends.max:
            return values.astype(dtype), None
        outside = (values > ends.max) | (values < ends.min)
        return values, tuple(int(i) for i in np.argwhere(outside)[0])
    with np.errstate(over="ignore"):
        cast = values.astype(dtype)
    lost = np.isinf(cast)
    return cast, tuple(int(i) for i in np.argwhere(lost)[0]) if lost.any() else None


def _where(data: Dataset, position: tuple[int, ...]) -> str:
    """A place in the inputs as a person looks for it: the row, and the position in it."""
    row, *inside = position
    return f"row {row}, position ({', '.join(map(str, inside))})"


def _same_columns(data: Dataset, base: Dataset, place: str) -> tuple[Dataset, list[DataError]]:
    """Columns in the base's order. Their types are the base's already, for sources read them so."""
    own, wanted = _described(data), _described(base)
    if own != wanted:
        got = f"{own}, the base has {wanted}"
        return data, [DataError("ADC-DATA-021", "inputs of another kind than the base's", place, got, KINDS_HINT)]
    assert isinstance(data.x, Table)
    assert isinstance(base.x, Table)
    if base.x.kind != "table" or data.x.schema == base.x.schema:
        return _called_alike(data, data.x, base.x), []
    missing = ", ".join(name for name in base.x.names if name not in data.x.names) or "none"
    extra = ", ".join(name for name in data.x.names if name not in base.x.names) or "none"
    changed = [
        f"{name} ({kind}, here {data.x.schema[name]})"
        for name, kind in base.x.schema.items()
        if data.x.schema.get(name, kind) != kind
    ]
    got = f"missing: {missing}; more: {extra}" + (f"; of another type: {', '.join(changed)}" if changed else "")
    hint = "name the input columns with options: {features: [...]}"
    return data, [DataError("ADC-DATA-020", "other input columns than the base's", place, got, hint)]


def _called_alike(data: Dataset, own: Table, base: Table) -> Dataset:
    """The same rows with columns in the base's order; of text the column has the base's name."""
    if own.names == base.names:
        return data
    if own.kind == "table":
        return replace(data, x=own.select(base.names), fingerprint="")
    return replace(
        data, x=Table(own.kind, own.arrow.rename_columns(base.arrow.column_names), own.types), fingerprint=""
    )


def _described(data: Dataset) -> str:
    if not isinstance(data.x, Table):
        return "an array"
    return {"table": "a table of columns", "text": "text", "files": "files"}[data.x.kind]


def _same_target(data: Dataset, base: Dataset, place: str) -> list[DataError]:
    if data.y is None or base.y is None:
        return []
    kinds = (kind_of(data.y), kind_of(base.y))
    if kinds[0] != kinds[1]:
        got = f"{KINDS.get(kinds[0], kinds[0])}, the base has {KINDS.get(kinds[1], kinds[1])}"
        kind = {"U": "category", "i": "integer", "b": "boolean", "f": "number"}.get(kinds[1], "category")
        hint = (
            "write them as the base does, or rename classes with options: {map: {old: new}}; a table is read as the "
            f"base's with options: {{types: {{its target column: {kind}}}}}"
        )
        return [DataError("ADC-DATA-022", "targets of another type than the base's", place, got, hint)]
    if data.y.shape[1:] != base.y.shape[1:]:
        got = f"{data.y.shape[1:]}, the base has {base.y.shape[1:]}"
        return [DataError("ADC-DATA-022", "targets of another shape than the base's", place, got)]
    return []
