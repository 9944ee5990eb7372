"""Which training rows are held-out rows: by ids, by inputs, target and metadata, in tables, text and files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

from autodc.data.copies import copies_of
from autodc.data.dataset import Dataset
from autodc.data.ids import is_count
from autodc.data.overlap import joint_clusters
from autodc.data.shared import shared_groups, shared_rows
from autodc.table import ColumnType, Table

KINDS: dict[str, ColumnType] = {"i": "integer", "f": "number", "b": "boolean", "M": "date"}


def table(frame: pd.DataFrame, y: Any = None, name: str = "a", **more: Any) -> Dataset:
    """A dataset of a frame; its columns that begin with a dot are metadata."""
    inputs = [c for c in frame if not c.startswith(".")]
    types = [KINDS.get(frame[c].dtype.kind, "category") for c in inputs]
    metadata = frame.rename(columns=lambda c: c.lstrip(".")).reset_index(drop=True)
    return Dataset(name=name, x=Table.of("table", frame[inputs], types), y=y, metadata=metadata, **more)


def texts(values: list[str], name: str = "a") -> Dataset:
    return Dataset(name=name, x=Table.of_texts(values), y=None, metadata=pd.DataFrame(index=range(len(values))))


def customers(rows: int, seed: int, first: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            ".customer": [f"c{first + i}" for i in range(rows)],
            "age": np.where(rng.random(rows) < 0.1, np.nan, rng.integers(18, 80, rows)),
            "spend": rng.gamma(2, 50, rows).round(2),
            "plan": rng.choice(["basic", "plus", "pro"], rows),
            "since": np.datetime64("2024-01-01", "s") + rng.integers(0, 400, rows).astype("timedelta64[D]"),
        }
    )


LIKELY = {"likely_ids": ("customer",)}


def with_copies(own: pd.DataFrame, held: pd.DataFrame, rows: int, **changed: Any) -> pd.DataFrame:
    return pd.concat([own, held[:rows].assign(**changed)], ignore_index=True)


def test_rows_of_one_id_are_one_example_though_a_value_was_mended() -> None:
    own, held = customers(300, 1), customers(500, 2, 1000)
    mended = with_copies(own, held, 50, spend=held["spend"][:50] + 1)
    found = shared_rows(table(mended, **LIKELY), [table(held, name="validation", **LIKELY)], 0.01)
    assert np.flatnonzero(found.rows).tolist() == list(range(300, 350))
    assert "50 of 350 rows (14.3%) of `a` are also in `validation` (50, the same `customer`)" in found.copies
    assert found.example == "row 300 of `a` is row 0 of `validation`"


def test_equal_rows_of_another_id_are_different_people_where_chance_could_make_them() -> None:
    own, held = (frame[[".customer", "age", "plan"]] for frame in (customers(300, 1), customers(500, 2, 1000)))
    both = with_copies(own, held, 40, **{".customer": [f"n{i}" for i in range(40)]})
    found = shared_rows(table(both, **LIKELY), [table(held, name="validation", **LIKELY)], 0.01)
    assert not found.rows.any()
    (told,) = found.warnings
    assert "another `customer`: they are taken for different examples" in told


def test_a_new_id_hides_no_copy_of_a_row_that_two_people_would_not_share() -> None:
    own, held = customers(300, 1), customers(500, 2, 1000)
    renamed = with_copies(own, held, 40, **{".customer": [f"n{i}" for i in range(40)]})
    assert copies_of(table(renamed, **LIKELY), table(held, **LIKELY)).rows.sum() == 40
    assert copies_of(table(renamed, id="customer"), table(held, id="customer")).rows.sum() == 0


def test_ids_that_each_file_uses_for_others_are_told_and_decide_nothing() -> None:
    found = shared_rows(table(customers(300, 5), **LIKELY), [table(customers(500, 6), name="b", **LIKELY)], 0.01)
    assert not found.rows.any()
    (told,) = found.warnings
    assert "300 values of `customer`" in told
    assert "(c0, c1, c2, …)" in told
    assert "{group: customer}" in told


def test_a_mere_count_of_rows_is_no_id_and_nothing_is_said_of_it() -> None:
    own, held = (frame.assign(**{".customer": range(len(frame))}) for frame in (customers(300, 5), customers(500, 6)))
    assert is_count(own[".customer"])
    found = shared_rows(table(own, **LIKELY), [table(held, **LIKELY)], 0.01)
    assert (found.rows.any(), found.warnings) == (False, ())


def test_an_id_that_is_asked_for_decides_which_validation_rows_are_one() -> None:
    frame = customers(100, 1)
    frame.loc[60:79, ".customer"] = frame.loc[0:19, ".customer"].to_numpy()
    one, two = joint_clusters([table(frame, id="customer"), table(frame[:30].reset_index(drop=True), id="customer")])
    np.testing.assert_array_equal(one[60:80], one[:20])
    np.testing.assert_array_equal(two, one[:30])
    assert len(np.unique(one)) == 80


def answers(rows: int, seed: int) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).integers(0, 4, (rows, 7)), columns=list("abcdefg"))


@pytest.mark.parametrize("column", ["number", "file"])
def test_a_column_that_numbers_rows_or_names_the_file_hides_no_copy_and_makes_none(column: str) -> None:
    def written(frame: pd.DataFrame, name: str, first: int) -> Dataset:
        values = np.arange(first, first + len(frame)) if column == "number" else f"{name}.csv"
        return table(frame.assign(**{f".{column}": values}), name=name)

    held = answers(1500, 3)
    own = pd.concat([answers(300, 0), held[:100]], ignore_index=True)
    assert 85 <= copies_of(written(own, "a", 0), written(held, "b", 7000)).rows.sum() <= 115
    assert copies_of(written(answers(400, 9), "a", 0), written(held, "b", 7000)).rows.sum() == 0


def household(rows: int, seed: int) -> pd.DataFrame:
    """People of whom most say nothing of most: a few kinds of person, and columns that hang together."""
    rng = np.random.default_rng(seed)
    child = rng.random(rows) < 0.3
    frame = {"age": np.where(child, rng.integers(0, 15, rows), rng.integers(15, 90, rows))}
    for at in range(12):
        said = np.where(child, "not asked", rng.choice(["yes", "no", "unknown"], rows, p=[0.1, 0.8, 0.1]))
        frame[f"c{at}"] = said
    frame["gain"] = np.where(child | (rng.random(rows) < 0.95), 0, rng.integers(1, 99999, rows))
    return pd.DataFrame(frame)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1000, 12_000])
def test_people_who_were_asked_little_are_no_copies_however_many_they_are(rows: int) -> None:
    own, held = household(rows, 0), household(rows, 1)
    assert copies_of(table(own), table(held)).rows.sum() == 0
    planted = with_copies(own, held, rows // 10)
    assert copies_of(table(planted), table(held)).rows.sum() > rows // 30


def test_one_column_of_mostly_zeros_holds_no_copies() -> None:
    own, held = household(3000, 0)[["gain"]], household(5000, 1)[["gain"]]
    rng = np.random.default_rng(0)
    assert copies_of(table(own, rng.integers(0, 2, 3000)), table(held, rng.integers(0, 2, 5000))).rows.sum() == 0


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes])
def test_halves_of_real_tables_share_nothing_and_planted_copies_are_found(load: Any) -> None:
    frame = load(as_frame=True).data
    order = np.random.default_rng(0).permutation(len(frame))
    own, held = (frame.iloc[half].reset_index(drop=True) for half in np.array_split(order, 2))
    assert copies_of(table(own), table(held)).rows.sum() <= 2
    assert copies_of(table(with_copies(own, held, 20)), table(held)).rows.sum() >= 20


SHORT = ["ok", "good", "very good", "bad", "not good", "fine", "great", "thanks", "no", "yes"]


def reviews(rows: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    long = [" ".join(f"word{i}" for i in rng.integers(0, 300, 15)) for _ in range(rows)]
    return [str(rng.choice(SHORT)) if rng.random() < 0.4 else text for text in long]


def test_short_texts_are_said_twice_and_long_ones_are_copies() -> None:
    held = reviews(400, 2)
    long = [text for text in held if len(text) > 50][:30]
    own = texts([*reviews(300, 1), *long])
    found = copies_of(own, texts(held))
    assert np.flatnonzero(found.rows).tolist() == list(range(300, 330))
    assert found.by_chance > 100


def test_validation_texts_count_each_but_for_a_long_one_that_stands_twice() -> None:
    values = [*reviews(200, 1), *[text for text in reviews(200, 1) if len(text) > 50][:20]]
    (found,) = joint_clusters([texts(values)])
    assert len(np.unique(found)) == 200


def test_files_of_the_same_bytes_are_copies_whatever_they_are_called() -> None:
    def files(name: str, digests: list[str]) -> Dataset:
        paths = [f"/{name}/{i}.png" for i in range(len(digests))]
        return Dataset(name=name, x=Table.of_files(paths, digests), y=None, metadata=pd.DataFrame({"path": paths}))

    own, held = files("a", [f"{i:032x}" for i in range(50)]), files("b", [f"{i:032x}" for i in range(40, 90)] * 5)
    assert np.flatnonzero(copies_of(own, held).rows).tolist() == list(range(40, 50))


def test_groups_on_both_sides_are_named_and_counted() -> None:
    def of(name: str, patients: list[str]) -> Dataset:
        x = np.random.default_rng(len(name)).normal(size=(len(patients), 2))
        return Dataset(name=name, x=x, y=None, metadata=pd.DataFrame({"p": patients}), groups=np.array(patients))

    own, held = of("base", ["p1", "p1", "p2", "p3"]), of("validation", ["p1", "p3", "p3", "p9"])
    (told,) = shared_groups(own, [held])
    assert "2 of 3 groups of `base` are also in `validation` (p1, p3: 3 and 3 rows)" in told
