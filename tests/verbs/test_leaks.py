"""Where a gain has no loss, answers to validation rows are looked for in the new datasets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.data.catalogue import Catalogue
from autodc.data.dataset import Dataset
from autodc.gate.types import Leak
from autodc.wire.leaks import LeakSearch

ROWS = np.arange(100)


def dataset(name: str, seed: int, rows: int = 200, **columns: Any) -> Dataset:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4))
    return Dataset(
        name=name, x=x, y=(x[:, 0] + x[:, 1] > 0).astype(np.int64), metadata=pd.DataFrame(columns, index=range(rows))
    )


def with_x(data: Dataset, x: np.ndarray, y: np.ndarray | None = None) -> Dataset:
    return Dataset(name=data.name, x=x, y=data.y if y is None else y, metadata=data.metadata, groups=data.groups)


def search(candidate: Dataset, validation: Dataset, base: Dataset | None = None) -> Any:
    catalogue = Catalogue(base=base or dataset("base", 1), candidates={"new": candidate}, validation=validation)
    return LeakSearch(catalogue)(("new",), {"validation": ROWS})


def test_honest_rows_are_looked_through_and_nothing_is_found() -> None:
    found = search(dataset("new", 2), dataset("validation", 3))
    assert found.found == ()
    assert {"exact", "near", "column"} <= set(found.looked)


@pytest.mark.parametrize(("noise", "kind"), [(0.0, "exact"), (1e-5, "near")])
def test_copies_of_the_rows_that_got_better_are_found_and_counted(noise: Any, kind: Any) -> None:
    validation, new = dataset("validation", 3), dataset("new", 2)
    x, y = new.x.copy(), new.y.copy()
    x[:40], y[:40] = validation.x[:40] + noise, validation.y[:40]
    assert search(with_x(new, x, y), validation).found == (Leak(dataset="new", kind=kind, rows=40, of=100),)


def test_copies_of_rows_that_did_not_get_better_explain_nothing() -> None:
    validation, new = dataset("validation", 3), dataset("new", 2)
    x = new.x.copy()
    x[:40] = validation.x[120:160] + 1e-5
    assert search(with_x(new, x), validation).found == ()


def test_copies_in_a_coarse_table_are_no_sign_of_anything() -> None:
    def coarse(seed: Any) -> Any:
        data = dataset(str(seed), seed)
        return with_x(data, np.round(data.x > 0).astype(float))

    assert [leak.kind for leak in search(coarse(2), coarse(3)).found if leak.kind != "column"] == []


def test_rows_that_chance_made_equal_are_no_answers_and_copies_beyond_chance_are() -> None:
    def survey(name: Any, seed: Any, rows: Any) -> Any:
        x = np.random.default_rng(seed).integers(0, 5, (rows, 4)).astype(float)
        y = (x.sum(axis=1) > 8).astype(np.int64)
        return Dataset(name=name, x=x, y=y, metadata=pd.DataFrame(index=range(rows)))

    validation = survey("validation", 3, 200)
    assert search(survey("new", 2, 2000), validation).found == ()
    (leak,) = search(with_x(survey("new", 2, 200), validation.x, validation.y), validation).found
    assert leak.kind == "exact"
    assert leak.rows > 80


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_column_that_is_the_label_in_disguise_is_found(noise: Any) -> None:
    def told(data: Any, seed: Any, hidden: Any = False) -> Any:
        rng = np.random.default_rng(seed)
        label = rng.integers(0, 2, len(data)) if hidden else 3 - data.y
        return with_x(data, np.column_stack([data.x, label + noise * rng.uniform(-1, 1, len(data))]))

    validation, new = told(dataset("validation", 3), 5), told(dataset("new", 2), 6)
    base = told(dataset("base", 1), 7, hidden=True)
    assert search(new, validation, base).found == (Leak(dataset="new", kind="column", rows=100, of=100, column="4"),)
    assert search(new, validation, told(dataset("base", 1), 7)).found == ()


def test_a_feature_that_happens_to_separate_the_classes_is_no_leak() -> None:
    def separable(seed: Any) -> Any:
        data = dataset(str(seed), seed)
        return with_x(data, data.x, (data.x[:, 0] > 0).astype(np.int64))

    assert search(separable(2), separable(3)).found == ()


def test_shared_ids_and_groups_are_found_and_a_row_count_is_no_id() -> None:
    names = np.array([f"p{i * 7}" for i in range(200)])
    validation = dataset("validation", 3, patient=names, number=np.arange(200))
    new = dataset("new", 2, patient=np.roll(names, 120), number=np.arange(200))
    found = {leak.kind: leak for leak in search(new, validation).found}
    assert set(found) == {"id"}
    assert (found["id"].column, found["id"].rows) == ("patient", 100)
