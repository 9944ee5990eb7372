"""Rows of a table that are taken: the values that Arrow itself takes, whatever chunks they lie in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from autodc.table import take

ROWS = 100


@pytest.fixture(params=[7, 33, ROWS], ids=lambda chunk: f"chunks of {chunk}")
def columns(request: Any) -> pa.Table:
    """A column of every type, in chunks that are slices of others, with gaps."""
    rng = np.random.default_rng(0)
    gaps = rng.random(ROWS + 5) < 0.2
    values = {
        "count": pa.array(rng.integers(-9, 9, ROWS + 5)),
        "amount": pa.array(rng.random(ROWS + 5), mask=gaps),
        "day": pa.array(rng.integers(0, 10**15, ROWS + 5), pa.timestamp("us"), mask=gaps[::-1]),
        "town": pa.array([None if gap else f"town {at}" for at, gap in enumerate(gaps)], pa.large_string()),
        "open": pa.array([None if gap else bool(at % 2) for at, gap in enumerate(gaps)]),
    }
    whole = pa.table(values).slice(5)
    return pa.concat_tables([whole.slice(at, request.param) for at in range(0, ROWS, request.param)])


@pytest.mark.parametrize("count", [0, 1, 20, 99, 300])
@pytest.mark.parametrize("rises", [True, False])
def test_taken_rows_are_those_that_arrow_takes(columns: pa.Table, count: int, rises: bool) -> None:
    rows = np.random.default_rng(count).integers(0, ROWS, count)
    rows = np.sort(rows) if rises else rows
    found = take(columns, rows)
    found.validate(full=True)
    assert found.equals(columns.take(pa.array(rows)))


@pytest.mark.parametrize("rows", [[3, ROWS], [-1, 3], [ROWS] * ROWS])
def test_rows_that_are_not_there_are_refused(columns: pa.Table, rows: list[int]) -> None:
    with pytest.raises(IndexError, match="of a table of 100"):
        take(columns, np.array(rows))


def test_nothing_is_taken_of_nothing(columns: pa.Table) -> None:
    none = columns.slice(0, 0)
    assert take(none, np.zeros(0, dtype=np.int64)).equals(none)
    bare = pa.schema([("count", pa.int64()), ("town", pa.large_string())]).empty_table()
    assert take(bare, np.zeros(0, dtype=np.int64)).equals(bare)
