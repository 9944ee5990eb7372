"""Tables, `.parquet` and `.csv`: numeric columns are inputs, one column is the target, the others are metadata."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import pandas as pd

from autodc.data.dataset import Dataset
from autodc.data.rows import checked, missing_name, problem, refuse_unknown_options
from autodc.data.source import RawRows, SourceRequest
from autodc.errors import AutodcError, raise_all

OPTIONS = ("features", "metadata")
DEFAULT_TARGET = "target"


@final
class TableSource:
    """A table. Inputs are the columns of `features`, else every numeric one that is not target, group or `metadata`.

    Every column but the target is metadata too, so `where` may name inputs.
    """

    def __init__(self, request: SourceRequest) -> None:
        self._request = request

    def read(self, targets: bool) -> Dataset:
        """Read the columns; without `targets` their column is not read."""
        request = self._request
        refuse_unknown_options(request, OPTIONS)
        target = request.text("target", DEFAULT_TARGET) or DEFAULT_TARGET
        names = read_names(request)
        if target not in names:
            raise missing_name(request, "005", "target column", target, names)
        wanted = self._columns("features", names), self._columns("metadata", names) or []
        table = read_table(request, [name for name in names if targets or name != target])
        if not len(table):
            raise problem(request, "009", "there are no rows")
        features = self._features(table, target, *wanted)
        y = table[target].to_numpy() if targets else None
        raw = RawRows(
            x=table[features].to_numpy(dtype=np.float64, na_value=np.nan),
            y=y,
            metadata=table.drop(columns=target, errors="ignore"),
            features=tuple(features),
        )
        return checked(request, raw, targets=targets)

    def _columns(self, option: str, names: list[str]) -> list[str] | None:
        value = self._request.options.get(option)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise problem(self._request, "012", f"`{option}` is a list of columns", got=repr(value))
        wanted = [str(name) for name in value]
        raise_all(missing_name(self._request, "004", "column", name, names) for name in wanted if name not in names)
        return wanted

    def _features(self, table: pd.DataFrame, target: str, wanted: list[str] | None, metadata: list[str]) -> list[str]:
        request, group = self._request, self._request.text("group")
        if wanted is None:
            aside = {target, group, *metadata}
            wanted = [name for name in table.columns if name not in aside and _is_number(table[name])]
            if not wanted:
                hint = "name the input columns with options: {features: [...]}"
                raise problem(request, "004", "there is no numeric column to learn from", hint=hint)
        problems: list[AutodcError] = []
        if target in wanted:
            problems.append(problem(request, "012", "the target is among the features", got=f"`{target}`"))
        for name in wanted:
            if name in table and not _is_number(table[name]):
                got = f"column `{name}`, such as {table[name].iloc[0]!r}"
                problems.append(problem(request, "010", "inputs must be numbers", got, "encode text as numbers first"))
        raise_all(problems)
        return wanted


def read_names(request: SourceRequest) -> list[str]:
    """The names of a table's columns. Raises DataError ADC-DATA-002 where it cannot be read."""
    if _is_parquet(request):
        from pyarrow import ArrowException, parquet

        try:
            return [str(name) for name in parquet.read_schema(request.path).names if name != "__index_level_0__"]
        except (OSError, ArrowException) as error:
            raise problem(request, "002", "the table cannot be read", str(error)) from None
    return [str(name) for name in _csv(request, nrows=0).columns]


def read_table(request: SourceRequest, columns: list[str]) -> pd.DataFrame:
    """Read these columns and no others. Raises DataError ADC-DATA-002 where the table cannot be read."""
    if _is_parquet(request):
        from pyarrow import ArrowException, parquet

        try:
            table: pd.DataFrame = parquet.read_table(request.path, columns=columns).to_pandas(ignore_metadata=True)
        except (OSError, ArrowException) as error:
            raise problem(request, "002", "the table cannot be read", str(error)) from None
        return table
    # Left to itself the parser notices rows with too many fields; told which columns to read, it does not.
    return _csv(request)[columns] if set(columns) == set(read_names(request)) else _csv(request, usecols=columns)


def _csv(request: SourceRequest, **arguments: Any) -> pd.DataFrame:
    try:
        table: pd.DataFrame = pd.read_csv(request.path, low_memory=False, **arguments)
    except (OSError, EOFError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise problem(request, "002", "the table cannot be read", str(error).strip()) from None
    return table


def _is_parquet(request: SourceRequest) -> bool:
    return request.path.casefold().endswith(".parquet")


def _is_number(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))
