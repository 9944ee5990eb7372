"""Small files as people have them: each is read right, from the file to what a training is given, or told why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.adapters.artefacts import ArtefactStore, open_part
from autodc.adapters.sources import read_source
from autodc.data.dataset import Dataset
from autodc.errors import DataError
from autodc.studyfile.study import SourceSpec
from autodc.table import Table

PLACE = "study.yaml: data.base"
EXACT = 2**53

Read = Callable[..., Dataset]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a source as the base of a study, or with the columns and types of one: schema."""

    def reads(
        source: str, kind: str = "classification", schema: Any = None, sealed: bool = False, **options: Any
    ) -> Dataset:
        return read_source(
            SourceSpec(source=source, options=options),
            folder=str(tmp_path),
            name="base",
            place=PLACE,
            kind=kind,  # type: ignore[arg-type]
            targets=not sealed,
            schema=schema,
        )

    return reads


@pytest.fixture
def trained(tmp_path: Path) -> Callable[[Dataset], tuple[Any, Any, pd.DataFrame]]:
    """Store a dataset and open it as a training does: inputs, targets, metadata."""
    store = ArtefactStore(tmp_path / "stored")
    return lambda data: open_part(store.put_dataset(data))


@pytest.fixture
def right(tmp_path: Path, read: Read, trained: Any) -> Callable[..., Dataset]:
    """Write a file and hold what a training gets of it against the types and values of its columns, all of them."""

    def check(name: str, content: bytes | str, columns: dict[str, tuple[str, list[Any]]], **how: Any) -> Dataset:
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        data = read(name, **how)
        x, y, _ = trained(data)
        assert isinstance(x, Table)
        assert x.schema == {column: kind for column, (kind, _) in columns.items()}
        for column, (kind, values) in columns.items():
            assert x.column(column).to_pylist() == _plain(values, kind)
            series = x.frame()[column]
            assert str(series.dtype) == dtype_of(kind, values), column
            assert [None if pd.isna(value) else value for value in series.tolist()] == _plain(values, kind)
        np.testing.assert_array_equal(y, data.y)
        return data

    return check


@pytest.fixture
def refused(tmp_path: Path, read: Read) -> Callable[..., DataError]:
    """Read something bad and return the problem, which names the key of the study file and the file."""

    def check(name: str, content: bytes | str | None = None, **how: Any) -> DataError:
        if content is not None:
            (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(DataError) as caught:
            read(name, **how)
        assert caught.value.place == PLACE
        assert name.rpartition(":")[0][:100] in str(caught.value) or name[:100] in str(caught.value)
        return caught.value

    return check


def dtype_of(kind: str, values: list[Any]) -> str:
    """What pandas makes of a column of a CSV file."""
    known = [value for value in values if value is not None]
    if kind == "integer" and len(known) < len(values):
        return "Int64" if known and max(map(abs, known)) > EXACT else "float64"
    if kind == "boolean":
        return "bool" if len(known) == len(values) else "object"
    return {"integer": "int64", "number": "float64", "date": "datetime64[us]"}.get(kind, "str")


def _plain(values: list[Any], kind: str) -> list[Any]:
    return [pd.Timestamp(value) if kind == "date" and value is not None else value for value in values]
