"""Targets as a source has them, made those of the task: class labels, numbers, or images."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from autodc.data.columns import native
from autodc.data.problems import listed, not_finite, problem, sample
from autodc.data.source import SourceRequest
from autodc.large import distinct_values
from autodc.values import NoJson, boxed, encoded

Array = np.ndarray[Any, Any]

LOST_LABELS = "class labels are so large that different ones may become the same"
LARGEST_WHOLE = {2: 2.0**11, 4: 2.0**24, 8: 2.0**53, 16: 2.0**53}
"""Bytes of a decimal number → below this it tells every whole number apart."""


def target_values(request: SourceRequest, y: Any) -> Array:
    """Check targets against the kind of task.

    They are class labels (ints, bools or text), numbers (n,) or (n, k), or images (n, ...); in a custom task numbers of
    any shape or any JSON values, as `autodc.values` keeps them.
    """
    if y is None:
        raise problem(request, "005", "there are no targets")
    if request.kind == "custom":
        return _custom(request, y)
    try:
        y = _unboxed(np.asarray(y))
    except UnicodeDecodeError as error:
        raise problem(request, "011", "targets are bytes that are no text in UTF-8", str(error)) from None
    if request.kind == "classification":
        return _labels(request, y)
    if request.options.get("map"):
        raise problem(request, "026", "`map` renames classes, and this task has none")
    if y.dtype.kind not in "iufb":
        raise problem(request, "011", "targets must be numbers", got=_no_number(y))
    if request.kind == "regression":
        y = y.reshape(len(y)) if y.ndim == 2 and y.shape[1] == 1 else y
        if y.ndim not in (1, 2) or not y.size:
            hint = "flatten what belongs to a row, or write task.kind: custom"
            problem_of = "a regression target is one number a row, or k numbers: shape (n,) or (n, k)"
            raise problem(request, "011", problem_of, f"shape {y.shape}", hint)
        y = y.astype(np.float64, copy=False)
    elif y.ndim < 2:
        raise problem(request, "011", "an image_to_image target is one image a row", got=f"shape {y.shape}")
    if bad := not_finite(y):
        raise problem(request, "008", "targets hold NaN or infinity", got=bad)
    return native(y)


def _custom(request: SourceRequest, y: Any) -> Array:
    """Targets of a custom task: an array of numbers as it is; of anything else JSON values."""
    if request.options.get("map"):
        raise problem(request, "026", "`map` renames classes, and this task has none")
    y = y if isinstance(y, np.ndarray) else boxed(list(y))
    if y.dtype.kind in "iufb":
        if bad := not_finite(y):
            raise problem(request, "008", "targets hold NaN or infinity", got=bad)
        return native(y)
    if y.dtype.kind not in "OUST":
        hint = "targets of a custom task are numbers, text, or what JSON has"
        raise problem(request, "011", "targets are no numbers and no JSON values", f"{y.dtype}", hint)
    try:
        return encoded((np.char.decode(y, "utf-8") if y.dtype.kind == "S" else y).tolist())
    except (NoJson, UnicodeDecodeError) as error:
        raise problem(request, "011", "a target is no JSON value", str(error)) from None


def _labels(request: SourceRequest, y: Array) -> Array:
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        hint = "one-hot rows are turned by y.argmax(1)" if y.ndim == 2 else ""
        raise problem(request, "011", "a class label is one value a row", got=f"shape {y.shape}", hint=hint)
    if y.dtype.kind == "f":
        if bad := not_finite(y):
            raise problem(request, "008", "targets hold NaN or infinity", got=bad)
        if not np.array_equal(y, np.round(y)):
            raise problem(request, "011", "class labels are whole numbers or text", got=f"{sample(y)}")
        if (large := np.flatnonzero(np.abs(y) >= LARGEST_WHOLE[y.dtype.itemsize])).size:
            got = f"{y[large[0]]!r} of {y.dtype} in row {listed(large)}"
            raise problem(request, "058", LOST_LABELS, got, "write them as whole numbers without a point, or as text")
        y = y.astype(np.int64)
    if y.dtype.kind == "O":
        rows = np.flatnonzero(pd.isna(y))
        kind = f"no value in row {listed(rows)}" if len(rows) else f"mixed values, such as {sample(y)}"
        raise problem(request, "008", "class labels are whole numbers or text in every row", got=kind)
    if y.dtype.kind not in "iubU":
        raise problem(request, "011", "class labels are whole numbers or text", got=f"{y.dtype}")
    if y.dtype == np.uint64 and (large := np.flatnonzero(y > np.iinfo(np.int64).max)).size:
        got = f"{y[large[0]]} in row {listed(large)}"
        raise problem(request, "058", LOST_LABELS, got, "write them as text")
    y = y.astype(np.int64, copy=False) if y.dtype.kind in "iu" else y
    renames = request.options.get("map")
    return y if renames is None else _renamed(request, y, renames)


def _renamed(request: SourceRequest, y: Array, renames: object) -> Array:
    if not isinstance(renames, Mapping):
        raise problem(request, "026", "`map` is old label → new label", got=f"{renames!r}")
    present = {str(label): label for label in distinct_values(y).tolist()}
    if unknown := [str(old) for old in renames if str(old) not in present]:
        hint = f"labels here: {', '.join(list(present)[:30])}"
        raise problem(
            request, "026", "`map` names labels that are not in the source", got=", ".join(unknown), hint=hint
        )
    new = {present[str(old)]: label for old, label in renames.items()}
    values = [new.get(label, label) for label in y.tolist()]
    if len({type(value) for value in values}) > 1:
        raise problem(request, "026", "`map` mixes numbers and text", hint="map every label, to labels of the base")
    return np.asarray(values)


def _unboxed(y: Array) -> Array:
    """Text and bytes in object arrays as plain text; whole-number objects as ints; anything else as it is."""
    if y.dtype.kind == "S":
        return np.char.decode(y, "utf-8")
    if y.dtype.kind != "O":
        return y
    kinds = {type(value) for value in y.ravel().tolist()}
    if y.ndim == 1 and kinds <= {list, tuple, np.ndarray}:
        return _rectangular(y)
    if kinds <= {str}:
        return y.astype(str)
    if kinds <= {int} or kinds <= {bool} or kinds <= {int, float}:
        return np.array(y.tolist())
    if Decimal in kinds and kinds <= {Decimal, float, int, type(None), type(pd.NA)}:
        return np.array([np.nan if pd.isna(value) else float(value) for value in y.ravel()]).reshape(y.shape)
    return y


def _rectangular(y: Array) -> Array:
    """Lists of equally many numbers as one array; others as they are."""
    try:
        found = np.array([np.asarray(row) for row in y])
    except ValueError:
        return y
    return found if found.dtype.kind in "iufb" else y


def _no_number(y: Array) -> str:
    """Which rows of targets hold no number, where that can be told."""
    if y.ndim == 1 and y.dtype.kind in "OU":
        rows = np.flatnonzero(pd.isna(pd.to_numeric(pd.Series(y), errors="coerce")))
        if len(rows):
            return f"no number in row {listed(rows)}, such as {y[rows[0]]!r}"
    return f"{y.dtype}, such as {sample(y)}"
