"""Tables, `.parquet` and `.csv`: numeric columns are inputs, one column is the target, the others are metadata."""

from __future__ import annotations

from typing import final

import numpy as np
import pandas as pd

from autodc.adapters.sources.csvfile import csv_names, read_csv, short_rows
from autodc.adapters.sources.inputs import choose, is_number
from autodc.adapters.sources.parquetfile import parquet_index, parquet_names, read_parquet
from autodc.data.columns import as_array
from autodc.data.dataset import Dataset
from autodc.data.problems import missing_name, problem, refuse_unknown_options
from autodc.data.rows import checked
from autodc.data.source import RawRows, SourceRequest
from autodc.errors import AutodcError, raise_all
from autodc.plan.mixture import BASE

OPTIONS = ("features", "metadata")
DEFAULT_TARGET = "target"


@final
class TableSource:
    """A table. Inputs are the columns of `features`, else every numeric one that is not target, group or `metadata`.

    Every column but the target is metadata too, so `where` may name inputs. An index of the rows is no input.
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
        features, notes = self._features(table, target, *wanted)
        y = as_array(table[target]) if targets else None
        raw = RawRows(
            x=table[features].to_numpy(dtype=np.float64, na_value=np.nan),
            y=y,
            metadata=table.drop(columns=target, errors="ignore"),
            features=tuple(features),
            # the inputs of all others have to be the base's
            notes=(*table_notes(request, names), *(notes if request.name == BASE else ())),
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

    def _features(
        self, table: pd.DataFrame, target: str, wanted: list[str] | None, metadata: list[str]
    ) -> tuple[list[str], tuple[str, ...]]:
        request, group = self._request, self._request.text("group")
        notes: tuple[str, ...] = ()
        if wanted is None:
            index = parquet_index(request) if _is_parquet(request) else ()
            choice = choose(table, (target, group, *metadata), index)
            wanted, notes = choice.features, choice.notes
            if not wanted:
                hint = "name the input columns with options: {features: [...]}"
                raise problem(request, "004", "there is no numeric column to learn from", "; ".join(notes), hint)
        problems: list[AutodcError] = []
        if target in wanted:
            problems.append(problem(request, "012", "the target is among the features", got=f"`{target}`"))
        for name in wanted:
            if name in table and not is_number(table[name]):
                got = f"column `{name}`, such as {table[name].iloc[0]!r}"
                problems.append(problem(request, "010", "inputs must be numbers", got, "encode text as numbers first"))
        raise_all(problems)
        return wanted, notes


def read_names(request: SourceRequest) -> list[str]:
    """The names of a table's columns. Raises DataError ADC-DATA-002 where it cannot be read, 017 for doubles."""
    return parquet_names(request) if _is_parquet(request) else csv_names(request)


def read_table(request: SourceRequest, columns: list[str], text: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read these columns and no others. text: columns of a CSV that are text whatever they look like.

    Raises DataError ADC-DATA-002 where the table cannot be read.
    """
    return read_parquet(request, columns) if _is_parquet(request) else read_csv(request, columns, text)


def table_notes(request: SourceRequest, names: list[str]) -> tuple[str, ...]:
    """What a person should know of how a table is written. names: all its columns."""
    return () if _is_parquet(request) else short_rows(request, names)


def _is_parquet(request: SourceRequest) -> bool:
    return request.path.casefold().endswith(".parquet")
