"""Parquet that is read in pieces is what it is when it is read at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc import large
from autodc.adapters.sources import pieces
from autodc.table import Table

ROWS = 500


def written(folder: Path, **change: Any) -> str:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": pd.array(rng.integers(18, 80, ROWS), dtype="Int32"),
            "spend": rng.gamma(2, 50, ROWS).astype(np.float32),
            "plan": pd.Categorical(rng.choice(["basic", "plus", "pro"], ROWS)),
            "town": rng.choice(["Ulm", "Bonn"], ROWS),
            "member": rng.random(ROWS) < 0.5,
            "since": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, ROWS), "D"),
            "still": np.ones(ROWS),
            "key": [f"k{i:04}" for i in range(ROWS)],
            "target": rng.integers(0, 2, ROWS),
            **change,
        }
    )
    frame.loc[::7, ["age", "spend", "plan"]] = None
    frame.to_parquet(folder / "rows.parquet", row_group_size=60, index=False)
    return "rows.parquet"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Read every Parquet file in pieces of a few rows."""

    def turn(is_on: bool) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr(pieces, "IN_MEMORY", 0 if is_on else large.IN_MEMORY)
        monkeypatch.setattr(pieces, "CHUNK", 17)
        monkeypatch.setattr(pieces, "SAMPLED", 10)

    return turn


def test_pieces_make_the_same_dataset(tmp_path: Path, read: Any, small: Any) -> None:
    name = written(tmp_path)
    small(False)
    whole = read(name)
    small(True)
    parts = read(name)
    assert isinstance(parts.x, Table)
    assert parts.x.schema == whole.x.schema
    assert set(parts.x.names) == {"age", "spend", "plan", "town", "member", "since"}
    assert parts.fingerprint == whole.fingerprint
    assert parts.hashes.tolist() == whole.hashes.tolist()
    assert set(parts.metadata.columns) == set(whole.metadata.columns)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_value_that_does_not_fit_is_told_with_its_row_in_the_file(tmp_path: Path, refused: Any, small: Any) -> None:
    values = np.ones(ROWS) * np.arange(ROWS)
    values[333] = np.inf
    small(True)
    assert "row 333" in str(refused(written(tmp_path, spend=values)))


def test_a_column_that_is_still_in_the_sample_alone_is_an_input(tmp_path: Path, read: Any, small: Any) -> None:
    small(True)
    moves = np.ones(ROWS)
    moves[59] = 2.0  # the last of a group of rows, which a sample of its first ones does not see
    assert "still" in read(written(tmp_path, still=moves)).x.names


def test_rows_taken_of_a_large_table_are_those_of_a_small_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    x = Table.of("table", {"a": np.arange(100), "b": [f"w{i}" for i in range(100)]}, ("integer", "category"))
    rows = np.array([5, 99, 5, 0])
    few = large.taken(x, rows)
    monkeypatch.setattr(large, "IN_MEMORY", 0)
    monkeypatch.setattr(large, "CHUNK", 3)
    many = large.taken(x, rows)
    assert isinstance(few, Table)
    assert isinstance(many, Table)
    assert many.frame().equals(few.frame())
    np.testing.assert_array_equal(large.taken(np.arange(100)[:, None], rows), [[5], [99], [5], [0]])
