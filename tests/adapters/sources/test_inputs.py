"""Which columns of a table become inputs, and what is said of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

ROWS = 40


def frame(**more: Any) -> Any:
    rng = np.random.default_rng(0)
    columns = {"dose": rng.normal(size=ROWS).round(4), "age": rng.integers(20, 60, ROWS)}
    return pd.DataFrame({**columns, **more, "target": np.arange(ROWS) % 2})


@pytest.fixture
def told(tmp_path: Path, read: Any) -> Any:
    """Read a table and return the number of its inputs and what is said of them."""

    def reads(table: Any, index: Any = False, **options: Any) -> Any:
        table.to_csv(tmp_path / "t.csv", index=index)
        data = read("t.csv", **options)
        return data.x.shape[1], " | ".join(data.notes)

    return reads


def test_an_ordinary_table_has_nothing_to_say(told: Any) -> None:
    assert told(frame()) == (2, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "such"),
    [
        ([f"{i % 7},{i % 5}" for i in range(ROWS)], "'0,0'"),
        ([f"1,{i:03d}" for i in range(ROWS)], "'1,000'"),
        ([f"1.{i:03d}.000" for i in range(ROWS)], "'1.000.000'"),
        (["?" if i == 9 else str(i % 6) for i in range(ROWS)], "'?'"),
        ([f"{i % 6} %" for i in range(ROWS)], "'0 %'"),
        ([f"€ {i % 6}" for i in range(ROWS)], "'€ 0'"),
    ],
)
def test_text_that_looks_like_numbers_is_named(told: Any, values: Any, such: Any) -> None:
    count, notes = told(frame(price=values))
    assert count == 2
    assert "`price` is text that looks like numbers" in notes
    assert such in notes
    assert "metadata" in notes
    assert told(frame(price=values), metadata=["price"]) == (2, "")
    assert told(frame(price=values), features=["dose"]) == (1, "")
    assert told(frame(price=values), features=["dose", "price"]) == (2, "")


def test_text_that_is_text_is_not_named(told: Any) -> None:
    words = [("north", "2024-01-05", "12a", "A-17")[i % 4] for i in range(ROWS)]
    assert told(frame(site=words)) == (3, "")


def test_the_index_that_pandas_writes_is_no_input(told: Any) -> None:
    count, notes = told(frame(), index=True)
    assert count == 2
    assert "`Unnamed: 0` is taken for an index" in notes
    count, notes = told(frame().sample(frac=0.5, random_state=0), index=True)
    assert (count, "Unnamed: 0" in notes) == (2, True)
    assert told(frame(), index=True, features=["Unnamed: 0", "dose"])[0] == 2


def test_an_unnamed_column_of_measurements_stays_an_input(told: Any) -> None:
    table = frame()
    table.insert(0, "", np.linspace(0.1, 0.9, ROWS))
    assert told(table)[0] == 3


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("customer_id", np.arange(ROWS) * 3 // 4),
        ("patientId", [f"p{i * 3 // 4}" for i in range(ROWS)]),
        ("ID", np.arange(ROWS) ** 4),
        ("what", np.arange(ROWS)),
        ("what", np.random.default_rng(1).permutation(ROWS) + 1000),
        ("what", [f"c{i}" for i in range(ROWS)]),
    ],
)
def test_ids_and_row_numbers_are_left_out_and_named(told: Any, name: Any, values: Any) -> None:
    count, notes = told(frame(**{name: values}))
    assert count == 2
    assert f"`{name}` is left out: it looks like an id" in notes
    assert "options: {features: [...]}" in notes
    assert told(frame(**{name: values}), metadata=[name]) == (2, "")
    assert told(frame(**{name: values}), features=["dose", name]) == (2, "")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("customer_id", np.arange(ROWS) // 4),
        ("patientId", [f"p{i // 4}" for i in range(ROWS)]),
        ("index", np.arange(ROWS) // 2),
    ],
)
def test_ids_of_several_rows_stay_and_are_named(told: Any, name: Any, values: Any) -> None:
    count, notes = told(frame(**{name: values}))
    assert count == 3
    assert f"`{name}` is an input but called an id" in notes
    assert told(frame(**{name: values}), group=name) == (2, "")


def test_names_that_only_contain_such_letters_are_not_ids(told: Any) -> None:
    assert told(frame(width=1.5 * np.arange(ROWS), humid=np.arange(ROWS) // 2, heat_index=np.arange(ROWS) // 3)) == (
        5,
        "",
    )


@pytest.mark.parametrize("value", [3, "on", None])
def test_what_is_the_same_in_every_row_is_left_out_and_named(told: Any, value: Any) -> None:
    count, notes = told(frame(lamp=value))
    assert count == 2
    assert "`lamp` is left out: it is the same in every row" in notes


def test_several_columns_share_one_sentence(told: Any) -> None:
    _, notes = told(frame(lamp=3, sun=4))
    assert notes.startswith("each of columns `lamp`, `sun` is left out: it is the same in every row; ")


def test_missing_text_is_told_since_it_is_read_as_an_empty_one(tmp_path: Path, read: Any) -> None:
    said = ["the light is red", None, "it is green now", "so we go"]
    pd.DataFrame({"said": said, "target": [0, 1, 0, 1]}).to_csv(tmp_path / "a.csv", index=False)
    note = "column `said` has no text in 1 of 4 rows (25.0%)"
    data = read("a.csv", text="said")
    assert note in " | ".join(data.notes)
    assert data.x.texts()[1] == ""
    assert note in " | ".join(read("a.csv", features=["said"], types={"said": "text"}).notes)
    pd.DataFrame({"said": ["a b"] * 4, "target": [0, 1, 0, 1]}).to_csv(tmp_path / "b.csv", index=False)
    assert not read("b.csv", text="said").notes
