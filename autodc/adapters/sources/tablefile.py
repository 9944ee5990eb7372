"""One door to the file of a table, however it is written: its columns, their names, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from autodc.adapters.sources.csvfile import csv_names, read_csv, short_rows
from autodc.adapters.sources.jsonlfile import is_jsonl, jsonl_names, read_jsonl
from autodc.adapters.sources.parquetfile import ParquetCells, is_parquet, parquet_names, read_parquet
from autodc.adapters.sources.savedfile import is_saved, read_saved, saved_cells, saved_names
from autodc.adapters.sources.target_columns import numbers_of
from autodc.data.source import SourceRequest


def read_names(request: SourceRequest) -> list[str]:
    """The names of a table's columns. Raises DataError ADC-DATA-002 where it cannot be read, 017 for doubles."""
    if is_jsonl(request):
        return jsonl_names(request)
    if is_saved(request.path):
        return saved_names(request)
    return parquet_names(request) if is_parquet(request) else csv_names(request)


def read_table(request: SourceRequest, columns: list[str], text: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read these columns and no others. text: columns of a CSV that are text whatever they look like.

    Raises DataError ADC-DATA-002 where the table cannot be read.
    """
    if is_jsonl(request):
        return read_jsonl(request, columns, text)
    if is_saved(request.path):
        return read_saved(request, columns)
    if is_parquet(request):
        return read_parquet(request, columns)
    wish = request.options.get("types")
    kinds = {**(request.schema or {}), **(wish if isinstance(wish, dict) else {})}
    no_text = [name for name, kind in kinds.items() if kind not in ("category", "text")]
    return read_csv(request, columns, text, [*no_text, *(numbers_of(request))])


def table_notes(request: SourceRequest, names: list[str]) -> tuple[str, ...]:
    """What a person should know of how a table is written. names: all its columns."""
    if is_parquet(request) or is_jsonl(request) or is_saved(request.path):
        return ()
    return short_rows(request, names)


def cells_of(request: SourceRequest, name: str) -> Sequence[object]:
    """One column as values that are read when they are looked at, where the file allows it."""
    if is_parquet(request):
        return ParquetCells(request, name)
    if is_saved(request.path):
        cells: Sequence[object] = saved_cells(request, name)
        return cells
    values = read_table(request, [name], (name,))[name]
    return [None if pd.isna(value) else value for value in values]
