"""Where a gain has no loss, answers to validation rows are looked for in the new datasets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodc.data.catalogue import Catalogue
from autodc.data.dataset import Dataset
from autodc.gate.types import Leak
from autodc.table import Table
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


@pytest.mark.parametrize("noise", [0.003, 0.02])
def test_copies_with_more_noise_on_them_than_rounding_are_found(noise: float) -> None:
    validation, new = dataset("validation", 3), dataset("new", 2)
    x, y = new.x.copy(), new.y.copy()
    x[:40], y[:40] = validation.x[:40] + noise * np.random.default_rng(5).normal(size=(40, 4)), validation.y[:40]
    (leak,) = search(with_x(new, x, y), validation).found
    assert (leak.kind, leak.of) == ("near", 100)
    assert leak.rows >= 35


@pytest.mark.parametrize("columns", [1, 2, 4, 30])
@pytest.mark.parametrize("spread", [0.05, 1.0])
def test_a_dataset_as_dense_as_the_rows_it_helps_holds_no_copies(columns: int, spread: float) -> None:
    """New rows of a corner the base never saw lie near the rows there: not nearer than to one another."""
    rng = np.random.default_rng(columns)

    def some(name: str, rows: int, at: float) -> Dataset:
        x = at + spread * rng.normal(size=(rows, columns))
        return Dataset(name=name, x=x, y=np.ones(rows, dtype=np.int64), metadata=pd.DataFrame(index=range(rows)))

    assert search(some("new", 400, 5.0), some("validation", 200, 5.0), some("base", 300, 0.0)).found == ()


def test_a_dataset_that_holds_each_row_several_times_with_noise_is_no_leak() -> None:
    rng = np.random.default_rng(0)

    def augmented(data: Dataset) -> Dataset:
        x = np.concatenate([data.x + 0.01 * rng.normal(size=data.x.shape) for _ in range(4)])
        return Dataset(name=data.name, x=x, y=np.tile(data.y, 4), metadata=pd.DataFrame(index=range(len(x))))

    assert search(augmented(dataset("new", 2)), dataset("validation", 3)).found == ()


def test_the_cure_of_a_class_the_base_never_saw_is_no_leak() -> None:
    """A model at chance there gains without a loss, and the class lies far apart in a feature of its own."""

    def three(name: str, seed: int, classes: tuple[int, ...]) -> Dataset:
        data = dataset(name, seed)
        y = np.random.default_rng(seed).choice(classes, len(data))
        x = data.x.copy()
        x[:, 3] = 0.1 * x[:, 3] + 50.0 * (y == 2)
        return with_x(data, x, y.astype(np.int64))

    base, new = three("base", 1, (0, 1)), three("new", 2, (0, 2))
    validation = three("validation", 3, (0, 1, 2))
    catalogue = Catalogue(base=base, candidates={"new": new}, validation=validation)
    cured = np.flatnonzero(validation.y == 2)
    found = LeakSearch(catalogue)(("new",), {"validation": cured})
    assert found.found == ()
    assert "column" in found.looked


def test_a_column_that_tells_the_label_in_one_corner_of_validation_alone_is_found() -> None:
    def corner(data: Dataset, known: bool) -> Dataset:
        rng = np.random.default_rng(len(data.name))
        column = np.where((data.x[:, 2] > 0) | known, 3.0 - data.y, rng.integers(2, 4, len(data)))
        return with_x(data, np.column_stack([data.x, column]))

    base = with_x(
        dataset("base", 1), np.column_stack([dataset("base", 1).x, np.random.default_rng(0).integers(2, 4, 200)])
    )
    validation, new = corner(dataset("validation", 3), False), corner(dataset("new", 2), True)
    catalogue = Catalogue(base=base, candidates={"new": new}, validation=validation)
    rows = np.flatnonzero(validation.x[:, 2] > 0)
    (leak,) = LeakSearch(catalogue)(("new",), {"validation": rows}).found
    assert (leak.kind, leak.column, leak.rows) == ("column", "4", len(rows))


def test_ids_that_go_on_where_another_file_ended_are_ids() -> None:
    validation = dataset("validation", 3, scan=np.arange(200) + 3000)
    leak, honest = dataset("new", 2, scan=np.arange(200) + 3050), dataset("new", 2, scan=np.arange(200) + 5000)
    assert [(one.kind, one.column, one.rows) for one in search(leak, validation).found] == [("id", "scan", 50)]
    assert search(honest, validation).found == ()


def frame_of(data: Dataset, **columns: Any) -> Dataset:
    frame = pd.DataFrame({f"c{i}": data.x[:, i] for i in range(data.x.shape[1])}).assign(**columns)
    kinds = {"O": "category", "M": "date", "i": "integer"}
    types = [kinds.get(np.asarray(frame[name]).dtype.kind, "number") for name in frame]
    return Dataset(name=data.name, x=Table.of("table", frame, types), y=data.y, metadata=data.metadata)


def branch(data: Dataset, seed: int, told: bool) -> np.ndarray:
    """Four branches, two for each label; not where it tells nothing."""
    rng = np.random.default_rng(seed)
    side = data.y if told else rng.integers(0, 2, len(data))
    return 2 * side + rng.integers(0, 2, len(data))


DISGUISES = {
    "category": lambda code: np.array(["north", "south", "east", "west"], dtype=object)[code],
    "code": lambda code: np.array([1, 3, 2, 4])[code],
    "missing": lambda code: np.where(code >= 2, np.nan, np.random.default_rng(0).normal(size=len(code))),
    "date": lambda code: np.datetime64("2024-01-01", "us") + 90 * (code // 2) * np.timedelta64(1, "D"),
}


@pytest.mark.parametrize("form", DISGUISES)
def test_a_category_a_gap_or_a_date_that_is_the_label_in_disguise_is_found(form: str) -> None:
    def written(data: Dataset, seed: int, told: bool) -> Dataset:
        return frame_of(data, source=DISGUISES[form](branch(data, seed, told)))

    validation, new = written(dataset("validation", 3), 5, True), written(dataset("new", 2), 6, True)
    base = written(dataset("base", 1), 7, False)
    assert search(new, validation, base).found == (
        Leak(dataset="new", kind="column", rows=100, of=100, column="source"),
    )
    assert search(new, validation, written(dataset("base", 1), 7, True)).found == ()
    assert search(written(dataset("new", 2), 6, False), validation, base).found == ()


def test_names_that_are_another_in_every_row_tell_no_label() -> None:
    def named(name: str, seed: int) -> Dataset:
        return frame_of(dataset(name, seed), who=np.array([f"{seed}-{i}" for i in range(200)], dtype=object))

    assert search(named("new", 2), named("validation", 3), named("base", 1)).found == ()


def test_texts_with_a_word_changed_are_answers() -> None:
    def of(name: str, texts: list[str]) -> Dataset:
        y = np.array([len(text) % 2 for text in texts])
        return Dataset(name=name, x=Table.of_texts(texts), y=y, metadata=pd.DataFrame(index=range(len(texts))))

    def words(rows: int, seed: int) -> list[str]:
        rng = np.random.default_rng(seed)
        return [" ".join(f"w{i:04d}" for i in rng.integers(0, 3000, 25)) for _ in range(rows)]

    held = words(150, 3)
    changed = [f"{text[:-5]}x0001" for text in held[:40]]
    (leak,) = search(of("new", [*words(150, 2), *changed]), of("validation", held), of("base", words(150, 1))).found
    assert (leak.kind, leak.rows) == ("near", 40)
