"""The types of Parquet: in metadata they keep every digit, and `where` compares them as what they are."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from autodc.adapters.artefacts import ArtefactStore, open_part
from autodc.data.where import select
from autodc.errors import DataError

BIG = 2**53


@pytest.fixture
def table(tmp_path: Path) -> Any:
    def write(**columns: Any) -> Any:
        size = len(next(iter(columns.values())))
        given = {"a": pa.array(range(size)), "target": pa.array([i % 2 for i in range(size)]), **columns}
        parquet.write_table(pa.table(given), tmp_path / "t.parquet")
        return "t.parquet"

    return write


def rows(data: Any, where: Any) -> Any:
    return np.flatnonzero(select(where, data.metadata, data.y, place="here")).tolist()


PRICES = pa.array([Decimal(text) for text in ("9.50", "9.99", "10.00", "10.49", "11.00")], pa.decimal128(10, 2))


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("price = 10", [2]),
        ("price = '10'", [2]),
        ("price > 10", [3, 4]),
        ("price > '10'", [3, 4]),
        ("price > '9.994'", [2, 3, 4]),
        ("price = '10.004'", []),
        ("price IN (10, 11)", [2, 4]),
        ("price IN ('9.5', 11)", [0, 4]),
        ("price BETWEEN 9.99 AND 10.49", [1, 2, 3]),
        ("price BETWEEN '9.99' AND '10.49'", [1, 2, 3]),
        ("price * 3 = 31.47", [3]),
        ("price <> 10", [0, 1, 3, 4]),
    ],
)
def test_decimals_compare_as_numbers(table: Any, read: Any, where: Any, found: Any) -> None:
    assert rows(read(table(price=PRICES), metadata=["price"]), where) == found


@pytest.mark.parametrize("kind", [pa.decimal128(38, 2), pa.decimal256(60, 2)])
def test_decimals_of_many_digits(table: Any, read: Any, kind: Any) -> None:
    price = pa.array([Decimal("12345678901234567890.12"), Decimal("12345678901234567890.13"), None], kind)
    data = read(table(price=price), metadata=["price"])
    assert rows(data, "price = 12345678901234567890.13") == [1]
    assert rows(data, "price IS NULL") == [2]


def test_decimals_are_numbers_for_inputs_and_targets(table: Any, read: Any) -> None:
    data = read(table(price=PRICES, target=PRICES), kind="regression")
    assert np.asarray(data.x)[:, 1].tolist() == [9.5, 9.99, 10, 10.49, 11]
    assert data.y.tolist() == [9.5, 9.99, 10, 10.49, 11]
    labels = pa.array([Decimal(0), Decimal(1)], pa.decimal128(3, 0))
    assert read(table(target=labels)).y.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("column", "where", "found"),
    [
        (pa.array([BIG, BIG + 1, None]), "m = 9007199254740993", [1]),
        (pa.array([2**64 - 1, 2**64 - 2, 0], pa.uint64()), "m = 18446744073709551615", [0]),
        (pa.array([2**64 - 1, None, 0], pa.uint64()), "m = 18446744073709551615", [0]),
        (pa.array([1, None, 3], pa.int8()), "m = 3", [2]),
        (pa.array([9, 10, 11]), "m = '10.4'", []),
        (pa.array([9, 10, 11]), "m BETWEEN '9.6' AND '10.4'", [1]),
        (pa.array([True, None, False]), "m", [0]),
        (pa.array([True, None, False]), "NOT m", [2]),
        (pa.array(["NA", None, "x"]), "m = 'NA'", [0]),
        (pa.array(["NA", None, "x"]).dictionary_encode(), "m = 'NA'", [0]),
        (pa.array([3, None, 3]).dictionary_encode(), "m = 3", [0, 2]),
        (pa.array([Decimal("1.5"), None, Decimal("1.49")]).dictionary_encode(), "m = 1.5", [0]),
        (pa.array([1.5, None, np.nan], pa.float16()), "m = 1.5", [0]),
        (pa.array([dt.date(2024, 1, 5), None, dt.date(2024, 11, 1)]), "m < '2024-2-1'", [0]),
        (pa.array([dt.date(2024, 1, 5), None, dt.date(2024, 11, 1)]), "year(m) = 2024 AND month(m) = 11", [2]),
        (pa.array([dt.time(8), None, dt.time(17, 30)]), "m < '9:00'", [0]),
        (pa.array([dt.datetime(2024, 1, 5, 12), None, dt.datetime(2025, 1, 1)]), "m < '2024-06-01'", [0]),
        (pa.array([b"left", None, b"right"]), "m = 'left'", [0]),
        (pa.array(["9.50", "10", "10.49"]), "m = 10", [1]),
        (pa.array(["9.50", "10", "10.49"]), "m IN (9.5, 11)", [0]),
    ],
)
def test_every_type_compares_as_what_it_is(
    table: Any, read: Any, tmp_path: Path, column: Any, where: Any, found: Any
) -> None:
    data = read(table(m=column), metadata=["m"])
    assert rows(data, where) == found
    _, _, metadata = open_part(ArtefactStore(tmp_path / "store").put_dataset(data))
    assert np.flatnonzero(select(where, metadata, None, place="here")).tolist() == found


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([["a", "b"], ["c"], None]), "lists"),
        (pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int64(), 2)), "lists"),
        (pa.array([{"k": 1}, {"k": 2}, None]), "records"),
        (pa.array([b"\xff\xfe", b"\xff\xfd", b"x"]), "binary values"),
    ],
)
def test_columns_without_single_values_are_refused_by_name_where_they_are_asked_for(
    table: Any, read: Any, column: Any, words: Any
) -> None:
    data = read(table(tags=column))
    with pytest.raises(DataError) as caught:
        select("tags = 'a'", data.metadata, data.y, place="here")
    assert caught.value.code == "ADC-DATA-048"
    assert "`tags`" in caught.value.got
    assert words in caught.value.got
    assert rows(data, "a = 1") == [1]
    assert rows(data.take([2, 1]), "a = 1") == [1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "zone", ["America/New_York", *(pytest.param(zone, marks=pytest.mark.slow) for zone in ("Asia/Tokyo", "UTC"))]
)
def test_times_with_a_zone_do_not_depend_on_the_machine(table: Any, tmp_path: Path, zone: Any) -> None:
    """Noon and one o'clock in London and later, compared in a process of its own zone."""
    noon = dt.datetime(2024, 1, 5, 12, tzinfo=dt.UTC)
    times = pa.array(
        [noon, noon + dt.timedelta(hours=1), noon + dt.timedelta(hours=12)], pa.timestamp("us", "Europe/Berlin")
    )
    table(taken=times)
    program = f"""
from autodc.adapters.sources import read_source
from autodc.data.where import select
from autodc.studyfile.study import SourceSpec
told = dict(folder={str(tmp_path)!r}, name="base", place="", kind="classification")
data = read_source(SourceSpec(source="t.parquet"), **told)
for where in ("taken > '2024-01-05 12:30:00'", "hour(taken) = 12", "taken = '2024-01-05 14:00:00+01'"):
    print(select(where, data.metadata, data.y, place="").astype(int).tolist())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "TZ": zone}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:3] == ["[0, 1, 1]", "[1, 0, 0]", "[0, 1, 0]"]


def test_one_content_one_fingerprint_and_one_digit_another(table: Any, read: Any) -> None:
    one, two, three = (
        read(table(m=pa.array([last, None, 1])), metadata=["m"]).fingerprint for last in (BIG + 1, BIG + 1, BIG)
    )
    assert one == two != three


def test_a_column_whose_name_has_a_dot(table: Any, read: Any) -> None:
    data = read(table(**{"a.b": pa.array([5, 6, 7])}))
    assert np.asarray(data.x)[:, 1].tolist() == [5, 6, 7]


def test_objects_of_a_users_own_frame_keep_their_types(tmp_path: Path, read: Any) -> None:
    (tmp_path / "mine.py").write_text(
        "import numpy as np, pandas as pd\nfrom decimal import Decimal\n"
        "def rows():\n"
        "    m = pd.DataFrame({'price': [Decimal('9.50'), None, Decimal('10.00')], 'n': [1, None, 10]}, dtype=object)\n"
        "    m['kind'] = pd.Categorical([1, None, 2])\n"
        "    return np.ones((3, 2)) * [[1], [2], [3]], [0, 1, 0], m\n"
    )
    data = read("mine.py:rows")
    assert rows(data, "price = 10") == [2]
    assert rows(data, "n > '2'") == [2]
    assert rows(data, "kind = 2") == [2]


def test_a_page_of_html_is_no_parquet(tmp_path: Path, refused: Any) -> None:
    (tmp_path / "t.parquet").write_text("<html>log in</html>")
    problem = refused("t.parquet")
    assert problem.code == "ADC-DATA-002"
    assert "HTML" in str(problem)


def test_an_index_that_pandas_wrote_is_no_input(tmp_path: Path, read: Any) -> None:
    frame = pd.DataFrame({"a": [1.5, 2.5, 3.5], "target": [0, 1, 0]}, index=pd.Index([7, 8, 9], name="customer"))
    frame.to_parquet(tmp_path / "t.parquet")
    data = read("t.parquet")
    assert np.asarray(data.x).tolist() == [[1.5], [2.5], [3.5]]
    assert rows(data, "customer = 8") == [1]
    assert "`customer` is taken for an index" in data.notes[0]
    frame.rename_axis(None).to_parquet(tmp_path / "t.parquet")
    assert read("t.parquet").x.shape == (3, 1)
