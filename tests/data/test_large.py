"""Datasets larger than memory: what is worked out a piece at a time is what would be worked out at once."""

from __future__ import annotations

import mmap
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from autodc import fingerprint, large
from autodc.adapters.artefacts import ArtefactStore, open_part
from autodc.adapters.enrichers import nearest
from autodc.adapters.enrichers.table import TableEnricher
from autodc.adapters.enrichers.tabular import Usual
from autodc.data import near
from autodc.data.agreement import class_labels, encoded
from autodc.data.attributes import Rows
from autodc.data.columns import array_of, where_they_lie
from autodc.data.copies import copies_of
from autodc.data.dataset import Dataset
from autodc.data.hashing import among, column_digest, content_of
from autodc.data.ids import ids_at
from autodc.data.near import distinct
from autodc.data.near import near as near_rows
from autodc.large import evenly
from autodc.plan import mixture
from autodc.table import Table
from autodc.wire.labels import Rows as LabelledRows

ROWS = 40


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Everything is large: pieces have three rows, and nothing is kept in memory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in (("IN_MEMORY", 0), ("BESIDE", 0), ("COUNTED", 0), ("CHUNK", 3)):
        monkeypatch.setattr(large, name, value)
    for module in ("autodc.data.dataset", "autodc.data.hashing", "autodc.data.columns", "autodc.data.agreement"):
        monkeypatch.setattr(f"{module}.BESIDE", 0)
    monkeypatch.setattr("autodc.adapters.artefacts.IN_PARQUET", 0)
    monkeypatch.setattr("autodc.adapters.artefacts.CHUNK", 3)
    return None


def arrow(rows: int = ROWS, chunk: int = 7) -> pa.Table:
    """Columns in chunks, as they lie in a file, with a number of the row and gaps."""
    values = {
        "count": pa.array([None if i % 5 == 0 else i % 3 for i in range(rows)], pa.int64()),
        "amount": pa.array([i / 2 for i in range(rows)], pa.float64()),
        "town": pa.array([None if i % 7 == 0 else f"town {i % 4}" for i in range(rows)], pa.large_string()),
        "number": pa.array([10**9 + i for i in range(rows)], pa.int64()),
    }
    whole = pa.table(values)
    return pa.concat_tables([whole.slice(at, chunk) for at in range(0, rows, chunk)])


def lying(columns: pa.Table, y: Any = None, **more: Any) -> Dataset:
    """A dataset whose columns lie where they are; `number` is no input."""
    x = Table("table", columns.select(["count", "amount", "town"]), ("integer", "number", "category"))
    metadata = pd.DataFrame(where_they_lie(columns), index=pd.RangeIndex(len(x)), copy=False)
    return Dataset(name="d", x=x, y=y, metadata=metadata, **more)


def in_memory(columns: pa.Table, y: Any = None, **more: Any) -> Dataset:
    return lying(columns.combine_chunks(), y, **more)


@pytest.mark.parametrize("rows", [[5, 39, 5, 0, 20], [0, 1, 2, 8, 9], list(range(40)), [], [-1, 3]])
def test_rows_of_a_table_in_chunks_are_those_of_one_in_one_piece(rows: list[int]) -> None:
    columns = arrow()
    wanted = columns.combine_chunks().take(pa.array([row % ROWS for row in rows], pa.int64()))
    found = Table("table", columns, ("integer", "number", "category", "integer"))[np.array(rows, dtype=np.int64)]
    assert found.arrow.equals(wanted)


def test_a_row_that_is_not_there_is_refused() -> None:
    with pytest.raises(IndexError, match="rows from 3 to 40 of a table of 40"):
        Table("table", arrow(), ("integer",) * 4)[np.array([3, 40])]


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("rows", [[i for i in range(ROWS) if i not in (4, 30)], [9, 3, 3, 39, 0]])
@pytest.mark.parametrize("runs", [0, 4096])
def test_some_rows_of_a_large_dataset(rows: list[int], runs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "RUNS", runs)
    y, groups = np.arange(ROWS) * 2, np.array([f"g{i // 3}" for i in range(ROWS)])
    few, many = (make(arrow(), y, groups=groups).take(rows) for make in (in_memory, lying))
    assert many.fingerprint == few.fingerprint
    assert many.metadata["number"].tolist() == [10**9 + row for row in rows]
    assert many.metadata["town"].isna().tolist() == [row % 7 == 0 for row in rows]
    assert many.y is not None
    assert many.y.tolist() == [2 * row for row in rows]


@pytest.mark.usefixtures("tiny")
def test_rows_left_as_a_few_stretches_are_not_written_anew() -> None:
    data = lying(arrow())
    kept = data.take([row for row in range(ROWS) if row != 10])
    first = data.x.column("amount").chunk(0).buffers()[1]  # type: ignore[union-attr]
    assert kept.x.column("amount").chunk(0).buffers()[1].address == first.address  # type: ignore[union-attr]


@pytest.mark.usefixtures("tiny")
def test_content_is_the_same_however_columns_lie() -> None:
    whole, parts = in_memory(arrow()), lying(arrow())
    assert content_of(whole.x) == content_of(parts.x)
    for name in whole.metadata:
        assert column_digest(whole.metadata[name]) == column_digest(parts.metadata[name])
    numbers = pd.Series(np.arange(ROWS) + 10**9)
    assert column_digest(parts.metadata["number"]) == fingerprint.of_array(numbers.to_numpy())
    texts = [str(value) for value in arrow()["town"].to_pylist()]
    assert column_digest(parts.metadata["town"]) == fingerprint.of(texts, kind="text-array")


def test_a_text_array_is_fingerprinted_as_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["a", "ü", 'say "so"', "", "\\", "line\nline", "x"]
    for piece in (65_536, 3, 1):
        monkeypatch.setattr(fingerprint, "PIECE", piece)
        assert fingerprint.of_array(np.array(texts)) == fingerprint.of(texts, kind="text-array")
    assert fingerprint.of_array(np.array([], dtype=str)) == fingerprint.of([], kind="text-array")


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(("values", "known"), [(50, 5), (5, 50), (20, 20), (3, 0), (0, 3)])
def test_values_among_others(values: int, known: int) -> None:
    rng = np.random.default_rng(0)
    some, others = (rng.integers(0, 30, count).astype(np.uint64) for count in (values, known))
    assert among(some, others).tolist() == np.isin(some, others).tolist()


@pytest.mark.usefixtures("tiny")
def test_classes_are_coded_a_piece_at_a_time() -> None:
    names = np.array(["red", "blue", "green", "blue"] * 10)
    data = lying(arrow(), names)
    classes = class_labels(data, "here")
    assert classes == ("blue", "green", "red")
    coded = encoded(data, classes, "here").y
    assert coded is not None
    assert np.array(classes)[coded].tolist() == names.tolist()


@pytest.mark.usefixtures("tiny")
def test_labels_that_lie_in_a_file_are_read_from_there() -> None:
    labels = pa.chunked_array([["kept", "back"], [], ["kept", "a longer one"]], pa.large_string())
    (column,) = where_they_lie(pa.table({"label": labels})).values()
    found = array_of(column)
    assert found is not None
    assert (found.dtype.kind, found.tolist()) == ("U", labels.to_pylist())
    gap = pa.chunked_array([["kept", None]], pa.large_string())
    assert array_of(pd.Series(pd.arrays.ArrowExtensionArray(gap))) is None


@pytest.mark.usefixtures("tiny")
def test_ids_in_a_file_tell_the_same_copies() -> None:
    held = in_memory(arrow().slice(30, 8))
    for own in (in_memory(arrow()), lying(arrow())):
        for ids in ({"id": "number"}, {"likely_ids": ("number",)}, {"id": "town"}):
            found = copies_of(*(Dataset(name="d", x=d.x, y=None, metadata=d.metadata, **ids) for d in (own, held)))
            assert found.ids is not None
            if ids != {"id": "town"}:
                assert np.flatnonzero(found.rows).tolist() == list(range(30, 38))


@pytest.mark.usefixtures("tiny")
def test_the_first_of_equal_rows_is_found_in_whichever_piece_it_lies() -> None:
    known, asked = (
        Dataset(name="d", x=np.array(values)[:, None], y=None, metadata=pd.DataFrame(index=range(len(values))))
        for values in ([3.0, 1, 2, 1, 2, 7, 3], [2.0, 7, 50, 1])
    )
    found = near_rows(known, asked)
    assert dict(zip(found.held.tolist(), found.training.tolist(), strict=True)) == {0: 2, 1: 5, 3: 1}


def test_of_very_many_rows_so_many_distinct_ones_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = np.repeat(np.arange(500, dtype=np.uint64), 2)
    assert distinct(hashes).tolist() == list(range(0, 1000, 2))
    monkeypatch.setattr(near, "MOST_KNOWN", 50)
    monkeypatch.setattr(near, "MANY_KNOWN", 100)
    some = distinct(hashes)
    assert len(some) <= 50
    assert (some[0], some[-1]) == (0, 999)
    assert len(np.unique(hashes[some])) == len(some)


@pytest.mark.usefixtures("tiny")
def test_metadata_of_a_large_dataset_is_memory_mapped(tmp_path: Path) -> None:
    data = lying(arrow(), np.arange(ROWS) % 2)
    folder = ArtefactStore(tmp_path / "store").put_dataset(data)
    x, _, metadata = open_part(folder)
    assert content_of(x) == content_of(data.x)
    assert list(metadata) == ["number"]
    assert metadata["number"].tolist() == data.metadata["number"].tolist()
    assert pd.read_parquet(folder / "metadata.parquet")["number"].tolist() == metadata["number"].tolist()
    before = pa.total_allocated_bytes()
    column = metadata["number"].array.__arrow_array__()
    assert pa.total_allocated_bytes() == before
    assert column.nbytes == 8 * ROWS


@pytest.mark.parametrize(("weights", "wanted"), [((1.0, 2.3), 40), ((0.25, 1.0), 80), ((1.0, 0.0), 5)])
def test_few_draws_of_a_very_long_epoch_are_in_its_shares(
    weights: tuple[float, float], wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixture, "MANY", 100)
    sizes, counts = [400, 200], np.zeros(600)
    for seed in range(300):
        rows = mixture.batches(sizes, weights, 5, wanted // 5, np.random.default_rng(seed))
        assert rows.shape == (wanted // 5, 5)
        drawn = np.bincount(rows.ravel(), minlength=600)
        assert (drawn[:400] <= np.ceil(weights[0])).all()
        assert (drawn[400:] <= np.ceil(weights[1])).all()
        counts += drawn
    epoch = weights[0] * 400 + weights[1] * 200
    expected = 300 * wanted * weights[0] * 400 / epoch
    assert counts[:400].sum() == pytest.approx(expected, rel=0.05)
    assert counts[:400].std() < 3 * np.sqrt(counts[:400].mean())


@pytest.mark.usefixtures("tiny")
def test_positions_of_a_mask_are_found_a_piece_at_a_time() -> None:
    marked = np.random.default_rng(0).random(50) < 0.5
    np.testing.assert_array_equal(large.positions(marked), np.flatnonzero(marked))
    assert len(large.positions(marked[:0])) == 0
    assert not isinstance(large.positions(marked).base, np.ndarray)


@pytest.mark.usefixtures("tiny")
def test_few_stretches_of_rows_stay_where_they_lie() -> None:
    columns, rows = arrow(), np.r_[2:9, 9:11, 15:40, 0:3]
    stayed = large.taken_columns(columns, rows)
    assert stayed.equals(columns.take(rows))
    assert stayed["number"].num_chunks > 1


def test_arrays_together_take_no_more_memory_than_one_may(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(large, "_held", large._Held())
    monkeypatch.setattr(large, "IN_MEMORY", 5 << 20)

    def lies_in_a_file(array: Any) -> bool:
        return array.base is not None

    first = large.room((2 << 20,), np.dtype(np.uint8))
    second = large.room((2 << 20,), np.dtype(np.uint8))
    third = large.taken_values(first, np.arange(2 << 20))
    assert [lies_in_a_file(one) for one in (first, second, third)] == [False, False, True]
    assert not lies_in_a_file(large.room((1000,), np.dtype(np.uint8)))
    view = second[:10]
    del second
    assert lies_in_a_file(large.room((2 << 20,), np.dtype(np.uint8)))
    del view
    assert not lies_in_a_file(large.room((2 << 20,), np.dtype(np.uint8)))


def test_ids_of_some_rows_are_read_without_the_others() -> None:
    column = pd.Series(pd.arrays.ArrowExtensionArray(arrow()["number"]))
    wanted = [str(10**9 + row) for row in (3, 0, 39)]
    assert ids_at(column, np.array([3, 0, 39])).to_dict() == dict(zip((3, 0, 39), wanted, strict=True))
    assert ids_at(column, [5]).iloc[0] == str(10**9 + 5)


def test_a_large_base_is_looked_at_in_part_where_it_says_what_is_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "LOOKED_AT", 10)
    x = np.random.default_rng(0).normal(size=(600_000, 4))
    tracemalloc.start()
    fitted = TableEnricher().fitted(Rows(x=x, metadata=pd.DataFrame(index=pd.RangeIndex(len(x)))), None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.6 * x.nbytes
    points = Usual(x).points(x[evenly(len(x), nearest.MOST)])
    assert np.array_equal(fitted.neighbours.distance(points[:9]), nearest.Neighbours(points, 5).distance(points[:9]))


def test_the_content_of_a_large_array_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autodc.data.hashing.IN_MEMORY", 0)
    for seed in range(20):  # an array that is gone leaves its place in memory to the next one
        x = np.random.default_rng(seed).normal(size=(20, 3))
        assert content_of(x) == content_of(x) == fingerprint.of_array(x)


def test_large_rows_are_joined_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [np.arange(12.0).reshape(4, 3), np.arange(6.0).reshape(2, 3)]
    small = large.joined(parts)
    monkeypatch.setattr(large, "IN_MEMORY", 40)
    there = large.joined(parts)
    np.testing.assert_array_equal(there, np.concatenate(parts))
    np.testing.assert_array_equal(small, there)


def test_pictures_are_taken_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(large, "IN_MEMORY", 1 << 20)
    pictures = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (600, 256, 256, 3))
    pictures[:, 0, 0, 0] = np.arange(600) % 251
    tracemalloc.start()
    try:
        found = large.taken(pictures, np.arange(599, -1, -1))
        assert tracemalloc.get_traced_memory()[1] < 40e6, "of 118 MB"
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(found[:, 0, 0, 0], (np.arange(600) % 251)[::-1])


def test_rows_whose_labels_are_looked_at_lie_once_and_in_a_file(tiny: None) -> None:
    rng = np.random.default_rng(0)
    every = [
        Dataset(name=name, x=rng.normal(size=(30, 4, 4)), y=np.arange(30) % 3, metadata=pd.DataFrame(index=range(30)))
        for name in ("base", "march", "april")
    ]
    rows = LabelledRows.of_datasets(every, [np.arange(30)] * 3, 90)
    assert isinstance(rows.x, np.ndarray)
    assert isinstance(rows.x.base, mmap.mmap)
    for own, one, points in zip(rows.datasets, every, rows.embedding, strict=True):
        assert np.array_equal(own.x, one.x)
        assert np.shares_memory(own.x, rows.x)
        assert (own.fingerprint, len(points)) == (one.fingerprint, 30)
