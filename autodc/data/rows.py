"""From raw rows to a dataset: every check that one source's rows must pass by themselves, all problems at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from autodc.data.columns import as_array, decoded, from_objects
from autodc.data.dataset import Dataset
from autodc.data.source import COMMON_OPTIONS, RawRows, SourceRequest
from autodc.errors import DataError, raise_all
from autodc.masking import MASK, secret_options
from autodc.plugins import meant

Array = np.ndarray[Any, Any]

FEATURES = "features"
"""Key in `metadata.attrs` under which a table keeps the names of its input columns, in order."""
NO_VALUES = "no_values"
"""Key in `metadata.attrs`: column → what it holds where that is no single value a row, so that `where` refuses it."""
RESERVED = "target"
LOST_LABELS = "class labels are so large that different ones may become the same"
LARGEST_WHOLE = {2: 2.0**11, 4: 2.0**24, 8: 2.0**53, 16: 2.0**53}
"""Bytes of a decimal number → below this it tells every whole number apart."""
SHOWN = 8
LONGEST = 400


def checked(request: SourceRequest, raw: RawRows, *, targets: bool) -> Dataset:
    """Make a dataset of raw rows. Raises DataError or Problems: lengths, types, NaN, zero rows, groups, map."""
    x = np.asarray(raw.x)
    metadata = pd.DataFrame(index=range(len(x) if x.ndim else 0)) if raw.metadata is None else raw.metadata
    problems = [*_lengths(request, x, raw.y, metadata)]
    raise_all(problems)
    problems += _inputs(request, x, raw.features)
    problems += _metadata(request, metadata)
    y = None
    if targets:
        try:
            y = target_values(request, raw.y)
        except DataError as problem:
            problems.append(problem)
    raise_all(problems)
    plain = _plain(metadata)
    if raw.features:
        plain.attrs[FEATURES] = tuple(raw.features)
    group = request.text("group")
    groups = None if group is None else as_array(plain[group]).astype(str)
    return Dataset(name=request.name, x=_native(x), y=y, metadata=plain, groups=groups, notes=raw.notes)


def target_values(request: SourceRequest, y: Array | None) -> Array:
    """Check targets against the kind of task: class labels (ints, bools or text), numbers (n,), or images (n, ...)."""
    if y is None:
        raise problem(request, "005", "there are no targets")
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
        if y.ndim != 1:
            raise problem(request, "011", "a regression target is one number a row", got=f"shape {y.shape}")
        y = y.astype(np.float64)
    elif y.ndim < 2:
        raise problem(request, "011", "an image_to_image target is one image a row", got=f"shape {y.shape}")
    if bad := _not_finite(y):
        raise problem(request, "008", "targets hold NaN or infinity", got=bad)
    return _native(y)


def problem(request: SourceRequest, number: str, text: str, got: str = "", hint: str = "") -> DataError:
    """A problem of a source, with its key and its file."""
    for secret in secret_options(request.options):
        got = got.replace(secret, MASK)
    return DataError(f"ADC-DATA-{number}", f"{text} ({shown_path(request)})", request.place, got, hint)


def shown_path(request: SourceRequest) -> str:
    """The file or URL of a source as a message names it; what nobody would read to the end is cut."""
    path = request.url or request.path
    path = path if len(path) <= LONGEST else f"{path[: LONGEST // 2]}…{path[-LONGEST // 4 :]}"
    return path.replace("\0", "\\0")


def refuse_unknown_options(request: SourceRequest, known: Sequence[str]) -> None:
    """Raise where an option is neither common nor one of these."""
    names = [*COMMON_OPTIONS, *known]
    raise_all(
        problem(request, "012", f"unknown option `{key}`", hint=_or_one_of(key, names))
        for key in request.options
        if key not in names
    )


def missing_name(request: SourceRequest, number: str, what: str, name: str, names: Iterable[object]) -> DataError:
    """A column or array that is not there, with the nearest that is."""
    return problem(request, number, f"there is no {what} `{name}`", hint=_or_one_of(name, [str(n) for n in names]))


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """A question with the nearest name, or nothing."""
    found = meant(name, names)
    return f"did you mean `{found}`?" if found else ""


def _or_one_of(name: str, names: Sequence[str]) -> str:
    return did_you_mean(name, names) or f"there are: {', '.join(names[:30]) or 'none'}"


def _lengths(request: SourceRequest, x: Array, y: Array | None, metadata: pd.DataFrame) -> list[DataError]:
    if x.ndim < 2:
        return [
            problem(request, "004", "inputs have shape (rows, ...), at least two axes", got=f"shape {x.shape}")
            if x.ndim == 1 and len(x)
            else problem(request, "009", "there are no rows")
        ]
    if len(x) == 0:
        return [problem(request, "009", "there are no rows")]
    if x[0].size == 0:
        return [problem(request, "004", "an input has no values", got=f"shape {x.shape}")]
    found = []
    if y is not None and (np.ndim(y) == 0 or len(y) != len(x)):
        rows = "a single value" if np.ndim(y) == 0 else f"{len(y)}"
        found.append(problem(request, "006", "inputs and targets differ in rows", got=f"{len(x)} and {rows}"))
    if len(metadata) != len(x):
        found.append(problem(request, "006", "inputs and metadata differ in rows", got=f"{len(x)} and {len(metadata)}"))
    return found


def _inputs(request: SourceRequest, x: Array, features: Sequence[str]) -> list[DataError]:
    if x.dtype.kind not in "iufb":
        return [
            problem(request, "010", "inputs must be numbers", got=f"{x.dtype}", hint="encode text as numbers first")
        ]
    if bad := _not_finite(x, features):
        return [problem(request, "007", "inputs hold NaN or infinity", got=bad, hint="fill or leave out these rows")]
    return []


def _metadata(request: SourceRequest, metadata: pd.DataFrame) -> list[DataError]:
    names = [str(column) for column in metadata.columns]
    found = []
    if RESERVED in names:
        hint = f"`{RESERVED}` means the target in `where`; give the column another name"
        found.append(problem(request, "017", f"a metadata column is called `{RESERVED}`", hint=hint))
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        found.append(problem(request, "017", "columns of the same name", got=", ".join(doubles)))
    for name, dtype in zip(names, metadata.dtypes, strict=True):
        if isinstance(dtype, np.dtype) and dtype.kind in "cV":
            hint = "give its parts as columns of numbers or text, or leave it out"
            found.append(problem(request, "045", f"metadata column `{name}` holds no single values", f"{dtype}", hint))
    group = request.text("group")
    if group is not None and group not in names:
        found.append(missing_name(request, "018", "group column", group, names))
    elif group is not None and not found and metadata[group].isna().any():
        row = int(np.flatnonzero(metadata[group].isna().to_numpy())[0])
        found.append(problem(request, "018", f"group column `{group}` has no value", got=f"row {row}"))
    return found


def _labels(request: SourceRequest, y: Array) -> Array:
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        hint = "one-hot rows are turned by y.argmax(1)" if y.ndim == 2 else ""
        raise problem(request, "011", "a class label is one value a row", got=f"shape {y.shape}", hint=hint)
    if y.dtype.kind == "f":
        if bad := _not_finite(y):
            raise problem(request, "008", "targets hold NaN or infinity", got=bad)
        if not np.array_equal(y, np.round(y)):
            raise problem(request, "011", "class labels are whole numbers or text", got=f"{_sample(y)}")
        if (large := np.flatnonzero(np.abs(y) >= LARGEST_WHOLE[y.dtype.itemsize])).size:
            got = f"{y[large[0]]!r} of {y.dtype} in row {_listed(large)}"
            raise problem(request, "058", LOST_LABELS, got, "write them as whole numbers without a point, or as text")
        y = y.astype(np.int64)
    if y.dtype.kind == "O":
        rows = np.flatnonzero(pd.isna(y))
        kind = f"no value in row {_listed(rows)}" if len(rows) else f"mixed values, such as {_sample(y)}"
        raise problem(request, "008", "class labels are whole numbers or text in every row", got=kind)
    if y.dtype.kind not in "iubU":
        raise problem(request, "011", "class labels are whole numbers or text", got=f"{y.dtype}")
    if y.dtype == np.uint64 and (large := np.flatnonzero(y > np.iinfo(np.int64).max)).size:
        got = f"{y[large[0]]} in row {_listed(large)}"
        raise problem(request, "058", LOST_LABELS, got, "write them as text")
    y = y.astype(np.int64) if y.dtype.kind in "iu" else y
    renames = request.options.get("map")
    return y if renames is None else _renamed(request, y, renames)


def _renamed(request: SourceRequest, y: Array, renames: object) -> Array:
    if not isinstance(renames, Mapping):
        raise problem(request, "026", "`map` is old label → new label", got=f"{renames!r}")
    present = {str(label): label for label in np.unique(y).tolist()}
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
    if kinds <= {str}:
        return y.astype(str)
    if kinds <= {int} or kinds <= {bool} or kinds <= {int, float}:
        return np.array(y.tolist())
    if Decimal in kinds and kinds <= {Decimal, float, int, type(None), type(pd.NA)}:
        return np.array([np.nan if pd.isna(value) else float(value) for value in y.ravel()]).reshape(y.shape)
    return y


def _plain(metadata: pd.DataFrame) -> pd.DataFrame:
    """Columns of numbers, booleans, times or text only, so that every store and engine can hold them."""
    columns, no_values = {}, {}
    for name in metadata.columns:
        values = metadata[name].reset_index(drop=True)
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = decoded(values)
        if isinstance(values.dtype, np.dtype) and not values.dtype.isnative:
            values = pd.Series(_native(values.to_numpy()))
        if values.dtype == np.longdouble:
            values = values.astype(np.float64)
        if values.dtype in (np.object_, np.bytes_) or isinstance(values.dtype, pd.StringDtype):
            values, what = _of_objects(values)
            if what:
                no_values[str(name)] = what
        columns[str(name)] = values
    plain = pd.DataFrame(columns, index=pd.RangeIndex(len(metadata)))
    if no_values:
        plain.attrs[NO_VALUES] = no_values
    return plain


def _of_objects(values: pd.Series[Any]) -> tuple[pd.Series[Any], str]:
    """Objects of one type in that type, all others as text; and what they are where that is no single value a row."""
    what = ""
    if not isinstance(values.dtype, pd.StringDtype):
        if (typed := from_objects(values)) is not None:
            return typed, ""
        kinds = {type(value) for value in values}
        if any(issubclass(kind, list | tuple | set | frozenset | np.ndarray) for kind in kinds):
            what = "lists"
        elif any(issubclass(kind, Mapping) for kind in kinds):
            what = "records"
        elif any(issubclass(kind, bytes) for kind in kinds):
            try:
                values = values.map(lambda value: value.decode() if isinstance(value, bytes) else value)
            except UnicodeDecodeError:
                what = "binary values"
                values = values.map(
                    lambda value: value.decode("utf-8", "replace") if isinstance(value, bytes) else value
                )
    text = [None if pd.api.types.is_scalar(value) and pd.isna(value) else str(value) for value in values]
    return pd.Series(text, dtype="object"), what


def _native(values: Array) -> Array:
    """Contiguous, in the byte order of this machine."""
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))


def _not_finite(values: Array, names: Sequence[str] = ()) -> str:
    """Where values are NaN or infinite, in words; empty where all are finite."""
    if values.dtype.kind != "f":
        return ""
    bad = ~np.isfinite(values.reshape(len(values), -1))
    rows = np.flatnonzero(bad.any(axis=1))
    if not len(rows):
        return ""
    shown = _listed(rows)
    columns = [names[int(i)] for i in np.flatnonzero(bad.any(axis=0))] if names else []
    where = f" in column {', '.join(columns[:SHOWN])}" if columns else ""
    return f"{len(rows)} of {len(values)} rows{where} (row {shown})"


def _listed(rows: Array) -> str:
    return ", ".join(str(int(row)) for row in rows[:SHOWN]) + (", …" if len(rows) > SHOWN else "")


def _no_number(y: Array) -> str:
    """Which rows of targets hold no number, where that can be told."""
    if y.ndim == 1 and y.dtype.kind in "OU":
        rows = np.flatnonzero(pd.isna(pd.to_numeric(pd.Series(y), errors="coerce")))
        if len(rows):
            return f"no number in row {_listed(rows)}, such as {y[rows[0]]!r}"
    return f"{y.dtype}, such as {_sample(y)}"


def _sample(values: Array) -> str:
    return ", ".join(repr(value) for value in values.ravel()[:3].tolist())
