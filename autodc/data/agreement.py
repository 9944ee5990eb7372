"""Does a dataset agree with the base: shape, kind of numbers, columns of a table, kind of target, classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from autodc.data.dataset import Dataset
from autodc.data.rows import FEATURES
from autodc.errors import DataError

Array = np.ndarray[Any, Any]
Label = int | str | bool
Classes = tuple[Label, ...]

ALIKE = "convert and scale both alike, or the model sees numbers of another size"
KINDS = {"f": "decimal numbers", "i": "whole numbers", "u": "unsigned whole numbers", "b": "true or false", "U": "text"}


def agreed(data: Dataset, base: Dataset, place: str) -> tuple[Dataset, list[DataError]]:
    """Fit a dataset to the base: columns in its order, inputs in its dtype. What does not fit is told, not mended."""
    data, problems = _same_columns(data, base, place)
    if not problems and data.x.shape[1:] != base.x.shape[1:]:
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
    labels: Classes = tuple(np.unique(base.y).tolist())
    if len(labels) < 2:
        raise DataError("ADC-DATA-025", "a classification needs two classes or more", place, f"{labels[0]!r} alone")
    return labels


def encoded(data: Dataset, classes: Classes, place: str) -> Dataset:
    """The dataset with its labels as codes 0 … C−1. Raises DataError ADC-DATA-023 for a class the base lacks."""
    assert data.y is not None
    known = np.asarray(classes)
    labels, counts = np.unique(data.y, return_counts=True)
    foreign = ~np.isin(labels, known)
    if foreign.any():
        got = ", ".join(
            f"{label!r} ({count} rows)"
            for label, count in zip(labels[foreign].tolist(), counts[foreign].tolist(), strict=True)
        )
        hint = f"the base has {', '.join(map(repr, classes))}; rename with options: {{map: {{old: new}}}}"
        raise DataError("ADC-DATA-023", "classes that the base does not have", place, got, hint)
    return replace(data, y=np.searchsorted(known, data.y).astype(np.int64), fingerprint="")


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
    """A place in the inputs as a person looks for it: the row, and the column or the position in it."""
    row, *inside = position
    names = data.metadata.attrs.get(FEATURES)
    if names and len(inside) == 1:
        return f"row {row}, column `{names[inside[0]]}`"
    return f"row {row}, position ({', '.join(map(str, inside))})"


def _same_columns(data: Dataset, base: Dataset, place: str) -> tuple[Dataset, list[DataError]]:
    own, wanted = data.metadata.attrs.get(FEATURES), base.metadata.attrs.get(FEATURES)
    if not own or not wanted or own == wanted:
        return data, []
    if set(own) == set(wanted):
        order = [own.index(name) for name in wanted]
        metadata = data.metadata.copy(deep=False)
        metadata.attrs[FEATURES] = wanted
        return replace(data, x=np.ascontiguousarray(data.x[:, order]), metadata=metadata, fingerprint=""), []
    lost = [name for name in wanted if name not in own]
    missing = ", ".join(_as_here(data, name) for name in lost) or "none"
    extra = ", ".join(name for name in own if name not in wanted) or "none"
    hint = "name the input columns with options: {features: [...]}"
    got = f"missing: {missing}; more: {extra}"
    return data, [DataError("ADC-DATA-020", "other input columns than the base's", place, got, hint)]


def _as_here(data: Dataset, name: str) -> str:
    """A column that is no input here, and why where it is text."""
    if name not in data.metadata or data.metadata[name].dtype != object:
        return name
    values = data.metadata[name].dropna()
    odd = values[pd.to_numeric(values, errors="coerce").isna()]
    return f"{name} (text here, such as {odd.iloc[0]!r})" if len(odd) else name


def _same_target(data: Dataset, base: Dataset, place: str) -> list[DataError]:
    if data.y is None or base.y is None:
        return []
    kinds = (kind_of(data.y), kind_of(base.y))
    if kinds[0] != kinds[1]:
        got = f"{KINDS.get(kinds[0], kinds[0])}, the base has {KINDS.get(kinds[1], kinds[1])}"
        hint = "write them as the base does, or rename classes with options: {map: {old: new}}"
        return [DataError("ADC-DATA-022", "targets of another type than the base's", place, got, hint)]
    if data.y.shape[1:] != base.y.shape[1:]:
        got = f"{data.y.shape[1:]}, the base has {base.y.shape[1:]}"
        return [DataError("ADC-DATA-022", "targets of another shape than the base's", place, got)]
    return []
