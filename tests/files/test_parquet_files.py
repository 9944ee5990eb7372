"""Parquet: every type of column a writer may have used, from the file to what a training is given."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

BIG = 2**53 + 1
BESIDE = [0.5, 1.5, 2.5, 3.5]
NOON = dt.datetime(2024, 1, 5, 12)
D = Decimal


def packed(column: Any, names: Any = ("c", "beside", "target")) -> bytes:
    """A table with this column, numbers beside it and targets."""
    file = io.BytesIO()
    size = len(column)
    parquet.write_table(pa.table([column, pa.array(BESIDE[:size]), pa.array([0, 1, 0, 1][:size])], names), file)
    return file.getvalue()


def case(name: str, column: Any, kind: str, expected: Any, **options: Any) -> Any:
    return pytest.param(column, kind, expected, options, id=name)


COLUMNS = [
    case("int64", pa.array([1, 2, 3, 1]), "integer", [1, 2, 3, 1]),
    case("int8 with gaps", pa.array([1, None, 3, 1], pa.int8()), "integer", [1, None, 3, 1]),
    case("int64 with gaps", pa.array([BIG, None, 3, 3]), "integer", [BIG, None, 3, 3]),
    case("uint64 that fits", pa.array([2**63 - 1, 0, 0, 1], pa.uint64()), "integer", [2**63 - 1, 0, 0, 1]),
    case("half floats", pa.array(np.array([0.5, 1, 2, 0.5], np.float16)), "number", [0.5, 1, 2, 0.5]),
    case("floats", pa.array([0.5, None, 2, 0.5], pa.float32()), "number", [0.5, None, 2, 0.5]),
    case("doubles, null and NaN", pa.array([0.1, None, np.nan, 0.1]), "number", [0.1, None, None, 0.1]),
    case("whole doubles", pa.array([1.0, None, 2.0, 1.0]), "number", [1.0, None, 2.0, 1.0]),
    case("truth", pa.array([True, False, True, True]), "boolean", [True, False, True, True]),
    case("truth with gaps", pa.array([True, None, False, True]), "boolean", [True, None, False, True]),
    case(
        "decimals",
        pa.array([D("9.99"), None, D("0.10"), D("9.99")], pa.decimal128(10, 2)),
        "number",
        [9.99, None, 0.1, 9.99],
    ),
    case(
        "decimals of 60 digits",
        pa.array([D("9.99"), None, D("0.10"), D("9.99")], pa.decimal256(60, 2)),
        "number",
        [9.99, None, 0.1, 9.99],
    ),
    case(
        "decimals that are whole",
        pa.array([D(BIG), None, D(3), D(3)], pa.decimal128(18, 0)),
        "integer",
        [BIG, None, 3, 3],
    ),
    case(
        "decimals wanted as names",
        pa.array([D("1.50"), None, D("0.10"), D("1.50")], pa.decimal128(10, 2)),
        "category",
        ["1.50", None, "0.10", "1.50"],
        types={"c": "category"},
    ),
    case("text", pa.array(["a", "NA", None, ""]), "category", ["a", "NA", None, ""]),
    case("large text", pa.array(["a", "b", None, "a"], pa.large_string()), "category", ["a", "b", None, "a"]),
    case("views of text", pa.array(["a", "b", None, "a"], pa.string_view()), "category", ["a", "b", None, "a"]),
    case(
        "sentences",
        pa.array(["it came too late", "all was well here", None, "and so it goes"]),
        "text",
        ["it came too late", "all was well here", None, "and so it goes"],
    ),
    case("dictionary", pa.array(["a", "b", None, "a"]).dictionary_encode(), "category", ["a", "b", None, "a"]),
    case(
        "dictionary of numbers as text",
        pa.array(["9.5", "10", None, "10"]).dictionary_encode(),
        "category",
        ["9.5", "10", None, "10"],
    ),
    case(
        "dictionary of days as text",
        pa.array(["2024-01-05", "2024-01-06"] * 2).dictionary_encode(),
        "category",
        ["2024-01-05", "2024-01-06"] * 2,
    ),
    case(
        "days as text",
        pa.array(["2024-01-05", None, "2024-01-06", "2024-01-05"]),
        "date",
        ["2024-01-05", None, "2024-01-06", "2024-01-05"],
    ),
    case(
        "days",
        pa.array([dt.date(2024, 1, 5), None, dt.date(9999, 12, 31), dt.date(1, 1, 1)]),
        "date",
        ["2024-01-05", None, "9999-12-31", "0001-01-01"],
    ),
    case(
        "days in milliseconds", pa.array([dt.date(2024, 1, 5), None] * 2, pa.date64()), "date", ["2024-01-05", None] * 2
    ),
    case("moments in seconds", pa.array([NOON, None, NOON, NOON], pa.timestamp("s")), "date", [NOON, None, NOON, NOON]),
    case(
        "moments in microseconds",
        pa.array([NOON, None, dt.datetime(1600, 1, 1, 0, 0, 0, 7), NOON], pa.timestamp("us")),
        "date",
        [NOON, None, "1600-01-01 00:00:00.000007", NOON],
    ),
    case(
        "moments in nanoseconds",
        pa.array([NOON, None, NOON, NOON], pa.timestamp("ns")),
        "date",
        [NOON, None, NOON, NOON],
    ),
    case(
        "moments of a zone",
        pa.array([NOON, None, NOON, NOON], pa.timestamp("us", "Europe/Berlin")),
        "date",
        [NOON, None, NOON, NOON],
    ),
    case(
        "durations, in seconds",
        pa.array([dt.timedelta(minutes=1.5), None, dt.timedelta(days=1), dt.timedelta(0)]),
        "number",
        [90.0, None, 86400.0, 0.0],
    ),
    case("nothing, wanted as numbers", pa.nulls(4), "number", [None] * 4, types={"c": "number"}),
    case("nothing, asked for", pa.nulls(4), "category", [None] * 4, features=["c", "beside"]),
    case(
        "numbers in text, wanted as numbers",
        pa.array(["7", None, "8", "7"]),
        "integer",
        [7, None, 8, 7],
        types={"c": "integer"},
    ),
    case(
        "whole numbers, wanted as names",
        pa.array([7, None, 8, 7]),
        "category",
        ["7", None, "8", "7"],
        types={"c": "category"},
    ),
    case(
        "large numbers in text, wanted so",
        pa.array([str(BIG), None, "8", "8"]),
        "integer",
        [BIG, None, 8, 8],
        types={"c": "integer"},
    ),
    case(
        "truth, wanted as numbers",
        pa.array([True, None, False, True]),
        "integer",
        [1, None, 0, 1],
        types={"c": "integer"},
    ),
    case(
        "times of day, wanted as names",
        pa.array([dt.time(8), None] * 2),
        "category",
        ["08:00:00", None] * 2,
        types={"c": "category"},
    ),
]


@pytest.mark.parametrize(("column", "kind", "expected", "options"), COLUMNS)
def test_each_type_is_read_right(right: Any, column: Any, kind: Any, expected: Any, options: Any) -> None:
    right("t.parquet", packed(column), {"c": (kind, expected), "beside": ("number", BESIDE)}, **options)


@pytest.mark.parametrize(
    "more", [{"compression": "zstd"}, {"row_group_size": 1}, {"version": "1.0"}, {"use_dictionary": True}]
)
def test_however_it_is_packed(tmp_path: Any, right: Any, more: Any) -> None:
    table = pa.table({"c": ["a", "b", None, "a"], "n": [1, None, 3, 1], "target": [0, 1, 0, 1]})
    file = io.BytesIO()
    parquet.write_table(table, file, **more)
    columns = {"c": ("category", ["a", "b", None, "a"]), "n": ("integer", [1, None, 3, 1])}
    right("t.parquet", file.getvalue(), columns)


def test_names_with_dots_and_an_index_with_a_name(right: Any) -> None:
    frame = pd.DataFrame({"a.b": [1, 2], "a": ["x", "y"], "target": [0, 1]}, index=pd.Index([7, 8], name="customer"))
    file = io.BytesIO()
    frame.to_parquet(file)
    data = right("t.parquet", file.getvalue(), {"a.b": ("integer", [1, 2]), "a": ("category", ["x", "y"])})
    assert data.metadata["customer"].tolist() == [7, 8]
    assert "`customer` is taken for an index" in data.notes[0]


def test_what_was_a_category_in_pandas_stays_one(right: Any) -> None:
    codes = [7, None, 8, 7]
    frame = pd.DataFrame({"c": pd.Categorical(codes), "beside": BESIDE, "target": [0, 1, 0, 1]})
    file = io.BytesIO()
    frame.to_parquet(file)
    columns = {"c": ("category", ["7", None, "8", "7"]), "beside": ("number", BESIDE)}
    right("t.parquet", file.getvalue(), columns)


def test_types_of_pandas_that_know_missing_values(right: Any) -> None:
    frame = pd.DataFrame(
        {
            "i": pd.array([1, None, 3], "Int64"),
            "b": pd.array([True, None, False], "boolean"),
            "s": pd.array(["x", None, "NA"], "string"),
            "f": pd.array([0.5, None, 1.5], "Float32"),
            "target": ["a", "b", "a"],
        }
    )
    file = io.BytesIO()
    frame.to_parquet(file)
    columns = {
        "i": ("integer", [1, None, 3]),
        "b": ("boolean", [True, None, False]),
        "s": ("category", ["x", None, "NA"]),
        "f": ("number", [0.5, None, 1.5]),
    }
    right("t.parquet", file.getvalue(), columns)


@pytest.mark.parametrize(
    ("column", "options", "expected"),
    [
        (pa.array([[1, 2], [3, 4]]), {"features": ["c"]}, [[1, 2], [3, 4]]),
        (pa.array([[1, 2], [3, 4]], pa.list_(pa.float32(), 2)), {"features": ["c"]}, [[1, 2], [3, 4]]),
        (pa.array([[[1, 2]], [[3, 4]]], pa.large_list(pa.list_(pa.int8()))), {"features": ["c"]}, [[[1, 2]], [[3, 4]]]),
        (pa.array([[1, 2], [3, 4]]), {"metadata": ["beside"]}, [[1, 2], [3, 4]]),
    ],
    ids=["lists", "lists of fixed length", "lists of lists", "the only column there is"],
)
def test_lists_of_numbers_are_arrays(
    tmp_path: Any, read: Any, trained: Any, column: Any, options: Any, expected: Any
) -> None:
    (tmp_path / "t.parquet").write_bytes(packed(column))
    x, _, _ = trained(read("t.parquet", **options))
    assert x.tolist() == expected


LISTS = pa.array([[1, 2], [3], [4, 5], [6, 7]])
ODD = [
    ("lists of different lengths", packed(LISTS), {"features": ["c"]}, "010", "2 in row 0, 1 in row 1"),
    ("lists of text", packed(pa.array([["a"], ["b"]])), {"features": ["c"]}, "010", "lists that make no array"),
    ("lists with gaps", packed(pa.array([[1, None], [3, 4]])), {"features": ["c"]}, "007", "row 0"),
    ("a list missing", packed(pa.array([[1, 2], None])), {"features": ["c"]}, "010", "no list in row 1"),
    ("lists beside numbers", packed(LISTS), {"features": ["c", "beside"]}, "010", "column `c`"),
    ("records", packed(pa.array([{"k": 1}, {"k": 2}])), {"features": ["c"]}, "010", "{'k': 1}"),
    ("bytes", packed(pa.array([b"\xff", b"\xfe"])), {"features": ["c"]}, "010", "b'\\\\xff'"),
    (
        "uint64 that does not fit",
        packed(pa.array([2**64 - 1, 1], pa.uint64())),
        {},
        "091",
        "row 0: 18446744073709551615",
    ),
    ("infinity", packed(pa.array([1.5, -np.inf])), {}, "091", "row 1: -inf"),
    ("no rows", packed(pa.array([], pa.int64())), {}, "009", "no rows"),
    ("cut short", packed(pa.array([1, 2]))[:-20], {}, "002", "cannot be read"),
    ("cut in the midst", packed(pa.array([1, 2]))[:200], {}, "002", "cannot be read"),
    ("a page to log in", b"<html>log in</html>", {}, "002", "a page of HTML"),
    ("a table of text", b"a,target\n1,0\n", {}, "002", "cannot be read"),
    ("a pointer of Git LFS", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", {}, "002", "git lfs pull"),
    (
        "dates in German, wanted as dates",
        packed(pa.array(["05.01.2024"] * 2)),
        {"types": {"c": "date"}},
        "091",
        "05.01.2024",
    ),
    (
        "a target of lists",
        packed(pa.array([[1, 2], [3, 4]]), names=("target", "beside", "more")),
        {"features": ["beside"]},
        "011",
        "one-hot",
    ),
]


@pytest.mark.parametrize(("content", "options", "code", "words"), [pytest.param(*rest, id=name) for name, *rest in ODD])
def test_each_is_refused_in_its_own_words(refused: Any, content: Any, options: Any, code: Any, words: Any) -> None:
    problem = refused("t.parquet", content, **options)
    assert problem.code == f"ADC-DATA-{code}"
    assert words in str(problem)


@pytest.mark.parametrize(
    ("column", "held"),
    [
        (LISTS, "lists"),
        (pa.array([{"k": 1}, {"k": 2}]), "records"),
        (pa.array([dt.time(8), dt.time(9)]), "times of day"),
        (pa.array([b"\xff", b"\xfe"]), "bytes"),
        (pa.array([[("a", 1)]] * 2, pa.map_(pa.string(), pa.int64())), "lists"),
    ],
)
def test_what_is_no_input_is_named(tmp_path: Any, read: Any, column: Any, held: Any) -> None:
    (tmp_path / "t.parquet").write_bytes(packed(column))
    data = read("t.parquet")
    assert data.x.names == ("beside",)
    assert f"column `c` is no input: it holds {held}" in data.notes[0]


def test_columns_of_one_name(refused: Any) -> None:
    file = io.BytesIO()
    parquet.write_table(
        pa.Table.from_arrays([pa.array([1, 2]), pa.array([3, 4]), pa.array([0, 1])], ["a", "a", "target"]), file
    )
    assert refused("t.parquet", file.getvalue()).code == "ADC-DATA-017"


LABELS = {
    "text": pa.array(["1", "2", "1", "2"]),
    "whole": pa.array([1, 2, 1, 2]),
    "dictionary": pa.array(["1", "2", "1", "2"]).dictionary_encode(),
    "decimal": pa.array([D(1), D(2)] * 2, pa.decimal128(5, 0)),
    "double": pa.array([1.0, 2.0] * 2),
}


@pytest.mark.parametrize("written", LABELS)
@pytest.mark.parametrize(("kind", "expected"), [("category", ["1", "2"] * 2), ("integer", [1, 2] * 2)])
def test_labels_may_be_read_as_another_type(tmp_path: Any, read: Any, written: Any, kind: Any, expected: Any) -> None:
    parquet.write_table(pa.table({"a": BESIDE, "label": LABELS[written]}), tmp_path / "t.parquet")
    assert read("t.parquet", target="label", types={"label": kind}).y.tolist() == expected


def test_labels_that_are_missing_or_no_numbers(refused: Any) -> None:
    file = io.BytesIO()
    parquet.write_table(pa.table({"a": BESIDE, "target": ["x", None, "y", "x"]}), file)
    problem = refused("t.parquet", file.getvalue())
    assert (problem.code, problem.got) == ("ADC-DATA-008", "no value in row 1")
    assert refused("t.parquet", types={"target": "category"}).got == "no value in row 1"
    assert refused("t.parquet", types={"target": "integer"}).code == "ADC-DATA-091"
