"""Types of the columns of a table: found in the base, and held to by every other dataset of the study."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autodc.data.columns import decoded
from autodc.data.problems import listed, problem
from autodc.data.source import SourceRequest
from autodc.data.times import dates, in_iso
from autodc.errors import DataError, raise_all
from autodc.table import COLUMN_TYPES, ColumnType, Table, arrow_type

DATE = re.compile(r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$")
FREE_TEXT = 3.0
"""From so many words a value on average, text that mostly differs from row to row is no category."""
DISTINCT = 0.5
"""That is, of so large a share of distinct values."""
LARGEST = 2**63 - 1
LOOKED_AT = 1000
"""At most so many distinct values are looked at."""
TRUE, FALSE = frozenset({"true", "yes", "1", "1.0", "t"}), frozenset({"false", "no", "0", "0.0", "f"})
MEANT = {
    "integer": "a whole number of 64 bits",
    "number": "a finite number",
    "boolean": "true or false",
    "date": "a date such as 2026-11-27",
}


def column_type(values: pd.Series[Any]) -> ColumnType | None:
    """The type of a column; None for lists, records, bytes and the like, which are no single values."""
    if _is_coded(values):
        return "category"
    values = plain_values(values)
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind in ("timedelta", "timedelta64"):
        return "number"
    if _whole_decimals(values):
        return "integer"
    if pd.api.types.is_bool_dtype(values) or kind == "boolean":
        return "boolean"
    if kind in ("integer", "mixed-integer-float") or pd.api.types.is_integer_dtype(values):
        return "integer" if kind == "integer" or pd.api.types.is_integer_dtype(values) else "number"
    if pd.api.types.is_numeric_dtype(values) or kind in ("decimal", "floating"):
        return "number"
    if kind in ("date", "datetime", "datetime64") or pd.api.types.is_datetime64_any_dtype(values):
        return "date"
    if kind == "string" or pd.api.types.is_string_dtype(values):
        return _of_text(values.dropna())
    return "category" if kind == "empty" else None


def what_it_holds(values: pd.Series[Any]) -> str:
    """What a column without a type holds, in words."""
    known = plain_values(values).dropna()
    first = known.iloc[0] if len(known) else None
    if isinstance(first, list | tuple | set | np.ndarray):
        return "lists"
    if isinstance(first, Mapping):
        return "records"
    kinds = {"time": "times of day", "bytes": "bytes"}
    return kinds.get(pd.api.types.infer_dtype(known, skipna=True), "values of several types")


def plain_values(values: pd.Series[Any]) -> pd.Series[Any]:
    """A categorical column as the values it stands for."""
    return decoded(values) if isinstance(values.dtype, pd.CategoricalDtype) else values


def is_free_text(values: pd.Series[Any]) -> bool:
    """Whether text is sentences rather than names of things."""
    known = values.dropna().astype(str)
    if known.empty or known.nunique() < DISTINCT * len(known):
        return False
    return float(np.mean([len(value.split()) for value in known.head(LOOKED_AT)])) >= FREE_TEXT


def wanted_types(request: SourceRequest, names: list[str]) -> dict[str, ColumnType]:
    """What `options: {types: {column: type}}` says. Raises DataError ADC-DATA-090."""
    wish = request.options.get("types") or {}
    if not isinstance(wish, dict):
        raise problem(request, "090", "`types` is column: type", repr(wish), f"types: {', '.join(COLUMN_TYPES)}")
    for name, kind in wish.items():
        if kind not in COLUMN_TYPES or name not in names:
            what = f"there is no column `{name}`" if name not in names else f"there is no type `{kind}`"
            hint = f"types: {', '.join(COLUMN_TYPES)}; columns: {', '.join(names[:30])}"
            raise problem(request, "090", f"`types` does not fit: {what}", f"{name}: {kind}", hint)
    return {str(name): kind for name, kind in wish.items()}  # type: ignore[misc]


def typed(request: SourceRequest, name: str, values: pd.Series[Any], kind: ColumnType) -> Any:
    """A column as an Arrow array of a type. Raises DataError ADC-DATA-091 with the rows of values that do not fit."""
    import pyarrow as pa

    values = plain_values(values)
    try:
        return pa.array(_cast(values, kind), type=arrow_type(kind), from_pandas=True)
    except _Misfit as error:
        raise _told(request, name, kind, values, error.rows) from None
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise problem(request, "091", f"column `{name}` cannot be read as {kind}", str(error)) from None


def refuse_lost_inputs(request: SourceRequest, schema: Mapping[str, ColumnType], names: Sequence[str]) -> None:
    """Raise DataError ADC-DATA-020 where a table lacks input columns of the base."""
    if lost := [name for name in schema if name not in names]:
        got = f"{', '.join(lost)}; columns here: {', '.join(names)}"
        raise problem(request, "020", "input columns of the base are missing", got, "name them as the base does")


def typed_table(request: SourceRequest, table: pd.DataFrame, schema: Mapping[str, ColumnType]) -> Table:
    """Columns as the inputs of a table. Raises DataError ADC-DATA-091, or Problems, for values that do not fit."""
    arrays, problems = {}, list[DataError]()
    for name, kind in schema.items():
        try:
            arrays[name] = typed(request, name, table[name], kind)
        except DataError as error:
            problems.append(error)
    raise_all(problems)
    return Table.of("table", arrays, tuple(schema.values()))


class _Misfit(Exception):
    def __init__(self, rows: np.ndarray[Any, Any]) -> None:
        super().__init__()
        self.rows = np.flatnonzero(rows)


def _cast(values: pd.Series[Any], kind: ColumnType) -> Any:
    if kind in ("category", "text"):
        return [None if missing else _name(v) for v, missing in zip(values, values.isna(), strict=True)]
    if kind == "boolean":
        return _booleans(values)
    if kind == "date":
        return _dates(values)
    return _numbers(values, whole=kind == "integer")


def _numbers(values: pd.Series[Any], *, whole: bool) -> Any:
    if isinstance(values.dtype, pd.ArrowDtype):
        values = _without_decimals(values)
    if pd.api.types.infer_dtype(values, skipna=True) in ("timedelta", "timedelta64"):
        values = pd.Series(values.to_numpy(dtype="timedelta64[us]") / np.timedelta64(1, "s"))
    if pd.api.types.is_datetime64_any_dtype(values):
        raise _Misfit(values.notna().to_numpy())
    if pd.api.types.is_bool_dtype(values) and not whole:
        return values.astype("float64")
    if pd.api.types.is_integer_dtype(values):
        if (large := values.max()) is not pd.NA and large > LARGEST:
            raise _Misfit((values > LARGEST).fillna(False).to_numpy(dtype=bool))
        return values if whole else values.astype("Float64")
    known = values.notna().to_numpy(dtype=bool, copy=True)
    found = pd.to_numeric(values[known], errors="coerce")
    as_float = found.to_numpy(dtype=np.float64, na_value=np.nan)
    odd = ~np.isfinite(as_float) | (whole & ((as_float != np.round(as_float)) | (np.abs(as_float) > LARGEST)))
    if odd.any():
        known[known] = odd
        raise _Misfit(known)
    return found.astype("Int64" if whole else "float64").reindex(values.index)


def _is_coded(values: pd.Series[Any]) -> bool:
    """Whether its user made it a category, whatever its names look like."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return False
    return pd.api.types.infer_dtype(values.dtype.categories) in ("string", "integer", "boolean")


def _whole_decimals(values: pd.Series[Any]) -> bool:
    import pyarrow as pa

    if not isinstance(values.dtype, pd.ArrowDtype) or not pa.types.is_decimal(values.dtype.pyarrow_dtype):
        return False
    return values.dtype.pyarrow_dtype.scale <= 0 and not (values.abs() > LARGEST).any()


def _without_decimals(values: pd.Series[Any]) -> pd.Series[Any]:
    """Decimals as the whole or the nearest numbers, by way of their digits."""
    import pyarrow as pa

    column = pa.chunked_array(pa.array(values)) if not len(values) else values.array.__arrow_array__()
    if not pa.types.is_decimal(column.type):
        return values
    wanted = pa.int64() if _whole_decimals(values) else pa.float64()
    return pd.Series(pd.arrays.ArrowExtensionArray(column.cast(pa.string()).cast(wanted)), index=values.index)


def _booleans(values: pd.Series[Any]) -> Any:
    if pd.api.types.is_bool_dtype(values):
        return values
    words = values.map(lambda value: str(value).strip().casefold(), na_action="ignore")
    bad = (~words.isin(TRUE | FALSE) & values.notna()).to_numpy()
    if bad.any():
        raise _Misfit(bad)
    return [None if missing else word in TRUE for word, missing in zip(words, values.isna(), strict=True)]


def _dates(values: pd.Series[Any]) -> Any:
    if pd.api.types.is_numeric_dtype(values) and values.notna().any():
        raise _Misfit(values.notna().to_numpy())
    found = dates(values)
    bad = (found.isna() & values.notna()).to_numpy()
    if bad.any():
        raise _Misfit(bad)
    return found.dt.tz_localize(None).astype("datetime64[us]")


def _of_text(known: pd.Series[Any]) -> ColumnType:
    return "date" if are_dates(known) else "text" if is_free_text(known) else "category"


def are_dates(known: pd.Series[Any]) -> bool:
    """Whether text is dates, or times of a day, in a spelling that means one day, all of it."""
    if not len(known) or not all(_is_date(value) for value in known.head(LOOKED_AT)):
        return False
    return all(_is_date(value) for value in known) and bool(dates(known).notna().all())


def _is_date(value: Any) -> bool:
    return DATE.match(str(in_iso(value))) is not None


def _name(value: Any) -> str:
    """A category as text; a whole number has no point, whatever other rows made of it."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _told(request: SourceRequest, name: str, kind: ColumnType, values: pd.Series[Any], rows: Any) -> DataError:
    value = values.iloc[int(rows[0])]
    start = int(values.index[0]) if isinstance(values.index, pd.RangeIndex) else 0
    got = f"row {listed(rows + start)}: {value.item() if isinstance(value, np.generic) else value!r}"
    text = f"column `{name}` holds {'values' if len(rows) > 1 else 'a value'} that {'are' if len(rows) > 1 else 'is'}"
    if request.schema is None:
        hint = f"mend the values, or set the column aside with options: {{metadata: [{name}]}}"
        return problem(request, "091", f"{text} not {MEANT.get(kind, kind)}", got, hint)
    other = "number" if kind == "integer" else "category"
    hint = f"mend the values, or give the base another type with options: {{types: {{{name}: {other}}}}}"
    return problem(request, "091", f"{text} not {MEANT.get(kind, kind)}, as the base has", got, hint)
